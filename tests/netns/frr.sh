#!/usr/bin/env bash
# FRR in the place of BIRD: two links between two gateways carry iBGP unnumbered and BFD over their link-local
# addresses. FRR sees a lost carrier, and the traffic moves to the other link. With the carrier on, BFD finds a
# routing daemon that hangs.
#
# The daemons run with files and sockets in DIR, as user frr. Status 77: skipped, because FRR is not installed.

HERE=$(cd "$(dirname "$0")" && pwd)
if [[ ! -x /usr/lib/frr/bgpd ]]; then
  echo "skipped: needs frr"
  exit 77
fi
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$HERE/lib.sh"

SECOND=7755 # port of the second link
declare -A PRIVATE=([a]=$PRIV_A [b]=$PRIV_B) PUBLIC=([a]=$PUB_A [b]=$PUB_B) SITE=([a]=1 [b]=2)
chmod 755 "$DIR" # for the user frr; keys are for root alone

second_link() { # a|b PEER-OPTION...
  mkdir -p "$DIR/$1-second"
  start "$1-second" "${PUBLIC[$1]}" "$ROUTEVPN" "${@:2}" --ifname rv1 --netns "${PRIVATE[$1]}" \
    -a "fe80::${SITE[$1]}/64" --cert "$DIR/$1.cert" --key "$DIR/$1.key" --ca "$DIR/ca.cert" \
    --run-dir "$DIR/$1-second" --detection fast
}

# After a lost carrier, FRR 10.3 refuses the connections of an unnumbered neighbour with BFD, and so its session does
# not come back. There the links are alone in detecting a dead peer.
BFD="9 250 1000"
[[ $(/usr/lib/frr/bgpd --version) != *"version 1"[0-9].* ]] || BFD=

# The network of a site is on lo. The BFD timers are those of bird/common.conf: the carrier tells of dead links, so
# BFD guards against a daemon that hangs.
frr() { # a|b
  local end=$1 site=${SITE[$1]} files=$DIR/frr-$1 daemon
  local -a more
  ip -n "${PRIVATE[$end]}" address add "10.0.$site.1/24" dev lo
  ip -n "${PRIVATE[$end]}" address add "2001:db8:a$site::1/64" dev lo nodad
  in_ns "${PRIVATE[$end]}" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
  mkdir "$files"
  cat >"$files/bgpd.conf" <<END
hostname $end
log file $files/log informational
router bgp 65000
 bgp router-id 10.255.0.$site
 no bgp default ipv4-unicast
 neighbor links peer-group
 neighbor links remote-as internal
 neighbor links timers connect 1
${BFD:+ neighbor links bfd $BFD}
 neighbor rv0 interface v6only peer-group links
 neighbor rv1 interface v6only peer-group links
 address-family ipv4 unicast
  network 10.0.$site.0/24
  neighbor links activate
 exit-address-family
 address-family ipv6 unicast
  network 2001:db8:a$site::/64
  neighbor links activate
 exit-address-family
END
  # Without this line FRR 8.4 uses nexthop objects. The kernel deletes those of an interface that loses its carrier,
  # and zebra does not add them again.
  echo "no zebra nexthop kernel enable" >"$files/zebra.conf"
  : >"$files/bfdd.conf"
  chown -R frr:frr "$files"
  for daemon in zebra bfdd bgpd; do
    more=()
    # FRR 10 has no such socket.
    if [[ $daemon == bfdd && $(/usr/lib/frr/bfdd --help) == *--bfdctl* ]]; then more=(--bfdctl "$files/bfdd.sock"); fi
    start "$daemon-$end" "${PRIVATE[$end]}" "/usr/lib/frr/$daemon" -u frr -g frr -f "$files/$daemon.conf" \
      -z "$files/zserv.api" --vty_socket "$files" -i "$files/$daemon.pid" -P 0 "${more[@]}"
    wait_for test -S "$files/$daemon.vty" || fail "$daemon does not run in $end"
  done
}

frr_show() { # a|b COMMAND...: as JSON
  in_ns "${PRIVATE[$1]}" vtysh --vty_socket "$DIR/frr-$1" -c "show ${*:2} json" 2>"$DIR/vtysh.log"
}
frr_says() { # a|b FILTER COMMAND...: the jq filter gives true
  frr_show "$1" "${@:3}" | jq -e "$2"
}
session_is() { # a|b LINK STATE
  frr_says "$1" ".$2.bgpState == \"$3\"" bgp neighbors "$2"
}
bfd_is() { # a|b LINK STATE
  frr_says "$1" "[.[] | select(.interface == \"$2\") | .status] == [\"$3\"]" bfd peers
}
both_sessions() { session_is "$1" rv0 Established && session_is "$1" rv1 Established; }

