#!/usr/bin/env bash
# Policy routing in one namespace, the third mode of the first proof-of-concept: the default route leads
# through a link, and the link's own packets use the default route that was there before.
#
#   PUB_A                              PUB_B                        PRIV_B
#   rv0 .......................... link b ......................... rv0    lo
#   eth0 --- 192.0.2.0/24 ----- eth0    lo                                 203.0.113.9
#    .1      2001:db8::/64       .2     198.51.100.7                       2001:db8:99::9
#    ::1                         ::2    2001:db8:77::7
#
# The link sends to the addresses on lo of PUB_B: only the default route of PUB_A leads there.

HERE=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$HERE/lib.sh"

ip -n "$PUB_B" address add 198.51.100.7/32 dev lo
ip -n "$PUB_B" address add 2001:db8:77::7/128 dev lo
ip -n "$PRIV_B" address add 203.0.113.9/32 dev lo
ip -n "$PRIV_B" address add 2001:db8:99::9/128 dev lo
ip -n "$PUB_A" route add default via 192.0.2.2
ip -n "$PUB_A" route add default via 2001:db8::2

# Counts what leaves PUB_A by each interface: the link's own packets and echo requests.
in_ns "$PUB_A" nft -f - <<'END'
table inet watch {
  counter outer_by_eth0 { }
  counter outer_by_rv0 { }
  counter echo_by_eth0 { }
  counter echo_by_rv0 { }
  chain leaving {
    type filter hook postrouting priority 300;
    udp dport 7754 oifname "eth0" counter name outer_by_eth0
    udp dport 7754 oifname "rv0" counter name outer_by_rv0
    oifname "eth0" icmp type echo-request counter name echo_by_eth0
    oifname "eth0" icmpv6 type echo-request counter name echo_by_eth0
    oifname "rv0" icmp type echo-request counter name echo_by_rv0
    oifname "rv0" icmpv6 type echo-request counter name echo_by_rv0
  }
}
END
# counted COUNTER: packets since the last call.
counted() {
  in_ns "$PUB_A" nft -j reset counter inet watch "$1" |
    jq '.nftables[] | .counter? // empty | .packets'
}

# Everything that a link can leave in PUB_A.
traces() {
  ip -n "$PUB_A" -o link
  ip -n "$PUB_A" -4 route show table all
  ip -n "$PUB_A" -6 route show table all
  ip -n "$PUB_A" -4 rule
  ip -n "$PUB_A" -6 rule
  ip netns pids "$PUB_A"
}
is_as_before() { diff "$DIR/traces.before" <(traces); }
has_link_local() { ip -n "$PUB_A" -6 route show table local type local | grep -q '^local fe80:'; }

# way DESTINATION [mark N]: the interface by which a packet leaves PUB_A.
way() { ip -n "$PUB_A" -o route get "$@" | sed 's/.* dev \([^ ]*\).*/\1/'; }

start_b() {
  mkdir -p "$DIR/b"
  start b "$PUB_B" "$ROUTEVPN" --listen "$PORT" --peer-name a --ifname rv0 --netns "$PRIV_B" \
    -a 10.255.0.2/30 -a 2001:db8:ff::1/127 --cert "$DIR/b.cert" --key "$DIR/b.key" \
    --ca "$DIR/ca.cert" --run-dir "$DIR/b"
  wait_for has_socket b || fail "link b did not start"
}

# starts OUTER: starts both ends over that IP version and waits until they are up.
starts() {
  local peer=198.51.100.7
  [[ $1 == 4 ]] || peer='[2001:db8:77::7]'
  mkdir -p "$DIR/a"
  start_b
  start a "$PUB_A" "$ROUTEVPN" --peer "$peer" --peer-name b --ifname rv0 \
    -a 10.255.0.1/30 -a 2001:db8:ff::/127 --cert "$DIR/a.cert" --key "$DIR/a.key" \
    --ca "$DIR/ca.cert" --run-dir "$DIR/a" \
    --route 0.0.0.0/0 --route ::/0 --table 51 --fwmark 51
  wait_up a
  wait_up b
}

# counts TEXT RV0 ETH0: echo requests that have left by rv0 and by eth0 since the last call.
counts() { expect_equal "$1" "$2 $3" "$(counted echo_by_rv0) $(counted echo_by_eth0)"; }

