#!/usr/bin/env bash
# A rekey costs no packet: at full load, with a rekey every 10,000 records, a stream of datagrams in each
# direction loses nothing and keeps its order, and the carrier does not change. On a busy machine queues of
# the kernel overflow at this load: at most as many datagrams are lost as the kernel has dropped packets.
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

# Prints the packets that the kernel has dropped so far: interfaces, their queues, sockets, and backlogs of
# processors.
kernel_drops() {
  local space dropped sum=0
  for space in "$PUB_A" "$PRIV_A" "$PUB_B" "$PRIV_B"; do
    dropped=$(ip -n "$space" -s -j link | jq '[.[].stats64 | .tx.dropped + .rx.dropped] | add')
    sum=$((sum + dropped))
    dropped=$(tc -n "$space" -s -j qdisc | jq '[.[].drops] | add // 0')
    sum=$((sum + dropped))
    dropped=$(in_ns "$space" nstat -asz Udp{,6}{Rcv,Snd}bufErrors | awk '{ n += $2 } END { print n + 0 }')
    sum=$((sum + dropped))
  done
  while read -r _ dropped _; do sum=$((sum + 16#$dropped)); done </proc/net/softnet_stat
  echo "$sum"
}

two_links --rekey-records "$RECORDS"
for space in "$PRIV_A" "$PRIV_B"; do
  start_monitor "monitor-$space" "$space" link
done

dropped_before=$(kernel_drops)
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
dropped=$(($(kernel_drops) - dropped_before))
for way in up down; do
  expect_report "$way: of $(report $way .sent) datagrams none was reordered, duplicated or corrupted" \
    "$way" '.sent > 0 and .reordered + .duplicated + .corrupted + .foreign == 0'
  expect_report "$way: $(report $way .lost) were lost, and the kernel dropped $dropped packets" \
    "$way" ".lost <= $dropped"
  echo "# $way, ms: longest gap $(report $way .longest_gap_ms), longest pause of the sender" \
    "$(report $way .longest_pause_ms), delay $(report $way '.delay_ms | tojson')"
done
for space in "$PRIV_A" "$PRIV_B"; do
  stop "monitor-$space" || true
  expect_equal "the kernel announced no event of a link in $space" "" \
    "$(<"$DIR/monitor-$space.events")"
done
for end in a b; do
  expect_equal "$end dropped no record" 0 \
    "$(show $end '[.drops | to_entries[] | select(.key | startswith("record_")) | .value] | add // 0')"
  expect_equal "$end stayed up" "up 0" "$(show $end '"\(.state) \(.flaps)"')"
done
stop_links
