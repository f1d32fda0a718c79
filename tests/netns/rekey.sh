#!/usr/bin/env bash
# A rekey costs no packet: at full load, with a rekey every 10,000 records, a stream of datagrams in each
# direction loses nothing and keeps its order, and the carrier does not change.
#
#   REKEYS=N    the least number of rekeys, 50
#   RECORDS=N   records from one rekey to the next, 10000
DEADLINE_S=200 # for REKEYS * RECORDS records in each direction
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=counting.sh
source "$(dirname "${BASH_SOURCE[0]}")/counting.sh"

REKEYS=${REKEYS:-50}
RECORDS=${RECORDS:-10000}

rekeys() { show "$1" .rekeys; }

enough() { (($(rekeys a) >= REKEYS && $(rekeys b) >= REKEYS)); }

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
wait_for enough || fail "only $(rekeys a) rekeys at a, $(rekeys b) at b"
lasted=$(($(now_cs) - began))
expect "the load has not ended" kill -0 "${PID[iperf]}" "${PID[iperf_server]}"
stop iperf INT || true
stop iperf_server || true
stop_counting up down

megabits=$(($(show b .rx.bytes) * 8 / lasted / 10000))
ok "$(rekeys a) rekeys in $((lasted * 10)) ms, at $megabits Mbit/s"
for way in up down; do
  expect_report "$way: of $(report $way .sent) datagrams none was lost, reordered, duplicated or corrupted" \
    "$way" '.sent > 0 and .lost + .reordered + .duplicated + .corrupted + .foreign == 0'
  echo "# $way, ms: longest gap $(report $way .longest_gap_ms), longest pause of the sender" \
    "$(report $way .longest_pause_ms), delay $(report $way '.delay_ms | tojson')"
done
for space in "$PRIV_A" "$PRIV_B"; do
  stop "monitor-$space" || true
  expect_equal "the kernel announced no event of a link in $space" "" \
    "$(<"$DIR/monitor-$space.events")"
done
for end in a b; do
  expect_equal "$end stayed up" "up 0" "$(show $end '"\(.state) \(.flaps)"')"
done
stop_links