# check OUTER: the interface that each kind of packet uses while the link is up.
check() {
  local text="IPv$1 outside" echoes=20 outer
  expect_equal "$text: other networks are behind the link" "rv0 rv0" \
    "$(way 203.0.113.9) $(way 2001:db8:99::9)"
  expect_equal "$text: but not for packets with the mark" "eth0 eth0" \
    "$(way 203.0.113.9 mark 51) $(way 2001:db8:99::9 mark 51)"
  expect_equal "$text: connected networks are reached directly" "eth0 eth0" \
    "$(way 192.0.2.2) $(way 2001:db8::2)"
  for counter in outer_by_eth0 outer_by_rv0 echo_by_eth0 echo_by_rv0; do
    counted "$counter" >"$DIR/counter.out"
  done

  expect "$text: another network answers" \
    in_ns "$PUB_A" ping -c "$echoes" -i 0.01 -W "$DEADLINE_S" 203.0.113.9
  expect "$text: over IPv6 too" \
    in_ns "$PUB_A" ping -c "$echoes" -i 0.01 -W "$DEADLINE_S" 2001:db8:99::9
  counts "$text: each ping left once by the link and not by eth0" $((2 * echoes)) 0
  outer=$(counted outer_by_eth0)
  ((outer >= 2 * echoes && outer <= 2 * echoes + 20)) ||
    fail "$text: $outer outer packets for $((2 * echoes)) pings"
  ok "$text: $outer outer packets left by eth0"
  expect_equal "$text: and none by the link itself" 0 "$(counted outer_by_rv0)"

  expect "$text: a neighbour answers" in_ns "$PUB_A" ping -c 2 -i 0.01 -W "$DEADLINE_S" 192.0.2.2
  expect "$text: over IPv6 too" in_ns "$PUB_A" ping -c 2 -i 0.01 -W "$DEADLINE_S" 2001:db8::2
  counts "$text: these pings left by eth0, not by the link" 0 4
}

# Without the peer, no packet for the link leaves unencrypted by eth0.
sends_nothing_while_down() {
  stop b || fail "link b ended with status $?"
  expect "the carrier goes off" wait_for is_down
  counts "no ping was sent meanwhile" 0 0
  expect_not "then other networks are unreachable" in_ns "$PUB_A" ping -c 2 -i 0.01 -W 1 203.0.113.9
  expect_not "over IPv6 too" in_ns "$PUB_A" ping -c 2 -i 0.01 -W 1 2001:db8:99::9
  counts "and no ping leaves unencrypted" 0 0
  start_b
}
is_down() { [[ $(show a .carrier) == false ]]; }

wait_for has_link_local || fail "eth0 has no link-local address"
traces >"$DIR/traces.before"
for outer in 4 6; do
  for signal in TERM KILL; do
    starts "$outer"
    [[ $signal == KILL ]] || check "$outer"
    [[ $signal == KILL ]] || sends_nothing_while_down
    status=0
    stop a "$signal" || status=$?
    [[ $signal == TERM ]] || status=$((status - 128 - 9))
    expect_equal "SIG$signal ends the link" 0 "$status"
    expect "no interface, route, rule or process is left" wait_for is_as_before
    stop b || fail "link b ended with status $?"
  done
done

# The guardian, which holds rules and forwarding, is killed -------------------------------------------
starts 4
child_of_a() { ps -o pid=,comm= --ppid "${PID[a]}" | awk -v name="$1" '$2 == name { print $1 }'; }
guardian=$(child_of_a routevpn-guard)
has_key() { python3 "$HERE/key_in_memory.py" "$1" "$DIR/a.key"; }
expect_equal "the monitor has the private key in memory" yes "$(has_key "${PID[a]}")"
expect_equal "the guardian has not" no "$(has_key "$guardian")"
expect_equal "the worker has not" no "$(has_key "$(child_of_a routevpn-worker)")"
kill -KILL "$guardian"
expect_end "a link without its guardian ends with status 1" a 1
expect "the log has the reason" grep -q "the guardian process has ended" "$DIR/a.log"
expect "no interface, route, rule or process is left" wait_for is_as_before
stop b || fail "link b ended with status $?"
