# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034 # run.sh sets prefix, sites, root; base.sh run_dir and the programs
# Four streams of one UDP packet a millisecond between two site routers, both families both ways,
# all of them through one link: that which a scenario is about to break.
#
#   R1 --> V1-1 ===== link ===== V3-1 --> R3
#
# Flows are divided by a hash over addresses and ports. So that each takes the wanted way, packets are
# sent from many source ports, and of those that come by there one is taken.

stream_port=5600

address_of() { # NODE 4|6, in its site
  local site=${1#R}
  if [[ $2 == 4 ]]; then echo "10.0.$site.1"; else echo "2001:db8:a$site::1"; fi
}

# The first of a hundred source ports whose packets leave this gateway by this link.
port_through() { # GATEWAY LINK FROM TO
  local nft=(in_node "$1.private" nft) ports
  "${nft[@]}" -f - <<<"table inet probe {
    set ports { type inet_service; flags dynamic; size 128; }
    chain forward { type filter hook forward priority 0;
      oifname $2 udp dport $stream_port add @ports { udp sport }; }; }"
  in_node "R$(site_of "$1")" "$stream" probe "$3" 20000 100 "$4" $stream_port
  wait_until 2 has_ports "$1.private"
  ports=$("${nft[@]}" list set inet probe ports)
  "${nft[@]}" delete table inet probe
  grep -o '20[0-9]\{3\}' <<<"$ports" | head -n 1
}
has_ports() { in_node "$1" nft list set inet probe ports | grep -q elements; } # NODE

# One flow as lab_stream takes it, from the gateway's site router through that link to the other's.
flow() { # GATEWAY LINK 4|6
  local from to port
  from=R$(site_of "$1") to=R$(site_of "V${2#rv}")
  port=$(port_through "$1" "$2" "$(address_of "$from" "$3")" "$(address_of "$to" "$3")")
  [[ -n $port ]] || die "no flow from $from goes through $1's $2"
  echo "$from-$to-$3,$(address_of "$from" "$3"),$port,$(address_of "$to" "$3"),$stream_port"
}

# start_streams DIR GATEWAY PEER: through the link between these two; what is measured goes to DIR.
start_streams() {
  local gateway peer four six
  for gateway in "$2" "$3"; do
    start "$1/receive-$gateway.pid" "R$(site_of "$gateway")" \
      "$stream" receive "$1/received-$gateway" $stream_port
  done
  for gateway in "$2" "$3"; do
    peer=$2
    [[ $gateway != "$peer" ]] || peer=$3
    four=$(flow "$gateway" "rv${peer#V}" 4)
    six=$(flow "$gateway" "rv${peer#V}" 6)
    start "$1/send-$gateway.pid" "R$(site_of "$gateway")" "$stream" send \
      "$1/sent-$gateway" "$four" "$six"
  done
}

# First those that send; what is on its way then still arrives.
stop_streams() { # DIR
  end "$1"/send-*.pid
  sleep 0.3
  end "$1"/receive-*.pid
}

mark() { echo "$("$stream" now) $2" >>"$1/events"; } # DIR TEXT
