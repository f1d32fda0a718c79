#!/usr/bin/env bash
# --accept routed: b accepts a source that its routing table sends through the link, also by an ECMP
# route over two links, and refuses and counts the others.
#
#   PRIV_A                                               PRIV_B
#   rv0 10.255.0.1/30 ........ link ........ 10.255.0.2/30 rv0    other --- (veth)
#   rv1 10.255.1.1/30 .... second link ..... 10.255.1.2/30 rv1
#   lo: sources of sites 1 to 3
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=small_path.sh
source "$(dirname "${BASH_SOURCE[0]}")/small_path.sh"

# The ends of the second link.
second_a() {
  start a1 "$PUB_A" "$ROUTEVPN" --peer "192.0.2.2:$((PORT + 1))" --peer-name b --ifname rv1 \
    --netns "$PRIV_A" -a 10.255.1.1/30 -a 2001:db8:fe::/127 --cert "$DIR/a.cert" --key "$DIR/a.key" \
    --ca "$DIR/ca.cert" --run-dir "$DIR/a1"
}
second_b() {
  start b1 "$PUB_B" "$ROUTEVPN" --listen "192.0.2.2:$((PORT + 1))" --peer-name a --ifname rv1 \
    --netns "$PRIV_B" -a 10.255.1.2/30 -a 2001:db8:fe::1/127 --cert "$DIR/b.cert" --key "$DIR/b.key" \
    --ca "$DIR/ca.cert" --run-dir "$DIR/b1" --accept routed --accept 2001:db8:a3::/64
}
second_is_up() {
  "$ROUTEVPN" show --run-dir "$DIR/$1" --wait up --timeout "$DEADLINE_S" >"$DIR/wait_up.out" 2>&1
}

# from SOURCE DESTINATION: three pings of a.
from() { in_ns "$PRIV_A" ping -c 3 -i 0.05 -W 1 -I "$1" "$2"; }
# Echo requests that came to PRIV_B behind the check, since the last call.
seen() {
  in_ns "$PRIV_B" nft -j reset counter inet watch seen | jq '.nftables[] | .counter? // empty | .packets'
}
# What the kernel has refused of the first link.
refused() {
  in_ns "$PRIV_B" nft -j list counter inet routevpn-rv0 refused_sources |
    jq '.nftables[] | .counter? // empty | .packets'
}
# refuses TEXT SOURCE DESTINATION: b refuses three pings, and counts them.
refuses() {
  local before
  before=$(refused)
  seen >"$DIR/seen.out"
  expect_not "$1" from "$2" "$3"
  expect_equal "b has dropped each ping" "0 $((before + 3))" "$(seen) $(refused)"
}
tables() { in_ns "$PRIV_B" nft list tables | grep routevpn; }
no_tables() { ! tables; }
log_has() { grep -q "$1" "$DIR/b.log"; }

in_ns "$PRIV_B" nft -f - <<'END'
table inet watch {
  counter seen { }
  chain behind {
    type filter hook prerouting priority -250;
    iifname "rv*" icmp type echo-request counter name seen
    iifname "rv*" icmpv6 type echo-request counter name seen
  }
}
END
ip -n "$PRIV_B" link add other type veth peer name far
for name in other far; do ip -n "$PRIV_B" link set "$name" up; done
in_ns "$PRIV_B" sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
for number in 1 2 3 4 5 6; do
  for site in 1 2 3; do
    ip -n "$PRIV_A" address add "10.$site.0.$number/32" dev lo
    ip -n "$PRIV_A" address add "2001:db8:a$site::$number/128" dev lo nodad
  done
done

# rv0.conf has the name of the interface, because show looks for the socket of rv0.
conf=$DIR/rv0.conf
printf '%s\n' 'accept = routed' 'accept = 2001:db8:a3::/64' >"$conf"
link_b --config "$conf"
wait_for has_socket b || fail "link b did not start"
link_a
mkdir "$DIR/a1" "$DIR/b1"
second_b
wait_for test -S "$DIR/b1/rv1.sock" || fail "the second link did not start"
second_a
wait_up a
wait_up b
expect "the second link is up" second_is_up b1
expect_equal "each link has a table" 2 "$(tables | wc -l)"

