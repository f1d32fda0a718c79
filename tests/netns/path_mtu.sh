#!/usr/bin/env bash
# The path MTU falls under a TCP flow and rises again, with ICMP and with a firewall that drops ICMP. The
# flow goes on, path_mtu and the MTU of the interface follow, and packets up to that MTU pass.
#
#   PUB_A ---- R1 ==== R2 ---- PUB_B      ====: MTU 1500, 1400 or 1280
#   192.0.2.1  .0      .3      .2
#   2001:db8::1 ::     ::3     ::2
#
# Packets in the queues of the routers at the moment of a change can be lost. TCP retransmits them.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

R1=rv$$-r1 R2=rv$$-r2
declare -A OVERHEAD=([4]=65 [6]=85) # AES-GCM

make_path() {
  namespace "$R1"
  namespace "$R2"
  ip -n "$PUB_A" link delete eth0
  wire "$PUB_A" eth0 "$R1" edge
  wire "$R1" mid "$R2" mid
  wire "$R2" edge "$PUB_B" eth0
  in_ns "$R1" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
  in_ns "$R2" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
  address "$PUB_A" eth0 192.0.2.1/31 2001:db8::1/127
  address "$R1" edge 192.0.2.0/31 2001:db8::/127
  address "$R1" mid 198.51.100.0/31 2001:db8:1::/127
  address "$R2" mid 198.51.100.1/31 2001:db8:1::1/127
  address "$R2" edge 192.0.2.3/31 2001:db8::3/127
  address "$PUB_B" eth0 192.0.2.2/31 2001:db8::2/127
  default_route "$PUB_A" 192.0.2.0 2001:db8::
  default_route "$R1" 198.51.100.1 2001:db8:1::1
  default_route "$R2" 198.51.100.0 2001:db8:1::
  default_route "$PUB_B" 192.0.2.3 2001:db8::3
}

address() { # address NETNS IFNAME IPV4 IPV6
  ip -n "$1" address add "$3" dev "$2"
  ip -n "$1" address add "$4" dev "$2" nodad
}

default_route() { # default_route NETNS IPV4 IPV6
  ip -n "$1" route add default via "$2"
  ip -n "$1" route add default via "$3"
}

path_has() { # path_has MTU
  ip -n "$R1" link set mid mtu "$1"
  ip -n "$R2" link set mid mtu "$1"
}

# ICMP errors about packet sizes are dropped by the routers, or pass.
icmp() { # icmp drop|accept
  local router
  for router in "$R1" "$R2"; do
    in_ns "$router" nft -f - <<RULES
table inet filter
delete table inet filter
table inet filter {
  chain output {
    type filter hook output priority 0;
    icmp type destination-unreachable counter $1
    icmpv6 type packet-too-big counter $1
  }
}
RULES
  done
}

mtu_is() { # mtu_is PATH-MTU INTERFACE-MTU
  local end
  for end in a b; do
    [[ $(show $end '"\(.path_mtu) \(.mtu)"') == "$1 $2" ]] || return 1
  done
}

interface_has() { # interface_has MTU
  local space
  for space in "$PRIV_A" "$PRIV_B"; do
    [[ $(ip -n "$space" -json link show rv0 | jq '.[0].mtu') == "$1" ]] || return 1
  done
}

# A ping of the size of the MTU is answered. The interface refuses a packet that is a byte larger.
expect_size() { # expect_size MTU TARGET HEADERS
  expect "ping with $1 bytes to $2" \
    in_ns "$PRIV_A" ping -q -c 3 -i 0.01 -W "$DEADLINE_S" -M "do" -s $(($1 - $3)) "$2"
  expect_not "not with $(($1 + 1))" \
    in_ns "$PRIV_A" ping -q -c 1 -W 1 -M "do" -s $(($1 - $3 + 1)) "$2"
}

received() { show b .rx.bytes; }
has_received() { (($(received) >= $1)); }

# The same flow goes on: iperf3 would end with its connection.
expect_flow() { # expect_flow TEXT
  local wanted
  wanted=$(($(received) + 500000))
  wait_for has_received "$wanted" || fail "$1: the flow has stalled"
  ! gone "${PID[client]}" 2>"$DIR/gone.out" || fail "$1: the flow has ended"
  ok "$1: the flow goes on"
}

# The path has this MTU from now on. Both ends find it long before the next search, which is due after
# ten minutes, and the flow goes on.
changes_to() { # changes_to TEXT MTU INTERFACE-MTU [COMMAND...]
  local text="$1 to $2" mtu=$2 inside=$3 began
  shift 3
  path_has "$mtu"
  began=$(now_cs)
  "$@"
  wait_for mtu_is "$mtu" "$inside" ||
    fail "$text: $(show a '"\(.path_mtu) \(.mtu)"'), $(show b '"\(.path_mtu) \(.mtu)"')"
  ok "$text: found after $((($(now_cs) - began) * 10)) ms"
  interface_has "$inside" || fail "an interface does not have the MTU $inside"
  expect_flow "$text"
}

