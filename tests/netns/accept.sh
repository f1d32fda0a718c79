#!/usr/bin/env bash
# --accept: the peer's key may be stolen. Packets that the peer sends in the name of another site are
# dropped and counted. SIGHUP makes a running link read the accept lines of its configuration file again.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=small_path.sh
source "$(dirname "${BASH_SOURCE[0]}")/small_path.sh"

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

# A router behind a sends ICMP errors from addresses that b does not accept. The error is about a packet to
# site 1, so it passes, and b learns the path MTU.
behind=rv$$-behind
namespace "$behind"
small_path_behind_a "$behind"
link_b --accept 10.1.0.0/16 --accept 2001:db8:a1::/64
wait_for has_socket b || fail "link b did not start"
link_a
wait_up a
wait_up b
errors_from_elsewhere
expect_small_path
expect_equal "b has refused no error" 0 "$(refused)"
ip -n "$PRIV_B" route replace 10.2.0.0/16 dev rv0
ip -n "$behind" address add 10.2.9.2/24 dev eth0
ip -n "$PRIV_A" route add 10.2.9.0/24 dev behind
expect_not "an error about a packet to site 2 is refused" finds_path 10.2.9.2
expect_equal "b counts it" true "$( (($(refused) > 0)) && echo true)"
stop_links

# rv0.conf has the name of the interface, because show looks for the socket of rv0.
conf=$DIR/rv0.conf
configure() { printf '%s\n' "$@" >"$conf"; }
reload_b() { kill -HUP "${PID[b]}"; }
log_has() { grep -q "$1" "$DIR/b.log"; }
read_at() { date -d "$(show b .settings_read)" +%s; }
second_has_passed() { (($(date +%s) > $(read_at))); }
configure 'accept = 10.1.0.0/16'
link_b --config "$conf"
wait_for has_socket b || fail "link b did not start"
link_a
wait_up a
wait_up b
two_sites
expect "the accept line of a file has effect" from 10.1.0.1 10.255.0.2
expect_not "site 2 is refused" from 10.2.0.1 10.255.0.2
flaps=$(show b .flaps)
wait_for second_has_passed || fail "settings_read is $(show b .settings_read)"
began=$(read_at)
configure 'accept = 10.2.0.0/16'
reload_b
expect "site 2 is accepted after a reload" wait_for from 10.2.0.1 10.255.0.2
expect_not "site 1 is refused" from 10.1.0.1 10.255.0.2
expect "the interconnect is still accepted" from 10.255.0.1 10.255.0.2
reloaded=$(read_at)
expect_equal "the time of the settings is that of the reload" true "$( ((reloaded > began)) && echo true)"
wait_for second_has_passed || fail "settings_read is $(show b .settings_read)"
configure 'accept = 10.1.0.0/16' 'accept = 10.0.0.0/33'
reload_b
expect "a fault in the file is in the log" wait_for log_has 'old --accept prefixes .*rv0.conf:2: accept'
expect "the old prefixes stay in force" from 10.2.0.1 10.255.0.2
expect_not "none of the faulty file is used" from 10.1.0.1 10.255.0.2
configure 'keepalive = 900'
reload_b
expect "without accept lines every source is accepted" wait_for from 10.1.0.1 10.255.0.2
expect "a change that needs a restart is in the log" wait_for log_has 'other changes'
expect_equal "neither of these two files is taken whole" "$reloaded" "$(read_at)"
expect_equal "the carrier has not changed" "$flaps true" "$(show b '"\(.flaps) \(.carrier)"')"
stop_links
