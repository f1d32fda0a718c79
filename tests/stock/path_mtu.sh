#!/usr/bin/env bash
# The middle of the outside path has an MTU of 1400, and then 1350 without ICMP. The MTU of the interface follows.
#
#   PUB_A ---- R1 ==== R2 ---- PUB_B      ====: MTU 1500, 1400 or 1350
#   192.0.2.1  .0      .3      .2
# shellcheck source-path=SCRIPTDIR source=../netns/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../netns/lib.sh"

R1=rv$$-r1 R2=rv$$-r2
readonly OVERHEAD=65 # IPv4 and AES-GCM

make_path() {
  namespace "$R1"
  namespace "$R2"
  ip -n "$PUB_A" link delete eth0
  wire "$PUB_A" eth0 "$R1" edge
  wire "$R1" mid "$R2" mid
  wire "$R2" edge "$PUB_B" eth0
  in_ns "$R1" sysctl -qw net.ipv4.ip_forward=1
  in_ns "$R2" sysctl -qw net.ipv4.ip_forward=1
  ip -n "$PUB_A" address add 192.0.2.1/31 dev eth0
  ip -n "$R1" address add 192.0.2.0/31 dev edge
  ip -n "$R1" address add 198.51.100.0/31 dev mid
  ip -n "$R2" address add 198.51.100.1/31 dev mid
  ip -n "$R2" address add 192.0.2.3/31 dev edge
  ip -n "$PUB_B" address add 192.0.2.2/31 dev eth0
  ip -n "$PUB_A" route add default via 192.0.2.0
  ip -n "$R1" route add default via 198.51.100.1
  ip -n "$R2" route add default via 198.51.100.0
  ip -n "$PUB_B" route add default via 192.0.2.3
}

path_has() { # MTU
  ip -n "$R1" link set mid mtu "$1"
  ip -n "$R2" link set mid mtu "$1"
}

no_icmp() {
  local router
  for router in "$R1" "$R2"; do
    in_ns "$router" nft 'table ip filter { chain output {
      type filter hook output priority 0; icmp type destination-unreachable drop; }; }'
  done
}

# Both ends, in show and in the kernel.
mtu_is() { # PATH-MTU
  local end space
  for end in a b; do
    [[ $(show $end '"\(.path_mtu) \(.mtu)"') == "$1 $(($1 - OVERHEAD))" ]] || return 1
  done
  for space in "$PRIV_A" "$PRIV_B"; do
    [[ $(ip -n "$space" -j link show rv0 | jq '.[0].mtu') == $(($1 - OVERHEAD)) ]] || return 1
  done
}

# A packet of the MTU passes, in both directions. The interface refuses a packet that is a byte larger.
expect_size() { # MTU
  expect "a packet of $1 bytes passes" \
    in_ns "$PRIV_A" ping -q -c 3 -i 0.05 -W "$DEADLINE_S" -M "do" -s $(($1 - 28)) 10.255.0.2
  expect_not "the interface refuses $(($1 + 1)) bytes" \
    in_ns "$PRIV_A" ping -q -c 1 -W 1 -M "do" -s $(($1 + 1 - 28)) 10.255.0.2
}

# changes_to TEXT PATH-MTU: packets of the old MTU flow while the path changes.
changes_to() {
  local began old
  old=$(show a .mtu)
  start pings "$PRIV_A" ping -q -i 0.1 -M "dont" -s $((old - 28)) 10.255.0.2
  path_has "$2"
  began=$(now_cs)
  wait_for mtu_is "$2" || fail "$1: $(show a '"\(.path_mtu) \(.mtu)"'), $(show b '"\(.path_mtu) \(.mtu)"')"
  ok "$1 to $2: both interfaces follow to $(($2 - OVERHEAD))"
  echo "# after $((($(now_cs) - began) * 10)) ms"
  stop pings || true
  expect_size $(($2 - OVERHEAD))
}

make_path
two_links --ciphers ECDHE-ECDSA-AES128-GCM-SHA256
wait_for mtu_is 1500 || fail "no path MTU of 1500: $(show a .path_mtu)"
expect_size $((1500 - OVERHEAD))
changes_to "the path MTU falls, with ICMP," 1400
no_icmp
changes_to "the path MTU falls, without ICMP," 1350
for end in a b; do
  expect_equal "$end: no flap" "up 0" "$(show $end '"\(.state) \(.flaps)"')"
done
stop_links
