#!/usr/bin/env bash
# Renewal is free: at full load, with a new association every few ten thousand records, a counted
# stream each way loses nothing and keeps its order, and nobody sees the carrier move.
#
#   RENEWALS=N   at least so many, 50
#   RECORDS=N    one after so many records, 10000
DEADLINE_S=200 # for RENEWALS * RECORDS records each way at full load
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=counting.sh
source "$(dirname "${BASH_SOURCE[0]}")/counting.sh"

RENEWALS=${RENEWALS:-50}
RECORDS=${RECORDS:-10000}

renewals() { show "$1" .rekeys; }

enough() { (($(renewals a) >= RENEWALS && $(renewals b) >= RENEWALS)); }

two_links --rekey-records "$RECORDS"
for space in "$PRIV_A" "$PRIV_B"; do
  start_monitor "monitor-$space" "$space" link
done

count up '[2001:db8:ff::1]:9000'
count down 10.255.0.1:9000
for way in up down; do wait_for arrives "$way" || fail "$way: no stream"; done
start iperf_server "$PRIV_B" iperf3 --server --one-off
wait_for tcp_listens "$PRIV_B" 5201 || fail "iperf3 does not listen"
start iperf "$PRIV_A" iperf3 --client 10.255.0.2 --time 1000
began=$(now_cs)
wait_for enough || fail "only $(renewals a) renewals at a, $(renewals b) at b"
lasted=$(($(now_cs) - began))
expect "the load never paused" kill -0 "${PID[iperf]}" "${PID[iperf_server]}"
stop iperf INT || true
stop iperf_server || true
stop_counting up down

megabits=$(($(show b .rx.bytes) * 8 / lasted / 10000))
ok "$(renewals a) renewals in $((lasted * 10)) ms, at $megabits Mbit/s"
for way in up down; do
  expect_report "$way: of $(report $way .sent) none was lost, overtaken, doubled or damaged" \
    "$way" '.sent > 0 and .lost + .reordered + .duplicated + .corrupted + .foreign == 0'
  echo "# $way, ms: longest gap $(report $way .longest_gap_ms), the sender's own" \
    "$(report $way .longest_pause_ms), delay $(report $way '.delay_ms | tojson')"
done
for space in "$PRIV_A" "$PRIV_B"; do
  stop "monitor-$space" || true
  expect_equal "the kernel announced no event of a link in $space" "" \
    "$(<"$DIR/monitor-$space.events")"
done
for end in a b; do
  expect_equal "$end is up and never was not" "up 0" "$(show $end '"\(.state) \(.flaps)"')"
done
stop_links
