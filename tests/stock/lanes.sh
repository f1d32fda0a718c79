#!/usr/bin/env bash
# Traffic passes on both lanes of a link with --lanes 2.
# shellcheck source-path=SCRIPTDIR source=../netns/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../netns/lib.sh"
# shellcheck source-path=SCRIPTDIR source=../netns/flows.sh
source "$(dirname "${BASH_SOURCE[0]}")/../netns/flows.sh"

# A handshake that takes long on a slow machine is retransmitted, and the copies are dropped.
readonly DROPPED_PACKETS='.drops | del(.handshake_unexpected) | tostring'

lanes_are_up() {
  [[ $(show a '[.lanes[].state] | join(" ")') == "up up" && $(show b '[.lanes[].state] | join(" ")') == "up up" ]]
}

two_links --lanes 2
expect "both lanes come up" wait_for lanes_are_up
transfer "8 MB of TCP in 16 flows" "$PRIV_A" "$PRIV_B" 10.255.0.2 --bytes 8000000 --parallel 16
transfer "8 MB of TCP in 16 flows, the other way" "$PRIV_A" "$PRIV_B" 2001:db8:ff::1 --bytes 8000000 --parallel 16 --reverse
# One of 16 flows sends about 360 segments. Keepalives are not counted.
for end in a b; do
  for lane in 0 1; do
    packets=$(show $end ".lanes[$lane].tx.packets")
    echo "# $end, lane $lane: $packets packets sent"
    expect "lane $lane of $end has sent at least a flow" test "$packets" -gt 300
  done
  expect_equal "$end dropped no packet" '{}' "$(show $end "$DROPPED_PACKETS")"
done
stop_links
