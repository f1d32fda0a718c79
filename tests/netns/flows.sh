# shellcheck shell=bash
# Pings and TCP through the link of lib.sh. Source this after lib.sh. No result depends on the text
# that ping, fping or iperf3 print, because it differs between their versions.

declare -A PID # lib.sh's

start_iperf_server() { # NETNS
  start iperf_server "$1" iperf3 --server --one-off
  wait_for tcp_listens "$1" 5201 || fail "iperf3 does not listen"
}

# transfer TEXT NETNS NETNS ADDRESS OPTION...: one run of iperf3 from the first namespace to the
# second. Both ends end with status 0.
transfer() {
  local text=$1 from=$2 to=$3
  shift 3
  start_iperf_server "$to"
  in_ns "$from" timeout 100 iperf3 --client "$@" >"$DIR/iperf.log" 2>&1 || fail "$text"
  wait "${PID[iperf_server]}" || fail "$text: the server ended with status $?"
  unset "PID[iperf_server]"
  ok "$text"
}

# received_bytes NETNS: by rv0 there, as the kernel counts them.
received_bytes() { ip -n "$1" -s -j link show rv0 | jq '.[0].stats64.rx.bytes'; }

# start_pings NETNS TARGET COUNT PERIOD-MS [WAIT-S]: pings.py in the background. Waits for its first
# request: from then on SIGTERM ends it with a report.
start_pings() {
  rm -f "$DIR/pings.log"
  python3 "$(dirname "${BASH_SOURCE[0]}")/pings.py" "$@" >"$DIR/pings.json" 2>"$DIR/pings.log" \
    </dev/null &
  PID[pings]=$!
  wait_for test -s "$DIR/pings.log" || fail "pings.py does not start"
}

# pings_are TEXT FILTER: waits for the end of pings.py. The jq filter over its report gives true.
pings_are() {
  wait "${PID[pings]}" || fail "$1: pings.py failed"
  unset "PID[pings]"
  jq -e "$2" "$DIR/pings.json" >"$DIR/pings.out" || fail "$1: not $2"$'\n'"$(<"$DIR/pings.json")"
  ok "$1"
}
# shellcheck disable=SC2034 # used by the scripts that source this file
ALL_ANSWERED='.sent == .answered and .duplicates + .altered == 0'