# Routes -------------------------------------------------------------------------------------------
expect "the interconnect is accepted, IPv4" from 10.255.0.1 10.255.0.2
expect "the interconnect is accepted, IPv6" from 2001:db8:ff:: 2001:db8:ff::1
ip -n "$PRIV_B" route add 10.1.0.0/16 dev rv0
ip -n "$PRIV_B" route add 2001:db8:a1::/64 dev rv0
expect "site 1, which has a route through the link, is accepted, IPv4" from 10.1.0.1 10.255.0.2
expect "site 1 is accepted, IPv6" from 2001:db8:a1::1 2001:db8:ff::1
expect_equal "b has refused nothing" 0 "$(refused)"
refuses "site 2, which has no route, is refused, IPv4" 10.2.0.1 10.255.0.2
refuses "site 2 is refused, IPv6" 2001:db8:a2::1 2001:db8:ff::1
ip -n "$PRIV_B" route replace 10.1.0.0/16 dev other
ip -n "$PRIV_B" route replace 2001:db8:a1::/64 dev other
refuses "site 1 is refused once its route leads elsewhere, IPv4" 10.1.0.1 10.255.0.2
refuses "site 1 is refused, IPv6" 2001:db8:a1::1 2001:db8:ff::1
ip -n "$PRIV_B" route replace 10.1.0.0/16 dev rv0
expect "site 1 is accepted again with its route" from 10.1.0.1 10.255.0.2

# ICMP errors --------------------------------------------------------------------------------------
behind=rv$$-behind
namespace "$behind"
before=$(refused)
small_path_behind_a "$behind"
errors_from_elsewhere
ip -n "$PRIV_B" route replace 2001:db8:a1::/64 dev rv0
expect_small_path
expect_equal "b has refused no error" "$before" "$(refused)"

# The count ----------------------------------------------------------------------------------------
expect_equal "the kernel has counted 12 packets" 12 "$(refused)"
kill -KILL "$(show b .pid)"
is_next_worker() { [[ $(show b .worker_starts) == 2 ]]; }
expect "the worker is replaced" wait_for is_next_worker
expect_equal "the next worker shows the count of the kernel, also in the sum of rx" "12 true" \
  "$(show b '"\(.drops.payload_source_refused) \(.rx.drops + .tx.drops == ([.drops[]] | add))"')"
wait_up b
wait_up a
refuses "the check goes on" 10.2.0.1 10.255.0.2
expect "show has the new count within 10 s" wait_for drops_are b payload_source_refused 15

# ECMP ---------------------------------------------------------------------------------------------
ip -n "$PRIV_B" route replace 10.1.0.0/16 nexthop dev rv0 nexthop dev rv1
ip -n "$PRIV_B" route add 2001:db8:a3::/64 nexthop via 2001:db8:ff:: nexthop via 2001:db8:fe::
seen >"$DIR/seen.out"
for number in 1 2 3 4 5 6; do
  for own in 10.255.0.2 10.255.1.2; do
    expect "10.1.0.$number, with an ECMP route, is accepted by the link of $own" \
      from "10.1.0.$number" "$own"
  done
  for own in 2001:db8:ff::1 2001:db8:fe::1; do
    expect "2001:db8:a3::$number, with a prefix beside routed, is accepted by the link of $own" \
      from "2001:db8:a3::$number" "$own"
  done
done
expect_equal "no ping was dropped" 72 "$(seen)"

# Reload and end -----------------------------------------------------------------------------------
printf '%s\n' 'accept = routed' 'accept = 10.2.0.0/16' >"$conf"
kill -HUP "${PID[b]}"
expect "prefixes beside routed need a restart" wait_for log_has 'need a restart of the link'
refuses "the old prefixes stay in force" 10.2.0.1 10.255.0.2
stop b KILL || true
only_the_other() { [[ $(tables) == *routevpn-rv1* && $(tables | wc -l) == 1 ]]; }
expect "after a kill -9 of the monitor its table is gone" wait_for only_the_other
kill -KILL "$(ps -o pid=,comm= --ppid "${PID[b1]}" | awk '$2 == "routevpn-guard" { print $1 }')"
expect_end "a link without its guardian ends" b1 1
expect "its worker is killed, because it would pass every source while it stops" \
  grep -q 'the worker has died during the stop' "$DIR/b1.log"
expect "no table is left" wait_for no_tables
for name in a a1; do stop "$name" || fail "link $name ended with status $?"; done