# The interfaces of the next hops of the kernel's route, sorted. FRR may write them as a nexthop object.
next_hops() { # a|b 4|6 PREFIX
  ip -n "${PRIVATE[$1]}" "-$2" -j route show "$3" proto bgp |
    jq -r '[.[] | select((.flags // []) | index("linkdown") | not) | (.nexthops // [.])[] |
      select((.flags // []) | index("linkdown") | not) | .dev] | sort | join(" ")'
}
next_hops_are() { [[ $(next_hops "$1" "$2" "$3") == "$4" ]]; }

cut() { # PORT: drops the datagrams of that link at a
  in_ns "$PUB_A" nft -f - <<NFT
table ip cut {
  chain out { type filter hook output priority 0; udp dport $1 drop; }
  chain in { type filter hook input priority 0; udp sport $1 drop; }
}
NFT
}
mend() { in_ns "$PUB_A" nft delete table ip cut; }
has_no_carrier() { in_ns "$PRIV_A" grep -x 0 "/sys/class/net/$1/carrier"; } # LINK
carrier_seen() { # LINK up|down: by FRR of a
  frr_says a ".$1.operationalStatus == \"$2\"" interface "$1"
}

start_gaps() { # TARGET
  python3 "$HERE/gaps.py" "$PRIV_A" "$1" >"$DIR/gaps.out" 2>"$DIR/gaps.log" &
  PID[gaps]=$!
  wait_for test -s "$DIR/gaps.log" || fail "gaps.py does not start"
}
end_gaps() { # the longest time without an answer is in LONGEST, in milliseconds
  kill "${PID[gaps]}"
  wait "${PID[gaps]}" || fail "gaps.py"
  unset "PID[gaps]"
  LONGEST=$(jq '.longest_ms | round' "$DIR/gaps.out")
}

second_link b --listen "192.0.2.2:$SECOND" --peer-name a
second_link a --peer "192.0.2.2:$SECOND" --peer-name b
link_b -a fe80::2/64 --detection fast
link_a -a fe80::1/64 --detection fast
wait_up a
wait_up b
frr a
frr b

for end in a b; do
  expect "$end: BGP sessions over both links" wait_for both_sessions "$end"
  [[ -n $BFD ]] || continue
  expect "$end: BFD over the first link" wait_for bfd_is "$end" rv0 up
  expect "$end: BFD over the second link" wait_for bfd_is "$end" rv1 up
done
[[ -z $BFD ]] || expect "with the times of the file" frr_says a \
  '[.[] | [."detect-multiplier", ."transmit-interval"]] | unique == [[9, 1000]]' bfd peers
expect "the sessions of a are with the link-local address of b" frr_says a \
  '[.[].bgpNeighborAddr] == ["fe80::2", "fe80::2"]' bgp neighbors
for end in a b; do
  other=$((3 - SITE[$end]))
  for network in "4 10.0.$other.0/24" "6 2001:db8:a$other::/64"; do
    read -r version prefix <<<"$network"
    expect "$end has an IPv$version route over both links" wait_for next_hops_are "$end" "$version" "$prefix" "rv0 rv1"
  done
done
expect "IPv4 between the sites" in_ns "$PRIV_A" ping -c 1 -W "$DEADLINE_S" -I 10.0.1.1 10.0.2.1
expect "IPv6 between the sites" in_ns "$PRIV_A" ping -c 1 -W "$DEADLINE_S" -I 2001:db8:a1::1 2001:db8:a2::1


# --- a silent cut of the link that the traffic takes ------------------------------------------------

used=$(ip -n "$PRIV_A" -j route get 10.0.2.1 | jq -r '.[0].dev')
other=rv1 port=$PORT
[[ $used == rv0 ]] || other=rv0 port=$SECOND
start_gaps 10.0.2.1
cut "$port"
expect "after a silent cut $used has no carrier" wait_for has_no_carrier "$used"
expect "FRR sees that" wait_for carrier_seen "$used" down
expect "and has $other alone for IPv4" wait_for next_hops_are a 4 10.0.2.0/24 "$other"
expect "and for IPv6" wait_for next_hops_are a 6 2001:db8:a2::/64 "$other"
[[ -z $BFD ]] || expect "BFD over $used is down" wait_for bfd_is a "$used" down
mend
expect "the carrier is seen again" wait_for carrier_seen "$used" up
expect "the session is back" wait_for both_sessions a
expect "and the IPv4 route over both links" wait_for next_hops_are a 4 10.0.2.0/24 "rv0 rv1"
expect "and the IPv6 route" wait_for next_hops_are a 6 2001:db8:a2::/64 "rv0 rv1"
end_gaps
ok "IPv4 had no answer for $LONGEST ms at most"

# --- a routing daemon that hangs --------------------------------------------------------------------

if [[ -n $BFD ]]; then
  flaps=$(show a .flaps)
  kill -STOP "${PID[bfdd-b]}"
  expect "when FRR of b hangs, BFD of a is down" wait_for bfd_is a rv0 down
  expect "and so is the session" wait_for frr_says a '.rv0.bgpState != "Established"' bgp neighbors rv0
  kill -CONT "${PID[bfdd-b]}"
  expect "both come back" wait_for both_sessions a
  expect_equal "and the carrier did not change" "$flaps" "$(show a .flaps)"
fi

stop_links
