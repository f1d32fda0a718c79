#!/usr/bin/env bash
# A link of two lanes. Each lane has a port of its own, and flows use both. A lane goes down and comes back
# while the carrier stays on.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=counting.sh
source "$(dirname "${BASH_SOURCE[0]}")/counting.sh"
# shellcheck source-path=SCRIPTDIR source=flows.sh
source "$(dirname "${BASH_SOURCE[0]}")/flows.sh"

lane() { show "$1" ".lanes[$2]$3"; }
lanes_are() { # STATE STATE: of the lanes, at both ends
  local end
  for end in a b; do
    [[ $(show "$end" '[.lanes[].state] | join(" ")') == "$1 $2" ]] || return 1
  done
}
carriers() { ip -o -n "$PRIV_A" link show rv0 | grep -q LOWER_UP; }

two_links --lanes 2 --keepalive 100 --dead-after 400
expect "both lanes come up" wait_for lanes_are up up
expect_equal "the second lane has the next port" "192.0.2.2:$((PORT + 1))" "$(lane a 1 .remote)"

# A flow uses one lane; 16 flows use both.
transfer "64 MB of TCP in 16 flows" "$PRIV_A" "$PRIV_B" 10.255.0.2 --bytes 64000000 --parallel 16
for number in 0 1; do
  packets=$(lane a "$number" .tx.packets)
  # The least that 1 of 16 flows sends: 4 MB in packets of at most 64 KiB.
  ((packets > 60)) || fail "lane $number sent $packets packets only"
done
ok "16 flows use both lanes"
expect_equal "no packet of one flow overtakes another" 0 \
  "$(in_ns "$PRIV_B" nstat -asz TcpExtTCPSACKReorder | awk '/TCPSACKReorder/ {print $2}')"

# The port of the second lane is filtered in both directions.
in_ns "$PUB_B" nft -f - <<END
table ip cut {
  chain in  { type filter hook input priority 0;  udp dport $((PORT + 1)) drop; }
  chain out { type filter hook output priority 0; udp sport $((PORT + 1)) drop; }
}
END
second_down() { [[ $(lane a 0 .state) == up && $(lane a 1 .state) != up && $(lane b 1 .state) != up ]]; }
expect "a lane whose port is filtered goes down" wait_for second_down
expect "the carrier stays on" carriers
all_flows() { # TEXT: of each of 32 flows, with 20 datagrams, some arrive
  count up 10.255.0.2:9000 --flows 32 --count 640
  counted up
  expect_report "$1" up 'all(.outages[]; .lost < 20)'
}
all_flows "all flows pass through the first lane"
expect_equal "and the link has not flapped" 0 "$(show a .flaps)"
in_ns "$PUB_B" nft delete table ip cut
expect "the second lane comes back" wait_for lanes_are up up
all_flows "all flows pass"

# The port of the first lane, whose queue the interface was made with, is filtered.
in_ns "$PUB_B" nft -f - <<END
table ip cut {
  chain in  { type filter hook input priority 0;  udp dport $PORT drop; }
  chain out { type filter hook output priority 0; udp sport $PORT drop; }
}
END
first_down() { [[ $(lane a 1 .state) == up && $(lane a 0 .state) != up && $(lane b 0 .state) != up ]]; }
expect "the first lane goes down" wait_for first_down
expect "the carrier stays on" carriers
all_flows "all flows pass through the second lane"

# Both ports are filtered, and then neither.
in_ns "$PUB_B" nft add rule ip cut in udp dport $((PORT + 1)) drop
in_ns "$PUB_B" nft add rule ip cut out udp sport $((PORT + 1)) drop
no_carrier() { ! carriers; }
expect "without lanes there is no carrier" wait_for no_carrier
in_ns "$PUB_B" nft delete table ip cut
expect "both lanes come back" wait_for lanes_are up up
expect "and so does the carrier" carriers
all_flows "all flows pass"
expect_equal "that was one flap" 1 "$(show a .flaps)"

# The interface is deleted.
ip -n "$PRIV_A" link delete rv0
expect_end "a link whose interface is deleted ends with status 1" a 1
expect_equal "and logs that once" 1 "$(grep -c 'the interface is gone' "$DIR/a.log")"