# A rekey starts a search for a larger MTU. Without it the next search is due after ten minutes.
rekey() { kill -HUP "${PID[a]}"; }

begin_flow() { # begin_flow TEXT
  start server "$PRIV_B" iperf3 -s -1
  wait_for tcp_listens "$PRIV_B" 5201 || fail "iperf3 does not listen"
  start client "$PRIV_A" iperf3 -c 10.255.0.2 -t 1000 -b 20M --bidir
  expect_flow "$1"
}

end_all() {
  stop client || true
  stop server || true
  stop_links
}

stayed_up() {
  local end
  for end in a b; do
    expect_equal "$end, $1: no flap" "up 0" "$(show $end '"\(.state) \(.flaps)"')"
  done
}

make_path
icmp accept
for OUTER in 4 6; do
  over="IPv$OUTER" overhead=${OVERHEAD[$OUTER]}
  largest=$((1500 - overhead))
  two_links --ciphers ECDHE-ECDSA-AES128-GCM-SHA256
  wait_for mtu_is 1500 "$largest" || fail "$over: no path MTU of 1500"
  expect_size "$largest" 10.255.0.2 28
  expect_size "$largest" 2001:db8:ff::1 48
  begin_flow "$over, before"
  expect_equal "so far no packet was fragmented" "0 0" "$(show a .tx.split) $(show b .tx.split)"

  # With IPv6 inside, the MTU of the interface stays at least 1280. Larger packets than the path takes are
  # fragmented.
  changes_to "$over falls, with ICMP," 1280 1280
  expect_size 1280 10.255.0.2 28
  expect_size 1280 2001:db8:ff::1 48
  changes_to "$over rises" 1500 "$largest" rekey
  expect_size "$largest" 10.255.0.2 28

  icmp drop
  changes_to "$over falls, without ICMP," 1280 1280
  expect_size 1280 2001:db8:ff::1 48
  path_has 1500
  icmp accept
  stayed_up "$over"
  end_all
done

# Without IPv6 inside, the MTU of the interface goes below 1280, and no packet is fragmented. An interface
# with --mtu keeps that MTU, and fragments what the path does not take.
link_a() { ipv4_link a "$PUB_A" "$PRIV_A" b 10.255.0.1/30 --peer 192.0.2.2; }
link_b() { ipv4_link b "$PUB_B" "$PRIV_B" a 10.255.0.2/30 --listen "192.0.2.2:$PORT" --mtu 1400; }
ipv4_link() { # ipv4_link NAME PUBLIC PRIVATE PEER ADDRESS OPTION...
  local name=$1 public=$2 private=$3 peer=$4 address=$5
  shift 5
  start "$name" "$public" "$ROUTEVPN" --peer-name "$peer" --ifname rv0 --netns "$private" \
    -a "$address" --cert "$DIR/$name.cert" --key "$DIR/$name.key" --ca "$DIR/ca.cert" \
    --run-dir "$DIR/$name" --ciphers ECDHE-ECDSA-AES128-GCM-SHA256 "$@"
}
ends_are() { [[ "$(show a .mtu) $(show b '"\(.path_mtu) \(.mtu)"')" == "$*" ]]; }
two_links
wait_for ends_are 1435 1500 1400 || fail "IPv4 alone: $(show b '.path_mtu')"
path_has 1280
# These two pings may be lost: they cause the ICMP errors.
in_ns "$PRIV_A" ping -q -c 1 -W 0.2 -M "do" -s $((1435 - 28)) 10.255.0.2 >"$DIR/ping.out" || true
in_ns "$PRIV_B" ping -q -c 1 -W 0.2 -M "do" -s $((1400 - 28)) 10.255.0.1 >"$DIR/ping.out" || true
wait_for ends_are 1215 1280 1400 || fail "IPv4 alone: $(show a .mtu), $(show b '[.path_mtu, .mtu]')"
expect_size 1215 10.255.0.2 28
expect_equal "a fragments no packet" 0 "$(show a .tx.split)"
before=$(show b .tx.split)
expect "b, with a fixed MTU, fragments packets of 1400 bytes" \
  in_ns "$PRIV_B" ping -q -c 3 -i 0.01 -W "$DEADLINE_S" -M "do" -s $((1400 - 28)) 10.255.0.1
expect_equal "and counts them" $((before + 3)) "$(show b .tx.split)"
stop_links
