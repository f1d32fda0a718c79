#!/usr/bin/env bash
# Each end changes its endpoint while the link stays up: another address, another uplink, another IP
# version, another port of a NAT. The other end follows the first packet from the new endpoint.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

HERE=$(dirname "${BASH_SOURCE[0]}")
TIMES=(--keepalive 200 --dead-after 10000)
NAT=rv$$-nat RELAY_PORT=9000

# ends PEER [OPTION...]: starts both ends and waits until they are up. b listens on all its addresses.
ends() {
  local peer=$1
  shift
  mkdir -p "$DIR/a" "$DIR/b"
  start b "$PUB_B" "$ROUTEVPN" --listen "$PORT" --peer-name a --ifname rv0 --netns "$PRIV_B" \
    -a 10.255.0.2/30 -a 2001:db8:ff::1/127 --cert "$DIR/b.cert" --key "$DIR/b.key" \
    --ca "$DIR/ca.cert" --run-dir "$DIR/b" "${TIMES[@]}" "$@"
  wait_for has_socket b || fail "link b did not start"
  start a "$PUB_A" "$ROUTEVPN" --peer "$peer" --peer-name b --ifname rv0 --netns "$PRIV_A" \
    -a 10.255.0.1/30 -a 2001:db8:ff::/127 --cert "$DIR/a.cert" --key "$DIR/a.key" \
    --ca "$DIR/ca.cert" --run-dir "$DIR/a" "${TIMES[@]}" "$@"
  wait_up a
  wait_up b
}

from_a() { in_ns "$PRIV_A" ping -c 1 -W "$DEADLINE_S" 10.255.0.2; }
from_b() { in_ns "$PRIV_B" ping -c 1 -W "$DEADLINE_S" 10.255.0.1; }

# remote a|b: the address of the endpoint of its peer, without the port.
remote() { show "$1" '.remote | sub(":[0-9]+$"; "")'; }
is_remote() { [[ $(remote "$1") == "$2" ]]; }

# expect_roams A B: the number of roams that each end has followed. Neither end lost its carrier.
expect_roams() {
  expect_equal "a followed $1 roams, b $2, and both stayed up" "$1 up 0, $2 up 0" \
    "$(show a '"\(.roams) \(.state) \(.flaps)"'), $(show b '"\(.roams) \(.state) \(.flaps)"')"
}

# move NETNS IFNAME FROM TO LENGTH: replaces an address.
move() {
  local nodad=()
  [[ $4 != *:* ]] || nodad=(nodad)
  ip -n "$1" address add "$4/$5" dev "$2" "${nodad[@]}"
  ip -n "$1" address delete "$3/$5" dev "$2"
}

# --- other addresses ----------------------------------------------------------------------------

for space in "$PUB_A" "$PUB_B"; do
  in_ns "$space" sysctl -qw net.ipv4.conf.all.promote_secondaries=1
done

# addresses_move PEER A1 A2 B1 B2 LENGTH: a changes from A1 to A2 and back, b from B1 to B2 and back.
addresses_move() {
  local peer=$1 a1=$2 a2=$3 b1=$4 b2=$5 length=$6 open='' close=''
  [[ $a1 != *:* ]] || open='[' close=']'
  ends "$peer"
  move "$PUB_A" eth0 "$a1" "$a2" "$length"
  expect "a changes from $a1 to $a2: its next packet is answered" from_a
  expect "b has the new endpoint of a" wait_for is_remote b "$open$a2$close"
  expect_equal "a has its new local address" "$open$a2$close" "$(show a '.local | sub(":[0-9]+$"; "")')"
  move "$PUB_B" eth0 "$b1" "$b2" "$length"
  expect "b changes from $b1 to $b2: its next packet is answered" from_b
  expect "a has the new endpoint of b" wait_for is_remote a "$open$b2$close"
  expect_roams 1 1
  move "$PUB_B" eth0 "$b2" "$b1" "$length"
  expect "b changes back to $b1 and sends only keepalives: a follows" \
    wait_for is_remote a "$open$b1$close"
  move "$PUB_A" eth0 "$a2" "$a1" "$length"
  expect "a changes back to $a1 and sends only keepalives: b follows" \
    wait_for is_remote b "$open$a1$close"
  expect_roams 2 2
  stop_links
}
addresses_move 192.0.2.2 192.0.2.1 192.0.2.9 192.0.2.2 192.0.2.8 24
addresses_move '[2001:db8::2]' 2001:db8::1 2001:db8::9 2001:db8::2 2001:db8::8 64

