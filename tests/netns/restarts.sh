#!/usr/bin/env bash
# Each end is killed or stopped, and restarted, under traffic, again and again. The link comes back each
# time. The other end releases the memory and the file descriptors of the old associations.
#
#   RESTARTS=N     of each end, 8: half after SIGKILL, half after SIGTERM
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=counting.sh
source "$(dirname "${BASH_SOURCE[0]}")/counting.sh"

RESTARTS=${RESTARTS:-8}
WARM_UP=4 # restarts before memory is measured for the first time
GROWTH_KIB=512 # of the other end, in all restarts after WARM_UP
OPTIONS=(--log-format json)
declare -A ADDRESS=([a]=10.255.0.1 [b]=10.255.0.2) PRIVATE=([a]=$PRIV_A [b]=$PRIV_B)

rss_kib() { awk '/^VmRSS:/ { print $2 }' "/proc/${PID[$1]}/status"; }

fds() { find "/proc/${PID[$1]}/fd" -mindepth 1 | wc -l; }

# holds_fds a|b COUNT: that end has as many descriptors as before.
holds_fds() { [[ $(fds "$1") == "$2" ]]; }

# took a|b: milliseconds from "interface is ready" to "up" in the log of the last start.
took() {
  tail -n 20 "$DIR/$1.log" | jq -s '
    def ms: (.time | sub("\\.[0-9]*Z$"; "Z") | fromdate) * 1000 +
            (.time | capture("\\.(?<ms>[0-9]{3})Z$").ms | tonumber);
    (map(select(.message == "interface is ready")) | last | ms) as $ready |
    map(select(.message == "up") | ms - $ready | select(. >= 0)) | first'
}

# restart GATEWAY PEER SIGNAL: ends GATEWAY and starts it. Both ends come up, and traffic passes.
restart() {
  stop "$1" "$3" || true
  "link_$1" "${OPTIONS[@]}"
  wait_up "$1"
  wait_up "$2"
  in_ns "${PRIVATE[$2]}" ping -q -c 1 -i 0.05 -w "$DEADLINE_S" "${ADDRESS[$1]}" >"$DIR/ping.log" \
    2>&1 ||
    fail "nothing passes after SIG$3 to $1"
  took "$1" >>"$DIR/took-$1-$3"
}

statistics() { jq -sc 'sort | {min: .[0], median: .[length / 2 | floor], max: .[-1]}' "$1"; }

# restarts GATEWAY PEER
restarts() {
  local gateway=$1 peer=$2 signals=(KILL TERM) i signal rss descriptors growth
  for ((i = 0; i < RESTARTS; ++i)); do
    if ((i == WARM_UP)); then
      rss=$(rss_kib "$peer")
      descriptors=$(fds "$peer")
    fi
    restart "$gateway" "$peer" "${signals[i % 2]}"
  done
  ok "$gateway was restarted $RESTARTS times, and the link came back each time"
  for signal in "${signals[@]}"; do
    echo "# SIG$signal to $gateway, ms from ready to up: $(statistics "$DIR/took-$gateway-$signal")"
  done
  growth=$(($(rss_kib "$peer") - rss))
  expect "$peer grew by $growth KiB in the last $((RESTARTS - WARM_UP)), from $rss KiB" \
    test "$growth" -le "$GROWTH_KIB"
  wait_for holds_fds "$peer" "$descriptors" ||
    fail "$peer had $descriptors descriptors, and has $(fds "$peer")"
  ok "$peer has $descriptors descriptors, as before"
}

((RESTARTS > WARM_UP)) || fail "RESTARTS=$RESTARTS: more than $WARM_UP are needed"
two_links "${OPTIONS[@]}"
count up 10.255.0.2:9000
count down 10.255.0.1:9000
for way in up down; do wait_for arrives "$way" || fail "$way: no stream"; done
restarts a b
restarts b a
stop_counting up down
for way in up down; do
  expect_report "$way: no datagram arrived corrupted or twice" "$way" \
    '.corrupted + .duplicated + .foreign == 0'
  echo "# $way, of $(report $way .sent) lost $(report $way .lost), the 100 longest outages in ms:" \
    "$(report $way '[.outages[].ms] | sort | {min: .[0], median: .[length / 2 | floor],
      max: .[-1], count: length} | tojson')"
done
stop_links
