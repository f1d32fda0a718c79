#!/usr/bin/env bash
# The worker of a link dies under load, at each end, again and again: the monitor starts another one, and
# interface, addresses and routes stay. A monitor that dies takes its worker with it.
#
#   KILLS=N   of the worker at each end, 3: SIGKILL and SIGSEGV by turns; more than 7 s each
#   SLOW=1    also stops a worker, which takes 20 s
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=workers.sh
source "$(dirname "${BASH_SOURCE[0]}")/workers.sh"

HERE=$(dirname "${BASH_SOURCE[0]}")
KILLS=${KILLS:-3}
WARM_UP=1      # kills before private memory is measured for the first time
GROWTH_KIB=64  # of a monitor, in all kills after WARM_UP
SIGNALS=(KILL SEGV)
declare -A PEER_OF=([a]=b [b]=a) PRIVATE=([a]=$PRIV_A [b]=$PRIV_B) ADDRESS=([a]=10.255.0.1 [b]=10.255.0.2)
declare -A PRIVATE_KIB=() FDS=() LOSSES=()

((KILLS > WARM_UP)) || fail "KILLS=$KILLS: more than $WARM_UP are needed"

has_child() { [[ -n $(child "$1") ]]; }
is_other() { [[ $(child "$1") != "$2" ]] && has_child "$1"; } # a|b PID: the worker is not this one

fds() { find "/proc/${PID[$1]}/fd" -mindepth 1 | wc -l; }
fds_are() { [[ $(fds "$1") == "$2" ]]; }

# network a|b: what must not change: interface with its index, addresses, routes.
network() {
  local space=${PRIVATE[$1]}
  ip -n "$space" -d link show rv0
  ip -n "$space" -o address show dev rv0
  ip -n "$space" -4 route show table all dev rv0
  ip -n "$space" -6 route show table all dev rv0
}
network_is_same() { diff "$DIR/network-$1" <(network "$1"); }
losses_of_carrier() { in_ns "${PRIVATE[$1]}" cat /sys/class/net/rv0/carrier_down_count; }

# received a|b: bytes by the link, so far.
received() { show "$1" .rx.bytes; }
receives() { (($(received "$1") > $2 + 10000000)); } # a|b BYTES: much more than these

# statistics FILE: of numbers, one per line.
statistics() { jq -sc 'sort | {median: .[length / 2 | floor], max: .[-1]}' "$1"; }

# --- deaths under load ------------------------------------------------------------------------------

# kill_worker a|b SIGNAL
kill_worker() {
  local end=$1 peer=${PEER_OF[$1]} pid losses
  pid=$(child "$end")
  wait_for lived "$pid"
  losses=$(losses_of_carrier "$end")
  python3 "$HERE/outage.py" "${PRIVATE[$end]}" "${ADDRESS[$peer]}" "$pid" "$2" >>"$DIR/outage-$end-$2" ||
    fail "$end does not come back after SIG$2"
  wait_up "$end"
  wait_up "$peer"
  wait_for network_is_same "$end" || fail "the network of $end has changed"
  wait_for network_is_same "$peer" || fail "the network of $peer has changed"
  [[ $(losses_of_carrier "$end") == $((losses + 1)) ]] || fail "the carrier of $end did not go off once"
}

keep_traces
two_links "${ROUTES[@]}"
start iperf_server "$PRIV_B" iperf3 --server --one-off
wait_for tcp_listens "$PRIV_B" 5201 || fail "iperf3 does not listen"
start iperf "$PRIV_A" iperf3 --client 10.255.0.2 --time 80000 --bidir
for end in a b; do
  network "$end" >"$DIR/network-$end"
  LOSSES[$end]=$(losses_of_carrier "$end")
  start_monitor "monitor-$end" "${PRIVATE[$end]}" address route
done
for ((i = 0; i < KILLS; ++i)); do
  for end in a b; do
    if ((i == WARM_UP)); then
      PRIVATE_KIB[$end]=$(private_kib "${PID[$end]}")
      FDS[$end]=$(fds "$end")
    fi
    kill_worker "$end" "${SIGNALS[i % 2]}"
  done
done
ok "each worker was killed $KILLS times; the link came back with the same interface, addresses and routes"
for end in a b; do expect "the load to $end goes on" wait_for receives "$end" "$(received "$end")"; done
for end in a b; do
  for signal in "${SIGNALS[@]}"; do
    echo "# SIG$signal at $end, ms to the first answer: $(statistics "$DIR/outage-$end-$signal")"
  done
  expect_equal "no address and no route of $end was removed" "" \
    "$(grep '^Deleted' "$DIR/monitor-$end.events" || true)"
  expect_equal "$end has the same monitor, and has counted its workers" "${PID[$end]} $((KILLS + 1))" \
    "$(show "$end" '"\(.monitor_pid) \(.worker_starts)"')"
  expect_equal "and the losses of its carrier" $(($(losses_of_carrier "$end") - LOSSES[$end])) "$(show "$end" .flaps)"
  growth=$(($(private_kib "${PID[$end]}") - PRIVATE_KIB[$end]))
  expect "its monitor grew by $growth KiB in the last $((KILLS - WARM_UP)), from ${PRIVATE_KIB[$end]} KiB" \
    test "$growth" -le "$GROWTH_KIB"
  expect "and has ${FDS[$end]} descriptors, as before" wait_for fds_are "$end" "${FDS[$end]}"
done
for name in iperf iperf_server monitor-a monitor-b; do stop "$name" || true; done

# --- the gasp -----------------------------------------------------------------------------------------

# Without it, an idle peer would keep its carrier: it would notice only the new worker's handshake, or silence.
closings() { grep -c "the peer's worker has died" "$DIR/$1.log" || true; }
has_closed() { (($(closings "$1") > $2)); } # a|b NUMBER
for end in a b; do
  peer=${PEER_OF[$end]}
  pid=$(child "$end")
  wait_for lived "$pid"
  before=$(closings "$peer") flaps=$(show "$peer" .flaps)
  kill -KILL "$pid"
  expect "the worker of $end has died: its monitor tells $peer" wait_for has_closed "$peer" "$before"
  wait_up "$end"
  wait_up "$peer"
  expect_equal "the carrier of $peer went off" $((flaps + 1)) "$(show "$peer" .flaps)"
done

# --- a worker that does not answer ------------------------------------------------------------------

if [[ -n ${SLOW:-} ]]; then
  pid=$(child a)
  wait_for lived "$pid"
  kill -STOP "$pid"
  expect "a stopped worker is replaced" wait_for is_other a "$pid"
  expect "the log has the reason" grep -q "the worker does not answer" "$DIR/a.log"
  wait_up a
fi

# --- the monitor's death ------------------------------------------------------------------------------

stop a KILL || true
expect "with a killed monitor, its worker, interface, routes and rules are gone" wait_for is_as_before
link_a "${ROUTES[@]}"
wait_up a
wait_up b
ok "its successor comes up"
stop_links
