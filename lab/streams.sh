# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034 # run.sh sets prefix, sites, root; base.sh run_dir and the programs
# Four streams of one UDP packet a millisecond between two site routers, both families both ways,
# all of them through one link: that which a scenario is about to break.
#
#   R1 --> V1-1 ===== link ===== V3-1 --> R3
#
# Flows are divided by a hash over addresses and ports. So that each takes the wanted way, its source
# port is tried until the kernel itself says so (`ip route get`).

stream_port=5600

address_of() { # NODE 4|6, in its site
  local site=${1#R}
  if [[ $2 == 4 ]]; then echo "10.0.$site.1"; else echo "2001:db8:a$site::1"; fi
}

# next_hop NODE 4|6 FROM TO PORT [OPTION...]: what the kernel of that node would do with it.
next_hop() {
  ip_node "$1" "-$2" route get "$4" from "$3" "${@:6}" ipproto udp sport "$5" dport $stream_port
}

lan_address() { # GATEWAY 4|6: by which the site router knows it, IPv6's is the link-local one
  local all pattern='10[^/]*'
  all=$(ip_node "$1.private" "-$2" -br addr show dev lan)
  [[ $2 == 4 ]] || pattern='fe80:[^/]*'
  grep -o "$pattern" <<<"$all"
}

# IPv4 needs to be told that a packet not our own comes in from the site. Told so, IPv6's answer
# leaves the ports out of the hash.
goes_through() { # GATEWAY LINK GATEWAY'S-ADDRESS 4|6 FROM TO PORT
  local -a coming=()
  [[ $4 == 6 ]] || coming=(iif lan)
  [[ $(next_hop "R$(site_of "$1")" "${@:4}") == *" via $3 dev "* ]] &&
    [[ $(next_hop "$1.private" "${@:4}" "${coming[@]}") == *" dev $2 "* ]]
}

# One flow as lab_stream takes it, from the gateway's site router through that link to the other's.
flow() { # GATEWAY LINK 4|6
  local from to from_address to_address lan port
  from=R$(site_of "$1") to=R$(site_of "V${2#rv}") lan=$(lan_address "$1" "$3")
  from_address=$(address_of "$from" "$3") to_address=$(address_of "$to" "$3")
  # One in four does: a hundred leave no doubt.
  for ((port = 20000; port < 20100; port++)); do
    goes_through "$1" "$2" "$lan" "$3" "$from_address" "$to_address" "$port" || continue
    echo "$from-$to-$3,$from_address,$port,$to_address,$stream_port"
    return
  done
  die "no flow from $from goes through $1's $2"
}

# start_streams DIR GATEWAY PEER: through the link between these two; what is measured goes to DIR.
start_streams() {
  local gateway peer four six
  for gateway in "$2" "$3"; do
    start "$1/receive-$gateway.pid" "R$(site_of "$gateway")" \
      "$stream" receive $stream_port "$1/received-$gateway"
  done
  for gateway in "$2" "$3"; do
    peer=$2
    [[ $gateway != "$peer" ]] || peer=$3
    four=$(flow "$gateway" "rv${peer#V}" 4)
    six=$(flow "$gateway" "rv${peer#V}" 6)
    start "$1/sent-$gateway.pid" "R$(site_of "$gateway")" "$stream" send "$four" "$six"
  done
}

# First those that send; what is on its way then still arrives.
stop_streams() { # DIR
  end "$1"/sent-*.pid
  sleep 0.3
  end "$1"/receive-*.pid
}

mark() { echo "$("$stream" now) $2" >>"$1/events"; } # DIR TEXT
