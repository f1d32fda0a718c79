#!/usr/bin/env bash
# Packets of every size, fragments and ICMP errors through a link.
#
#   PRIV_A --- link --- PRIV_B --- mtu 1300 --- BEHIND
#   10.255.0.1     10.255.0.2  10.0.9.1      10.0.9.2
#   2001:db8:ff::         ::1  2001:db8:9::1      ::2
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

HERE=$(dirname "${BASH_SOURCE[0]}")
BEHIND=rv$$-behind

dropped_nothing() {
  local end
  for end in a b; do
    expect_equal "end $end dropped nothing" '{}' "$(show $end '.drops | tostring')"
  done
}

for suite in ECDHE-ECDSA-{AES128-GCM-SHA256,CHACHA20-POLY1305}; do
  two_links --ciphers "$suite"
  ok "cipher $(show a .cipher), mtu $(show a .mtu)"
  python3 "$HERE/sizes.py" "$ROUTEVPN" "$PRIV_A" "$DIR/a" "$PRIV_B" "$DIR/b" "$(show a .mtu)"
  dropped_nothing
  stop_links
done

# After sizes.py, which counts every packet: a router sends MLD on the link.
namespace "$BEHIND"
wire "$PRIV_B" behind "$BEHIND" eth0
ip -n "$PRIV_B" link set behind mtu 1300
ip -n "$BEHIND" link set eth0 mtu 1300
ip -n "$PRIV_B" address add 10.0.9.1/24 dev behind
ip -n "$PRIV_B" address add 2001:db8:9::1/64 dev behind nodad
ip -n "$BEHIND" address add 10.0.9.2/24 dev eth0
ip -n "$BEHIND" address add 2001:db8:9::2/64 dev eth0 nodad
ip -n "$BEHIND" route add default via 10.0.9.1
ip -n "$BEHIND" route add default via 2001:db8:9::1
in_ns "$PRIV_B" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1

two_links
ip -n "$PRIV_A" route add 10.0.9.0/24 dev rv0
ip -n "$PRIV_A" route add 2001:db8:9::/64 dev rv0
python3 "$HERE/icmp_errors.py" "$PRIV_A" "$PRIV_B" "$BEHIND"
dropped_nothing
