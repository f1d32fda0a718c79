#!/usr/bin/env bash
# Packets of every kind pass with the offloads that this kernel has. The kernel hands over TCP, and from Linux
# 6.2 on UDP (TUN_F_USO), in super-packets of many segments. The link sends batches with UDP_SEGMENT.
# shellcheck source-path=SCRIPTDIR source=../netns/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../netns/lib.sh"
# shellcheck source-path=SCRIPTDIR source=../netns/flows.sh
source "$(dirname "${BASH_SOURCE[0]}")/../netns/flows.sh"

# A handshake that takes long on a slow machine is retransmitted, and the copies are dropped.
readonly DROPPED_PACKETS='.drops | del(.handshake_unexpected) | tostring'

HERE=$(dirname "${BASH_SOURCE[0]}")

offload() { in_ns "$PRIV_A" ethtool -k rv0 | sed -n "s/^\t*$1: \([a-z]*\).*/\1/p"; }
at_least_6_2() { [[ $(printf '6.2\n%s\n' "$(uname -r)" | sort -V | head -n 1) == 6.2 ]]; }
kernel_packets() { ip -n "$1" -s -j link show rv0 | jq ".[0].stats64.$2.packets"; }

two_links --detection normal
wanted=off
if at_least_6_2; then wanted=on; fi
expect_equal "TCP segmentation of rv0" on "$(offload tcp-segmentation-offload)"
expect_equal "UDP segmentation of rv0" "$wanted" "$(offload tx-udp-segmentation)"

for target in 10.255.0.2 2001:db8:ff::1; do
  expect "100 small packets to $target are answered" \
    in_ns "$PRIV_A" ping -q -c 100 -i 0.005 -W "$DEADLINE_S" "$target"
done

# tcp ADDRESS FROM TO OPTION...: 4 MB. The sender's kernel hands over super-packets, so that it counts fewer
# packets than the link, which counts segments; the receiver's kernel gets super-packets in the same way.
tcp() {
  local address=$1 from=$2 to=$3 end segments before
  shift 3
  end=${from##*-}
  before=$(show "$end" .tx.packets)
  local handed_before taken_before
  handed_before=$(kernel_packets "$from" tx)
  taken_before=$(kernel_packets "$to" rx)
  transfer "4 MB of TCP from $end by $address" "$PRIV_A" "$PRIV_B" "$address" --bytes 4000000 "$@"
  segments=$(($(show "$end" .tx.packets) - before))
  echo "# $segments segments in $(($(kernel_packets "$from" tx) - handed_before)) packets of the sender's kernel," \
    "$(($(kernel_packets "$to" rx) - taken_before)) of the receiver's"
  expect "the sender's kernel hands over super-packets" \
    test $(($(kernel_packets "$from" tx) - handed_before)) -lt $((segments / 2))
  expect "the receiver's kernel gets super-packets" \
    test $(($(kernel_packets "$to" rx) - taken_before)) -lt $((segments * 9 / 10))
}
tcp 10.255.0.2 "$PRIV_A" "$PRIV_B"
tcp 10.255.0.2 "$PRIV_B" "$PRIV_A" --reverse
tcp 2001:db8:ff::1 "$PRIV_A" "$PRIV_B"

before=$(kernel_packets "$PRIV_A" tx)
for address in 10.255.0.2 2001:db8:ff::1; do
  expect "datagrams that the sender batches with UDP_SEGMENT arrive at $address" \
    python3 "$HERE/udp_segment.py" "$PRIV_A" "$PRIV_B" "$address"
done
echo "# 400 datagrams in $(($(kernel_packets "$PRIV_A" tx) - before)) packets of the sender's kernel"

for end in a b; do
  expect_equal "$end sends batches with UDP_SEGMENT" true "$(show $end .udp_segment)"
  expect_not "show has no note about that" grep -q UDP_SEGMENT \
    <<<"$("$ROUTEVPN" show --run-dir "$DIR/$end")"
  expect_equal "$end dropped no packet" '{}' "$(show $end "$DROPPED_PACKETS")"
done
echo "# cipher $(show a .cipher) by $(show a .crypto)"
stop_links
