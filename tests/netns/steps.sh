#!/usr/bin/env bash
# A link and the rest of the system: its counters are exact to the byte, a sender gets an error at once when
# the link is down, it carries another link, a routing loop does not make it spin, and it ends when its
# namespace is deleted.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=flows.sh
source "$(dirname "${BASH_SOURCE[0]}")/flows.sh"

# --- counters -----------------------------------------------------------------------------------

COUNTS='"tx \(.tx.packets) \(.tx.bytes) rx \(.rx.packets) \(.rx.bytes)"'

two_links --mtu 1400
for size in 0 1 100 1000; do
  in_ns "$PRIV_A" ping -q -c 10 -i 0.01 -W "$DEADLINE_S" -s "$size" 10.255.0.2 >"$DIR/ping.out" ||
    fail "ping -s $size: $(<"$DIR/ping.out")"
  in_ns "$PRIV_B" ping -q -c 5 -i 0.01 -W "$DEADLINE_S" -s "$size" 2001:db8:ff:: >"$DIR/ping.out" ||
    fail "ping -s $size: $(<"$DIR/ping.out")"
done
# Each ping passes in both directions, as request and as reply: IP header, ICMP header, data.
packets=$((4 * 10 + 4 * 5))
bytes=$((10 * (4 * (20 + 8) + 1101) + 5 * (4 * (40 + 8) + 1101)))
for end in a b; do
  expect_equal "$end counts every byte of $packets requests and replies" \
    "tx $packets $bytes rx $packets $bytes" "$(show "$end" "$COUNTS")"
  expect_equal "the interface of $end counts the same" \
    "$packets $bytes $packets $bytes" "$(declare -A space=([a]=$PRIV_A [b]=$PRIV_B)
      ip -n "${space[$end]}" -s -j link show rv0 | jq -r '.[0].stats64 |
        "\(.tx.packets) \(.tx.bytes) \(.rx.packets) \(.rx.bytes)"')"
  expect_equal "$end dropped nothing" '{}' "$(show "$end" '.drops | tostring')"
done

# --- down ---------------------------------------------------------------------------------------

# A host behind a, for which a forwards.
HOST=rv$$-host
namespace "$HOST"
wire "$HOST" eth0 "$PRIV_A" lan
in_ns "$PRIV_A" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
ip -n "$HOST" address add 10.1.0.2/24 dev eth0
ip -n "$PRIV_A" address add 10.1.0.1/24 dev lan
ip -n "$HOST" address add fd00:1::2/64 dev eth0 nodad
ip -n "$PRIV_A" address add fd00:1::1/64 dev lan nodad
ip -n "$HOST" route add default via 10.1.0.1
ip -n "$HOST" route add default via fd00:1::1
routes_of_b() { # the kernel removes them with the interface
  ip -n "$PRIV_B" route add 10.1.0.0/24 via 10.255.0.1
  ip -n "$PRIV_B" route add fd00:1::/64 via 2001:db8:ff::
}
routes_of_b
for target in 10.255.0.2 2001:db8:ff::1; do
  expect "a host behind a reaches $target" in_ns "$HOST" ping -c 1 -W "$DEADLINE_S" "$target"
done
stop b || fail "link b ended with status $?"
a_is_down() { [[ $(show a .carrier) == false ]]; }
expect "without b the carrier of a is off" wait_for a_is_down

# fails_at_once NETNS TARGET: ping ends with an error instead of waiting for an answer. Status 124: ping
# still waited after DEADLINE_S.
fails_at_once() {
  local status=0
  timeout "$DEADLINE_S" ip netns exec "$1" ping -c 1 -W 1000 "$2" || status=$?
  ((status != 0 && status != 124))
}
for target in 10.255.0.2 2001:db8:ff::1; do
  expect "a sender on a gets an error at once: $target is unreachable" fails_at_once "$PRIV_A" "$target"
  expect "and so does a host behind a" fails_at_once "$HOST" "$target"
done
link_b --mtu 1400
wait_up a
wait_up b
routes_of_b
for target in 10.255.0.2 2001:db8:ff::1; do
  expect "after a restart of b the host reaches $target" in_ns "$HOST" ping -c 1 -W "$DEADLINE_S" "$target"
done

# --- a link in the link -------------------------------------------------------------------------

