#!/usr/bin/env bash
# Measures the goodput of a link while a stranger floods its acceptor, against the goodput while the same
# datagrams go to a closed port of the same gateway: tests/bench/under_attack.sh [ROUNDS]
#
# Each round (default 5) runs TCP for 2 s for each kind of datagram, sent with the peer's address and with a
# foreign one, first to the closed port and then to the link's port. A line is the median of the ratios and
# their range. Nothing else should run at the same time.
#
#   ROUTEVPN, FLOOD   the binaries (build/release/...)
#   RATE              datagrams per second, 50000
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
export ROUTEVPN=${ROUTEVPN:-$top/build/release/src/routevpn}
FLOOD=$(realpath "${FLOOD:-$top/build/release/tests/tools/flood}")
rounds=${1:-5} rate=${RATE:-50000} closed_port=9
kinds=(client-hello server-hello garbage forged forged-38)
# shellcheck source-path=SCRIPTDIR source=../netns/stranger.sh
source "$here/../netns/stranger.sh"
# shellcheck source-path=SCRIPTDIR source=../netns/flows.sh
source "$here/../netns/flows.sh"

# Mbit/s of one TCP flow.
goodput() {
  start_iperf_server "$PRIV_B"
  in_ns "$PRIV_A" iperf3 --client 10.255.0.2 --time 2 --omit 0.3 --json >"$DIR/iperf.json"
  wait "${PID[iperf_server]}"
  unset "PID[iperf_server]"
  jq '.end.sum_received.bits_per_second / 1e6 | round' "$DIR/iperf.json"
}

# flooded FROM PORT KIND: the goodput meanwhile.
flooded() {
  start flood "$PUB_C" "$FLOOD" forge "$1" "192.0.2.2:$2" "$rate" "$3"
  goodput
  stop flood
}

# shellcheck disable=SC2119 # without options
two_links
peer=192.0.2.1:$(show b '.remote | split(":")[1]')
for ((round = 0; round < rounds; ++round)); do
  for kind in "${kinds[@]}"; do
    for from in "$peer" 198.51.100.2:999; do
      closed=$(flooded "$from" "$closed_port" "$kind") open=$(flooded "$from" "$PORT" "$kind")
      echo "$kind ${from%:*} $closed $open" >>"$DIR/rounds"
    done
  done
done
expect_equal "the link did not go down" "0 0" "$(show a .flaps) $(show b .flaps)"
stop_links
echo "| datagrams, $rate/s | source | closed port, Mbit/s | ratio |"
echo "|---|---|--:|--:|"
jq -rnR '
  def median: sort | .[length / 2 | floor];
  def hundredths: . * 100 | round / 100;
  [inputs | split(" ") | {kind: .[0], from: .[1], closed: (.[2] | tonumber), open: (.[3] | tonumber)}]
  | group_by([.kind, .from])[]
  | [.[] | .open / .closed] as $ratios
  | "| \(.[0].kind) | \(.[0].from) | \([.[].closed] | median) | " +
    "\($ratios | median | hundredths) (\($ratios | min | hundredths)–\($ratios | max | hundredths)) |"
' "$DIR/rounds"
