# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034 # run.sh sets prefix, sites, root; base.sh run_dir and the programs
# Four streams of one UDP packet per millisecond between two site routers, IPv4 and IPv6 in both directions.
# All of them use the link that the scenario breaks.
#
#   R1 --> V1-1 ===== link ===== V3-1 --> R3
#
# A hash over addresses and ports selects the link of a flow. To find a flow that uses the wanted link,
# packets are sent from many source ports, and a port is chosen whose packet passes that link.

stream_port=5600

address_of() { # NODE 4|6, in its site
  local site=${1#R}
  if [[ $2 == 4 ]]; then echo "10.0.$site.1"; else echo "2001:db8:a$site::1"; fi
}

# Prints the first of 100 source ports whose packets leave this gateway by this link.
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

# Prints a flow for lab_stream, from the gateway's site router through that link to the peer's site router.
flow() { # GATEWAY LINK 4|6
  local from to port
  from=R$(site_of "$1") to=R$(site_of "V${2#rv}")
  port=$(port_through "$1" "$2" "$(address_of "$from" "$3")" "$(address_of "$to" "$3")")
  [[ -n $port ]] || die "no flow from $from uses $2 of $1"
  echo "$from-$to-$3,$(address_of "$from" "$3"),$port,$(address_of "$to" "$3"),$stream_port"
}

# start_streams DIR GATEWAY PEER: through the link between both gateways. The results are in DIR.
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

received_by() { # NODE: UDP datagrams so far
  # shellcheck disable=SC2016 # $2 is awk's
  in_node "$1" awk '/^Udp: [0-9]/ || /^Udp6InDatagrams/ { n += $2 } END { print n }' \
    /proc/net/snmp /proc/net/snmp6
}
has_received() { (($(received_by "$1") >= $2)); } # NODE NUMBER
declare -A received_before=()
is_quiet() { # NODE: nothing has arrived since the last call
  local now before=${received_before[$1]:-}
  now=$(received_by "$1")
  received_before[$1]=$now
  [[ $now == "$before" ]]
}

# wait_for_streams NODE...: until each has received as many datagrams as its two streams send in a second.
wait_for_streams() {
  local node
  local -A wanted=()
  for node in "$@"; do wanted[$node]=$(($(received_by "$node") + 2000)); done
  for node in "$@"; do wait_until 10 has_received "$node" "${wanted[$node]}" || die "no stream arrives at $node"; done
}

# The senders end first, so that packets in flight still arrive.
stop_streams() { # DIR NODE...: the receivers
  local node
  end "$1"/send-*.pid
  for node in "${@:2}"; do wait_until 1 is_quiet "$node" || true; done # other UDP may not end
  end "$1"/receive-*.pid
}

mark() { echo "$("$stream" now) $2" >>"$1/events"; } # DIR TEXT
