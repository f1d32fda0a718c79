#!/usr/bin/env bash
# --accept: the peer's key may be stolen. Packets that the peer sends in the name of another site are
# dropped and counted.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

refused() { show b '.drops.payload_source_refused // 0'; }

# from SOURCE DESTINATION: pings of a.
from() { in_ns "$PRIV_A" ping -c 3 -i 0.2 -W 1 -I "$1" "$2"; }

# Site 1, behind a, is 10.1.0.0/16 and 2001:db8:a1::/64. Site 2 is 10.2.0.0/16 and 2001:db8:a2::/64.
two_sites() {
  local address
  for address in 10.1.0.1/32 10.2.0.1/32 2001:db8:a1::1/128 2001:db8:a2::1/128; do
    ip -n "$PRIV_A" address replace "$address" dev lo
  done
  ip -n "$PRIV_B" route replace 10.0.0.0/8 dev rv0
  ip -n "$PRIV_B" route replace 2001:db8:a1::/64 dev rv0
  ip -n "$PRIV_B" route replace 2001:db8:a2::/64 dev rv0
}

link_b --accept 10.1.0.0/16 --accept 2001:db8:a1::/64
wait_for has_socket b || fail "link b did not start"
link_a
wait_up a
wait_up b
two_sites
expect_equal "b has refused nothing" 0 "$(refused)"
expect "the interconnect is accepted, IPv4" from 10.255.0.1 10.255.0.2
expect "the interconnect is accepted, IPv6" from 2001:db8:ff:: 2001:db8:ff::1
expect "site 1 is accepted, IPv4" from 10.1.0.1 10.255.0.2
expect "site 1 is accepted, IPv6" from 2001:db8:a1::1 2001:db8:ff::1
before=$(refused)
expect_not "a does not speak as site 2, IPv4" from 10.2.0.1 10.255.0.2
expect_equal "b counts each packet" $((before + 3)) "$(refused)"
expect_not "a does not speak as site 2, IPv6" from 2001:db8:a2::1 2001:db8:ff::1
expect_equal "b counts each packet" $((before + 6)) "$(refused)"
stop_links

# shellcheck disable=SC2119 # without options
two_links
two_sites
expect "without --accept every source is accepted" from 10.2.0.1 10.255.0.2
expect_equal "and none is refused" 0 "$(refused)"
stop_links