# --- several addresses at once ------------------------------------------------------------------

# b has two addresses. It replies from the address that a sends to, not from the one its routes prefer.
ip -n "$PUB_B" address add 192.0.2.22/24 dev eth0
ends 192.0.2.22
expect "a packet from b" from_b
expect_equal "b replies from the address that a sends to" 192.0.2.22 "$(remote a)"
ip -n "$PUB_B" address delete 192.0.2.22/24 dev eth0
expect "that address is removed: b sends from its other one" from_b
expect "and a follows" wait_for is_remote a 192.0.2.2
expect_roams 1 0
stop_links

# a has two uplinks. It sends by the uplink of its route, from the address of that uplink, although the
# other is still there.
wire "$PUB_A" eth1 "$PUB_B" eth1
ip -n "$PUB_A" address add 203.0.113.1/24 dev eth1
ip -n "$PUB_B" address add 203.0.113.2/24 dev eth1
ip -n "$PUB_B" address add 198.51.100.7/32 dev lo
ip -n "$PUB_A" route add default via 192.0.2.2
ends 198.51.100.7
expect_equal "a sends by its first uplink" 192.0.2.1 "$(remote b)"
ip -n "$PUB_A" route replace default via 203.0.113.2
expect "a gets a route by another uplink: its next packet is answered" from_a
expect "from the address of that uplink" wait_for is_remote b 203.0.113.1
expect_roams 0 1
stop_links

# --- the other IP version -----------------------------------------------------------------------

start relay "$PUB_A" python3 "$HERE/relay.py" "$PUB_A" "$RELAY_PORT" 192.0.2.2 2001:db8::2 "$PORT"
relay_prints() { [[ $(tail -n 1 "$DIR/relay.log") == "$1" ]]; }
wait_for relay_prints ready || fail "the relay does not run"

# relay_changes near|far 0|1
relay_changes() {
  local -A signal=([far]=USR1 [near]=USR2)
  kill "-${signal[$1]}" "${PID[relay]}"
  wait_for relay_prints "$1 $2" || fail "the relay does not change"
}

ends "127.0.0.1:$RELAY_PORT"
expect_equal "through a relay, b has the address of the relay" 192.0.2.1 "$(remote b)"
relay_changes far 1
expect "the relay sends by IPv6: the next packet from a is answered" from_a
expect "b follows" wait_for is_remote b "[2001:db8::1]"
relay_changes near 1
expect "the relay replies by IPv6: a packet from b is answered" from_b
expect "a followed" wait_for is_remote a "[::1]"
expect_roams 1 1
relay_changes far 0
relay_changes near 0
expect "both change back to IPv4: a packet from a is answered" from_a
expect "b follows" wait_for is_remote b 192.0.2.1
expect "a followed" wait_for is_remote a 127.0.0.1
expect_roams 2 2
stop_links
stop relay || true

# --- a NAT whose mapping expires ----------------------------------------------------------------

make_router "$NAT" 10.77.0.1 10.77.0.2 192.0.2.50 192.0.2.2
in_ns "$NAT" nft -f - <<'END'
table ip nat {
  chain leaving {
    type nat hook postrouting priority srcnat;
    oifname "b0" masquerade fully-random
  }
}
END
in_ns "$NAT" sysctl -qw net.netfilter.nf_conntrack_udp_timeout=2 \
  net.netfilter.nf_conntrack_udp_timeout_stream=2
# Waits for the two seconds of the mapping and 0.5 s more.
timeout_passes() {
  local began
  began=$(now_cs)
  passed() { (($(now_cs) - began > 250)); }
  wait_for passed
}

ends 192.0.2.2
expect_equal "behind a NAT, b has the address of the NAT" 192.0.2.50 "$(remote b)"
timeout_passes
expect "keepalives keep the NAT's mapping of 2 s: a packet from b is answered" from_b
expect_roams 0 0
stop_links

TIMES=(--keepalive 30000 --dead-after 60000)
ends 192.0.2.2
before=$(show b .remote)
has_another_port() { [[ $(show b .remote) != "$before" ]]; }
# A probe of the path MTU may have kept the mapping, and b follows one round trip after the answer.
gets_another_port() {
  has_another_port && return
  timeout_passes
  from_a || fail "a packet from a is not answered"
  has_another_port
}
expect "without keepalives the mapping expires: a packet from a makes another one, and is answered" \
  wait_for gets_another_port
expect_equal "b has the address of the NAT" 192.0.2.50 "$(remote b)"
expect "packets from b go to the new port" from_b
expect_roams 0 1
stop_links
