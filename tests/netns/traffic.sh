#!/usr/bin/env bash
# Traffic of all kinds through a link: ping, TCP one way, both ways and in 50 streams, UDP; IPv4 and
# IPv6 inside over IPv4 and IPv6 outside; each cipher suite, each crypto backend; and while keys
# change.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

listening() { in_ns "$PRIV_B" ss -ltnH 'sport = :5201' | grep -q .; }

# What one direction's sender and receiver counted: all that was asked for was sent, something came,
# nothing came that was not sent, and none of it faster than memory can be copied.
# shellcheck disable=SC2016  # the variables are jq's
FLOW='def flow($bytes; $sent; $received):
  ($sent.bytes >= $bytes) and ($received.bytes > 0) and ($received.bytes <= $sent.bytes) and
  ($sent, $received | .seconds > 0 and .seconds < 20 and .bits_per_second < 1e12);
'

# iperf TEXT CONDITION OPTION...: one run from a to b. CONDITION holds for the client's report,
# which has the server's figures too, and the server says itself that it saw bytes.
iperf() {
  local text=$1 condition=$2
  shift 2
  rm -f "$DIR"/iperf*
  start iperf_server "$PRIV_B" iperf3 --server --one-off --json
  wait_for 5 listening || fail "$text: iperf3 does not listen"
  in_ns "$PRIV_A" timeout 20 iperf3 --json --client "$@" >"$DIR/iperf.json" ||
    fail "$text: $(jq -r .error "$DIR/iperf.json")"
  wait "${PID[iperf_server]}" || fail "$text: the iperf3 server failed"
  unset "PID[iperf_server]"
  jq -e "$FLOW .end | $condition" "$DIR/iperf.json" >"$DIR/iperf.jq" ||
    fail "$text, at a: not $condition"$'\n'"$(jq '.end | del(.streams)' "$DIR/iperf.json")"
  jq -e '.end | .sum_sent.bytes + .sum_received.bytes > 0' "$DIR/iperf_server.log" \
    >"$DIR/iperf.jq" || fail "$text, at b: no bytes"$'\n'"$(jq .end "$DIR/iperf_server.log")"
  ok "$text"
}

answers() {  # answers TEXT ADDRESS
  in_ns "$PRIV_A" fping -q -c 20 -i 5 -p 5 -t 1000 "$2" >"$DIR/fping.log" 2>&1 || true
  expect "$1: 20 pings, 20 answers" grep ' 20/20/0%' "$DIR/fping.log"
}

tcp() {  # tcp TEXT ADDRESS BYTES [OPTION...]
  local text=$1 address=$2 bytes=$3
  shift 3
  iperf "$text: TCP${*:+ $*}" "flow($bytes; .sum_sent; .sum_received)" \
    "$address" --bytes "$bytes" "$@"
}

battery() {  # all kinds: battery TEXT ADDRESS
  answers "$1" "$2"
  tcp "$1" "$2" 100000000
  tcp "$1" "$2" 100000000 --reverse
  tcp "$1" "$2" 100000000 --parallel 50
  # It ends when the first of the two directions is through.
  iperf "$1: TCP both ways at once" 'flow(1; .sum_sent; .sum_received) and
    flow(1; .sum_sent_bidir_reverse; .sum_received_bidir_reverse)' \
    "$2" --bidir --bytes 50000000
  # What is under way at the end, a burst or two, is not in the report.
  iperf "$1: UDP, nothing lost" \
    '(.sum_sent.packets == 500) and (.sum_received.packets >= 400) and (.sum.lost_packets == 0)' \
    "$2" --udp --bitrate 10M --length 1200 --bytes 600000
}

kept_up() {
  local end
  for end in a b; do
    expect_equal "end $end was up all the time" "up 0" "$(show $end '"\(.state) \(.flaps)"')"
  done
}

for OUTER in 4 6; do
  two_links
  battery "IPv4 over IPv$OUTER" 10.255.0.2
  battery "IPv6 over IPv$OUTER" 2001:db8:ff::1
  kept_up
  stop_links
done

# ChaCha20-Poly1305 is OpenSSL's in any case.
OUTER=4
for pair in AES128-GCM-SHA256:{openssl,auto} AES256-GCM-SHA384:{openssl,auto} \
  CHACHA20-POLY1305:auto; do
  suite=ECDHE-ECDSA-${pair%:*} crypto=${pair#*:}
  two_links --ciphers "$suite" --crypto "$crypto"
  expect_equal "cipher in use" "$suite" "$(show a .cipher)"
  [[ $crypto == auto ]] || expect_equal "crypto in use" openssl "$(show a .crypto)"
  answers "$suite, $crypto" 10.255.0.2
  tcp "$suite, $crypto" 2001:db8:ff::1 50000000
  tcp "$suite, $crypto" 10.255.0.2 50000000 --reverse
  stop_links
done

# Renewals, one after the other, under a stream of pings that is answered to the last.
two_links
renewed() { [[ $(show a .rekeys) == "$1" && $(show b .rekeys) == "$1" ]]; }
start pings "$PRIV_A" fping -q -c 800 -i 2 -p 2 -t 1000 10.255.0.2
renewals=0
while kill -0 "${PID[pings]}" 2>/dev/null; do
  renewals=$((renewals + 1))
  kill -HUP "${PID[a]}"
  wait_for 5 renewed "$renewals" || fail "renewal $renewals does not come"
done
unset "PID[pings]"
((renewals >= 3)) || fail "only $renewals renewals in 1.6 s"
expect "800 pings during $renewals renewals, all answered" grep ' 800/800/0%' "$DIR/pings.log"
kept_up