declare -A MIDDLE=([a]=$PRIV_A [b]=$PRIV_B) INNER=([a]=rv$$-inner-a [b]=rv$$-inner-b)
namespace "${INNER[a]}"
namespace "${INNER[b]}"
# inner_end a|b PEER-NAME ADDRESS ADDRESS6 OPTION...
inner_end() {
  local end=$1 peer=$2 address=$3 address6=$4
  shift 4
  mkdir -p "$DIR/inner-$end"
  start "inner-$end" "${MIDDLE[$end]}" "$ROUTEVPN" --peer-name "$peer" --ifname rv0 \
    --netns "${INNER[$end]}" -a "$address" -a "$address6" --cert "$DIR/$end.cert" \
    --key "$DIR/$end.key" --ca "$DIR/ca.cert" --run-dir "$DIR/inner-$end" "$@"
  wait_for has_socket "inner-$end" || fail "the inner link of $end does not start"
}
inner_end b a 10.254.0.2/30 fd00:2::2/64 --listen "$PORT"
inner_end a b 10.254.0.1/30 fd00:2::1/64 --peer 10.255.0.2
wait_up inner-a
wait_up inner-b
# 1400 of the outer link less 20 IPv4 + 8 UDP + 13 record header + 8 nonce + 16 tag = 65.
expect_equal "the MTU of the inner link leaves room for the outer one's record" 1335 \
  "$(show inner-a .mtu)"
for target in 10.254.0.2 fd00:2::2; do
  expect "the inner link carries small packets to $target" \
    in_ns "${INNER[a]}" ping -c 3 -i 0.01 -W "$DEADLINE_S" "$target"
done
expect "and packets of its MTU" in_ns "${INNER[a]}" \
  ping -c 3 -i 0.01 -W "$DEADLINE_S" -M "do" -s $((1335 - 28)) 10.254.0.2
transfer "and 20 MB of TCP" "${INNER[a]}" "${INNER[b]}" 10.254.0.2 --bytes 20000000
stop inner-a || fail "the inner link of a ended with status $?"
stop inner-b || fail "the inner link of b ended with status $?"
stop a || fail "link a ended with status $?"

# --- a route that leads the link's own packets into the link ------------------------------------

mkdir -p "$DIR/a"
start a "$PUB_A" "$ROUTEVPN" --peer 192.0.2.2 --peer-name b --ifname rv0 -a 10.255.0.1/30 \
  --cert "$DIR/a.cert" --key "$DIR/a.key" --ca "$DIR/ca.cert" --run-dir "$DIR/a"
wait_up a
cpu_ticks() { awk '{ print $14 + $15 }' "/proc/${PID[a]}/stat"; }
before=$(show a .tx.packets)
ticks=$(cpu_ticks)
ip -n "$PUB_A" route add 192.0.2.2/32 dev rv0
expect_not "with the route to its peer through itself the link carries nothing" \
  in_ns "$PUB_A" ping -c 100 -i 0.01 -W 1 10.255.0.2
ticks=$(($(cpu_ticks) - ticks))
((ticks < 50)) || fail "$ticks ticks of processor time for 100 pings"
ok "and does not spin: $ticks ticks of processor time for 100 pings"
rounds=$((($(show a .tx.packets) - before) / 100))
((rounds <= 1)) || fail "each ping went through the link $rounds times"
own=$(show a .drops.inside_own_datagram)
((own >= 100)) || fail "$own datagrams of its own were dropped, of 100"
ok "each ping went through the link once, and its datagram was dropped and counted"
ip -n "$PUB_A" route delete 192.0.2.2/32 dev rv0
answers() { in_ns "$PUB_A" ping -c 1 -W 1 10.255.0.2; }
expect "without that route it works again" wait_for answers
stop_links

# --- namespaces that are deleted ----------------------------------------------------------------

deletions() { grep -c "the network namespace was deleted netns=$2" "$DIR/$1.log"; }

two_links
ip netns delete "$PRIV_A"
expect_end "its private namespace was deleted: a ends with status 1" a 1
expect_equal "and logs the reason once" 1 "$(deletions a "$PRIV_A")"
is_closed() { [[ $(show b '"\(.carrier) \(.reason)"') == "false peer_closed" ]]; }
expect "the peer has got its close_notify" wait_for is_closed
stop b || fail "link b ended with status $?"

# The kernel keeps a namespace without a name as long as a process runs in it.
ip netns add "$PRIV_A"
two_links
ip netns delete "$PUB_B"
ip netns add "$PUB_B"
expect "the name of the namespace of b was deleted: b still serves the link" \
  in_ns "$PRIV_A" ping -c 3 -i 0.01 -W "$DEADLINE_S" 10.255.0.2
stop_links
