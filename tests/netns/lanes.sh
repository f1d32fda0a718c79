#!/usr/bin/env bash
# A link of two lanes: each with a port of its own, flows on both, one lane lost and back while the
# carrier stays on.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=counting.sh
source "$(dirname "${BASH_SOURCE[0]}")/counting.sh"
# shellcheck source-path=SCRIPTDIR source=flows.sh
source "$(dirname "${BASH_SOURCE[0]}")/flows.sh"

lane() { show "$1" ".lanes[$2]$3"; }
lanes_are() { # STATE STATE, at both ends
  local end
  for end in a b; do
    [[ $(show "$end" '[.lanes[].state] | join(" ")') == "$1 $2" ]] || return 1
  done
}
carriers() { ip -o -n "$PRIV_A" link show rv0 | grep -q LOWER_UP; }

two_links --lanes 2 --keepalive 100 --dead-after 400
expect "both lanes come up" wait_for lanes_are up up
expect_equal "the second has the port above" "192.0.2.2:$((PORT + 1))" "$(lane a 1 .remote)"

# Flows of many ports: each keeps to a lane, together they use both.
transfer "64 MB of TCP in 16 flows" "$PRIV_A" "$PRIV_B" 10.255.0.2 --bytes 64000000 --parallel 16
for number in 0 1; do
  packets=$(lane a "$number" .tx.packets)
  # The least that 1 of 16 flows sends: 4 MB in packets of at most 64 KiB.
  ((packets > 60)) || fail "lane $number sent $packets packets only"
done
ok "16 flows use both lanes"
expect_equal "no packet of one flow overtakes another" 0 \
  "$(in_ns "$PRIV_B" nstat -asz TcpExtTCPSACKReorder | awk '/TCPSACKReorder/ {print $2}')"

# One lane lost: its port is filtered in both directions.
in_ns "$PUB_B" nft -f - <<END
table ip cut {
  chain in  { type filter hook input priority 0;  udp dport $((PORT + 1)) drop; }
  chain out { type filter hook output priority 0; udp sport $((PORT + 1)) drop; }
}
END
second_down() { [[ $(lane a 0 .state) == up && $(lane a 1 .state) != up && $(lane b 1 .state) != up ]]; }
expect "a lane whose port is filtered goes down" wait_for second_down
expect "the carrier stays on" carriers
all_flows() { # TEXT: every flow passes, whichever lane it had
  count up 10.255.0.2:9000 --flows 32 --count 3200 --interval 200us
  counted up
  expect_report "$1" up '.received == 3200'
}
all_flows "all flows pass through the other"
expect_equal "and nothing flapped" 0 "$(show a .flaps)"
in_ns "$PUB_B" nft delete table ip cut
expect "the lane comes back" wait_for lanes_are up up
all_flows "all flows pass"

# The other lane lost: now the first, whose queue the interface began with.
in_ns "$PUB_B" nft -f - <<END
table ip cut {
  chain in  { type filter hook input priority 0;  udp dport $PORT drop; }
  chain out { type filter hook output priority 0; udp sport $PORT drop; }
}
END
first_down() { [[ $(lane a 1 .state) == up && $(lane a 0 .state) != up && $(lane b 0 .state) != up ]]; }
expect "the first lane goes down" wait_for first_down
expect "the carrier stays on" carriers
all_flows "all flows pass through the second"

# Both lost, and both back.
in_ns "$PUB_B" nft add rule ip cut in udp dport $((PORT + 1)) drop
in_ns "$PUB_B" nft add rule ip cut out udp sport $((PORT + 1)) drop
no_carrier() { ! carriers; }
expect "without a lane there is no carrier" wait_for no_carrier
in_ns "$PUB_B" nft delete table ip cut
expect "both come back" wait_for lanes_are up up
expect "with the carrier" carriers
all_flows "all flows pass"
expect_equal "that was one flap" 1 "$(show a .flaps)"

# The interface deleted under all lanes.
ip -n "$PRIV_A" link delete rv0
status=0
wait "${PID[a]}" || status=$?
unset "PID[a]"
expect_equal "a link whose interface is deleted ends" 1 "$status"
expect_equal "and says so once" 1 "$(grep -c 'the interface is gone' "$DIR/a.log")"
