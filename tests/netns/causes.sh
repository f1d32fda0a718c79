#!/usr/bin/env bash
# A link that is not up names the cause, at each end that can know it, and keeps it until it is up.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

ROUTER=rv$$-router
make_router "$ROUTER" 192.0.2.1 192.0.2.3 198.51.100.3 198.51.100.2
ip -n "$PUB_B" route add default via 198.51.100.3
in_ns "$ROUTER" sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv4.icmp_msgs_per_sec=100000
PEER[4]=198.51.100.2

rule() { # NAMESPACE HOOK VERDICT...
  in_ns "$1" nft -f - <<NFT
add table ip causes
add chain ip causes drops { type filter hook $2 priority 0; }
add rule ip causes drops ip daddr 198.51.100.2 udp dport $PORT ${*:3}
NFT
}
no_rule() { in_ns "$1" nft delete table ip causes; }

has_reason() { [[ $(show "$1" .reason) == "$2" ]]; } # a|b WORD
is_up() { [[ $(show a .state) == up ]]; }

# expect_cause TEXT WORD PATTERN: the reason of a, and its sentence.
expect_cause() {
  expect "$1: $2" wait_for has_reason a "$2"
  expect "  as a sentence" grep -E "$3" <(show a .reason_text)
}

SCHEMA=$(dirname "${BASH_SOURCE[0]}")/../../src/schemas/show.json
fits_schema() { # a|b
  "$ROUTEVPN" show --run-dir "$DIR/$1" --json | python3 -c '
import json, jsonschema, sys
with open(sys.argv[1]) as schema:
    jsonschema.validate(json.load(sys.stdin), json.load(schema))' "$SCHEMA"
}

link_a
wait_for has_socket a || fail "link a did not start"
expect_cause "no link at the peer" port_unreachable 'no link listens.*198\.51\.100\.2'
expect_equal "the expected peer is shown" b "$(show a .expected_peer)"
expect_equal "no loss is shown" null "$(show a .loss)"
expect "the status of a link that is not up fits the schema" fits_schema a
has_failed_twice() { (($(show a '.last_failure.times // 0') >= 2)); }
expect "failures of one kind are counted" wait_for has_failed_twice
# The reason stays during the attempts that follow.
reasons_of_a() {
  local end=$(($(now_cs) + 150))
  while (($(now_cs) < end)); do show a .reason; done | sort -u
}
expect_equal "and the reason stays during the attempts" port_unreachable "$(reasons_of_a)"

rule "$ROUTER" forward drop
expect_cause "a silent firewall" no_answer 'no answer'
no_rule "$ROUTER"
rule "$ROUTER" forward reject with icmp type admin-prohibited
expect_cause "a firewall that answers" prohibited 'firewall refuses.*192\.0\.2\.3'
no_rule "$ROUTER"
rule "$PUB_A" output drop
expect_cause "a firewall of this machine" local_firewall 'EPERM'
expect_equal "with the error of the kernel" EPERM "$(show a .send_error)"
no_rule "$PUB_A"
ip -n "$PUB_A" route delete default
expect_cause "no route" no_route 'no route'
ip -n "$PUB_A" route add default via 192.0.2.3
# The router looks for the host for 3 s. Its report comes after an attempt, which ends after 2 s.
ip -n "$PUB_B" address delete 198.51.100.2/24 dev eth0
ip -n "$ROUTER" neigh flush dev b0
expect_cause "a router whose neighbour does not answer" host_unreachable 'host unreachable.*192\.0\.2\.3'
ip -n "$PUB_B" address add 198.51.100.2/24 dev eth0
ip -n "$PUB_B" route add default via 198.51.100.3

# A certificate that the acceptor refuses: both ends say so.
make_certificates c
mkdir -p "$DIR/b"
start b "$PUB_B" "$ROUTEVPN" --listen "198.51.100.2:$PORT" --peer-name c --ifname rv0 --netns "$PRIV_B" \
  -a 10.255.0.2/30 -a 2001:db8:ff::1/127 --cert "$DIR/b.cert" --key "$DIR/b.key" \
  --ca "$DIR/ca.cert" --run-dir "$DIR/b"
wait_for has_socket b || fail "link b did not start"
expect_cause "a name that the peer does not expect" refused_by_peer 'refused our certificate.*--peer-name'
knows_failure() { [[ $(show b .last_failure.reason) == certificate_refused ]]; }
expect "the acceptor shows that it refused the certificate" wait_for knows_failure
expect "  and why" grep -F 'name is a, not c' <(show b .last_failure.text)
expect_equal "  and waits on" waiting "$(show b .reason)"
stop b || fail "link b ended with status $?"

start b "$PUB_B" "$ROUTEVPN" --listen "198.51.100.2:$PORT" --peer-name a --ifname rv0 --netns "$PRIV_B" \
  -a 10.255.0.2/30 -a 2001:db8:ff::1/127 --cert "$DIR/b.cert" --key "$DIR/b.key" \
  --ca "$DIR/ca.cert" --run-dir "$DIR/b"
expect "without a fault the link comes up" wait_for is_up
expect_equal "and shows no failure" null "$(show a .last_failure)"
expect "its status fits the schema" fits_schema a
expect_equal "the history ends with this change" "up connected" "$(show a '.history[-1] | .state + " " + .reason')"

# The peer's process is killed: its host says so, and a keepalive proves it.
stop a || fail "link a ended with status $?"
is_waiting() { [[ $(show b '.state + " " + .reason') == "down peer_closed" ]]; }
expect "the peer of a stopped link says so" wait_for is_waiting
expect_equal "a clean stop drops nothing" 0 "$(drops b record_no_keys)"
