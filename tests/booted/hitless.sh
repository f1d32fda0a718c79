#!/usr/bin/env bash
# `systemctl restart routevpn@LINK` under systemd: the link goes on. Prints the longest time without an answer
# to pings of 1 ms.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"

HERE=$(cd "$(dirname "$0")" && pwd)
LONGEST_MS=50

start_machines V1-1 V2-1
make_credentials V1-1 V2-1
write_link V1-1 "peer = 192.0.2.21" "peer-name = V2-1" "address = 10.255.0.1/30"
write_link V2-1 "listen = 192.0.2.21:7754" "peer-name = V1-1" "address = 10.255.0.2/30"
for machine in V1-1 V2-1; do
  on "$machine" systemctl enable --quiet --now routevpn@rv0
done
expect "the link comes up" on V1-1 routevpn show --wait up --timeout 30 rv0

facts() {
  local machine
  for machine in V1-1 V2-1; do
    on "$machine" routevpn show --json rv0 | jq -c '.[0] | [.carrier, .flaps, .handshakes, .rekeys, .mtu]'
    on "$machine" ip -j link show rv0 | jq -c '.[0] | [.ifindex, .flags]'
  done
}
main_pid() { on "$1" systemctl show -p MainPID --value routevpn@rv0; }

for machine in V1-1 V2-1 V1-1 V2-1 V1-1; do
  before=$(facts) pid=$(main_pid "$machine")
  rm -f "$WORK/gaps.log"
  python3 "$HERE/../netns/gaps.py" "$P-V1-1" 10.255.0.2 >"$WORK/gaps.out" 2>"$WORK/gaps.log" &
  gaps=$!
  wait_for grep -q 'is sent' "$WORK/gaps.log" || fail "no pings"
  # As the package does when it is upgraded.
  expect "$machine: systemctl try-restart succeeds" on "$machine" systemctl try-restart routevpn@rv0
  [[ $(main_pid "$machine") != "$pid" ]] || fail "$machine: the monitor is the old one"
  kill "$gaps"
  wait "$gaps" || fail "gaps.py: $(<"$WORK/gaps.log")"
  after=$(facts)
  [[ $before == "$after" ]] || fail "$machine: a restart changes the link: $before, $after"
  ok "$machine: a restart changes nothing but the processes: $(<"$WORK/gaps.out")"
  expect "$machine: at most $LONGEST_MS ms without an answer" jq -e ".longest_ms <= $LONGEST_MS" \
    "$WORK/gaps.out"
done
# shellcheck disable=SC2016 # the machine's shell expands them
expect "systemd keeps the worker's process descriptor alone afterwards" on V1-1 sh -c \
  '[ "$(systemctl show -p NFileDescriptorStore --value routevpn@rv0)" = 1 ]'

for machine in V1-1 V2-1; do
  echo "$machine: lanes were stopped for: $(on "$machine" journalctl --no-pager -u routevpn@rv0 |
    grep -o 'paused_us=.*' | paste -sd ' ')"
done

# A stop still ends the link in order.
on V1-1 systemctl stop routevpn@rv0
expect_not "a stop removes the interface" on V1-1 ip link show rv0
expect_not "a stop leaves no process" on V1-1 pgrep -x routevpn-worker
on V1-1 systemctl start routevpn@rv0
expect "the link comes up again" on V1-1 routevpn show --wait up --timeout 30 rv0
# shellcheck disable=SC2016
on V1-1 sh -c 'kill -KILL "$(systemctl show -p MainPID --value routevpn@rv0)"'
is_new() { on V1-1 routevpn show --wait up --timeout 1 rv0 && [[ $(on V1-1 pgrep -xc routevpn-worker) == 1 ]]; }
expect "after a kill -9 of the monitor there is one worker, and the link comes up" wait_for is_new
