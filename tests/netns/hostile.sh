#!/usr/bin/env bash
# A peer with a valid certificate that abuses its association: floods of control messages, fragments that
# never complete or overlap, alerts, empty records, handshakes without data. The acceptor's memory is bounded, and the
# other direction keeps its rate.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
HOSTILE=$(command -v "${HOSTILE:-hostile}") || fail "HOSTILE is not a program"

RATE=20000   # records per second
RECORDS=40000 # that arrive before the memory is compared
HANDSHAKES_PER_S=5
MOST_GROWTH_KIB=1024
OTHER_RATE=2000 # packets per second in the other direction
PACKETS=2000

worker_kib() { private_kib "$(show b .pid)"; } # of the process that takes the records
received() { ip -n "$PUB_B" -s -j link show eth0 | jq '.[0].stats64.rx.packets'; }
has_received() { (($(received) >= $1)); }

# abuse KIND RATE: starts the peer and waits until the link is up.
abuse() {
  start hostile "$PUB_A" "$HOSTILE" "192.0.2.2:$PORT" "$2" "$1" "$DIR/a.cert" "$DIR/a.key" \
    "$DIR/ca.cert" b
  wait_up b
}
# Ends the peer. SHARE: packets of the other direction that have arrived, in percent of those sent.
measure_share() {
  local sent
  : >"$DIR/hostile.log"
  sent=$(in_ns "$PRIV_B" python3 - 10.255.0.1 "$PACKETS" "$OTHER_RATE" <<'PY'
import socket, sys, time
target, count, rate = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
start = time.monotonic()
for number in range(count):
    s.sendto(bytes(200), (target, 9))
    wait = start + number / rate - time.monotonic()
    if wait > 0:
        time.sleep(wait)
print(count)
PY
  )
  stop hostile || fail "the peer ended with status $?"
  # shellcheck disable=SC2016 # the variable is jq's
  SHARE=$(jq --argjson sent "$sent" '100 * .received_packets / $sent | floor' "$DIR/hostile.log")
}

link_b
wait_for has_socket b || fail "link b did not start"
abuse idle 0
measure_share
expect_equal "an idle peer receives all packets" 100 "$SHARE"
memory=''
for kind in echo reply rekey sparse sparsereply unknown incomplete overlap huge alert empty; do
  abuse "$kind" "$RATE"
  wait_for has_received $(($(received) + RECORDS)) || fail "$kind: the records do not arrive"
  memory=${memory:-$(worker_kib)}
  grown=$(($(worker_kib) - memory))
  ((grown <= MOST_GROWTH_KIB)) || fail "$kind: the worker has grown by $grown KiB"
  measure_share
  ((SHARE >= 80)) || fail "$kind: only $SHARE % of the packets of the other direction arrive"
  ok "$kind: the worker has grown by $grown KiB; $SHARE % of the packets of the other direction arrive"
  expect_equal "$kind: the link did not go down" up "$(show b .state)"
done
abuse handshakes "$HANDSHAKES_PER_S"
measure_share
((SHARE >= 80)) || fail "handshakes: only $SHARE % of the packets of the other direction arrive"
ok "handshakes: $SHARE % of the packets of the other direction arrive"
stop b || fail "link b ended with status $?"
