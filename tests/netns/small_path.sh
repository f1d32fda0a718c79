# shellcheck shell=bash
# A router behind the peer with a smaller MTU. lib.sh comes first.
#
#   PRIV_B --- link --- PRIV_A --- mtu 1300 --- BEHIND
#                          10.1.9.1        10.1.9.2, 2001:db8:a1:0:9::2

# small_path_behind_a BEHIND: makes the network behind PRIV_A.
small_path_behind_a() {
  wire "$PRIV_A" behind "$1" eth0
  ip -n "$PRIV_A" link set behind mtu 1300
  ip -n "$1" link set eth0 mtu 1300
  ip -n "$PRIV_A" address add 10.1.9.1/24 dev behind
  ip -n "$PRIV_A" address add 2001:db8:a1:0:9::1/80 dev behind nodad
  ip -n "$1" address add 10.1.9.2/24 dev eth0
  ip -n "$1" address add 2001:db8:a1:0:9::2/80 dev eth0 nodad
  ip -n "$1" route add default via 10.1.9.1
  ip -n "$1" route add default via 2001:db8:a1:0:9::1
  ip -n "$PRIV_A" address add 172.31.0.1/32 dev lo
  ip -n "$PRIV_A" address add 2001:db8:bad::1/128 dev lo nodad
  in_ns "$PRIV_A" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
}

# Routes of both ends. PRIV_A sends its ICMP errors from 172.31.0.1 and 2001:db8:bad::1.
errors_from_elsewhere() {
  ip -n "$PRIV_A" route replace 10.255.0.0/30 dev rv0 src 172.31.0.1
  ip -n "$PRIV_A" route replace 2001:db8:ff::/127 dev rv0 src 2001:db8:bad::1
  ip -n "$PRIV_B" route replace 10.1.0.0/16 dev rv0
  ip -n "$PRIV_B" route replace 2001:db8:a1::/64 dev rv0
}

# finds_path ADDRESS: PRIV_B sends packets of 1350 bytes, and then knows a path MTU of 1300.
finds_path() {
  in_ns "$PRIV_B" ping -c 2 -i 0.2 -W 1 -M 'do' -s 1302 "$1" >"$DIR/finds_path.out" 2>&1 || true
  ip -n "$PRIV_B" route get "$1" | grep 'mtu 1300' >"$DIR/finds_path.out"
}

expect_small_path() {
  expect "b knows the path MTU from an error of another address, IPv4" finds_path 10.1.9.2
  expect "b knows the path MTU, IPv6" finds_path 2001:db8:a1:0:9::2
}
