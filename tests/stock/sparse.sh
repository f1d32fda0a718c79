#!/usr/bin/env bash
# A ping inside the link does not wait behind a TCP stream inside it, at a bottleneck whose router has a queue
# for each flow. The router sees the sparse flow as a flow of its own. The stream keeps its throughput.
#
#   PUB_A ------ R ------ PUB_B      each direction: htb with 5 Mbit/s, fq_codel
#   192.0.2.1  .0 .3      .2
#
# Compared with the same link, in the same run, when the router drops the datagrams of the second port. Then
# everything takes the first one.
#
# Round trips are compared by their first decile, less that of the idle link, on a path without a delay. The
# emulated processors add a few ms to every round trip, and more to some. The throughput is compared on a path of
# 10 ms: on a shorter one fq_codel lets the stream have so few packets on the way that it depends on the processors.
# shellcheck source-path=SCRIPTDIR source=../netns/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../netns/lib.sh"
# shellcheck source-path=SCRIPTDIR source=../netns/flows.sh
source "$(dirname "${BASH_SOURCE[0]}")/../netns/flows.sh"

HERE=$(dirname "${BASH_SOURCE[0]}")
R=rv$$-r
readonly RATE=5mbit PINGS=300 PERIOD_MS=50
declare -A ROUND_TRIP=() BYTES_PER_S=()

make_path() {
  local end own
  namespace "$R"
  ip -n "$PUB_A" link delete eth0
  wire "$PUB_A" eth0 "$R" to_a
  wire "$PUB_B" eth0 "$R" to_b
  in_ns "$R" sysctl -qw net.ipv4.ip_forward=1
  ip -n "$R" address add 192.0.2.0/31 dev to_a
  ip -n "$R" address add 192.0.2.3/31 dev to_b
  ip -n "$PUB_A" address add 192.0.2.1/31 dev eth0
  ip -n "$PUB_B" address add 192.0.2.2/31 dev eth0
  ip -n "$PUB_A" route add default via 192.0.2.0
  ip -n "$PUB_B" route add default via 192.0.2.3
  for own in to_a to_b; do
    in_ns "$R" tc qdisc add dev "$own" root handle 1: htb default 1
    in_ns "$R" tc class add dev "$own" parent 1: classid 1:1 htb rate "$RATE"
    in_ns "$R" tc qdisc add dev "$own" parent 1:1 handle 2: fq_codel
  done
  # A cable carries single datagrams.
  for end in "$PUB_A" "$PUB_B"; do
    in_ns "$end" ethtool -K eth0 gso off tx-udp-segmentation off >"$DIR/ethtool.out" 2>&1 ||
      fail "ethtool: $(<"$DIR/ethtool.out")"
  done
}

path_takes() { # MS
  local end
  for end in "$PUB_A" "$PUB_B"; do in_ns "$end" tc qdisc replace dev eth0 root netem delay "$1ms" limit 1000; done
}

sparse_packets() { show "$1" '.lanes[0].sparse.packets // 0'; }
has_sparse() { [[ $(show "$1" '.lanes[0].sparse != null') == "$2" ]]; } # a|b true|false
ends_have_sparse() { has_sparse a "$1" && has_sparse b "$1"; }

# measure NAME: round trips beside the stream, and the stream's throughput meanwhile.
measure() {
  local bytes began used
  used=$(sparse_packets a)
  bytes=$(received_bytes "$PRIV_B")
  began=$(now_cs)
  python3 "$HERE/round_trips.py" "$PRIV_A" 10.255.0.2 "$PINGS" "$PERIOD_MS" >"$DIR/round_trips.json" \
    2>"$DIR/round_trips.log" || fail "$1: $(<"$DIR/round_trips.log")"
  BYTES_PER_S[$1]=$((($(received_bytes "$PRIV_B") - bytes) * 100 / ($(now_cs) - began)))
  ROUND_TRIP[$1]=$(jq .p10_ms "$DIR/round_trips.json")
  echo "# $1: $(<"$DIR/round_trips.json"), ${BYTES_PER_S[$1]} bytes/s," \
    "$(($(sparse_packets a) - used)) packets by the sparse flow"
}

make_path
path_takes 0
expect "of two sockets on a port, the one with a peer receives exactly its datagrams" \
  in_ns "$R" python3 "$HERE/two_sockets.py"
two_links --detection patient
expect "both ends find the sparse flow" wait_for ends_have_sparse true
measure idle
start_iperf_server "$PRIV_B"
start stream "$PRIV_A" iperf3 --client 10.255.0.2 --time 3600
fills_path() { in_ns "$R" tc -s qdisc show dev to_b | grep -q 'dropped [1-9]'; }
expect "the stream fills the path" wait_for fills_path
measure sparse
path_takes 10
measure sparse_far
second=$(show a '.lanes[0].sparse.local | split(":") | last')
in_ns "$R" nft -f - <<END
table ip cut { chain forward { type filter hook forward priority 0;
  udp sport $second drop
  udp dport $second drop
}; }
END
expect "without the second port both ends lose the sparse flow" wait_for ends_have_sparse false
measure bulk_far
path_takes 0
measure bulk
expect_equal "then no packet takes it" 0 "$(sparse_packets a)"

holds() { awk "BEGIN { exit !($1) }"; } # EXPRESSION
added() { awk "BEGIN { printf \"%.2f\", ${ROUND_TRIP[$1]} - ${ROUND_TRIP[idle]} }"; }
expect "the stream adds $(added sparse) ms to a round trip, at most 1/5 of $(added bulk) ms" \
  holds "5 * $(added sparse) <= $(added bulk)"
expect "the stream's ${BYTES_PER_S[sparse_far]} bytes/s are at least 95 % of ${BYTES_PER_S[bulk_far]}" \
  holds "100 * ${BYTES_PER_S[sparse_far]} >= 95 * ${BYTES_PER_S[bulk_far]}"
stop stream || true
stop_links
