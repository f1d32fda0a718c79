#!/usr/bin/env bash
# A worker that dies at once, again and again: after ten deaths the monitor ends and leaves nothing behind.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=workers.sh
source "$(dirname "${BASH_SOURCE[0]}")/workers.sh"

# Kills each worker of a until the monitor ends. Prints how many.
kill_all_workers() {
  local pid last='' killed=0 end=$(($(now_cs) + 6000))
  until gone "${PID[a]}" 2>/dev/null; do
    (($(now_cs) < end)) || return 1
    pid=$(child a)
    if [[ -n $pid && $pid != "$last" ]] && kill -KILL "$pid"; then
      last=$pid
      killed=$((killed + 1))
    fi
    sleep 0.01
  done
  echo "$killed"
}

keep_traces
two_links "${ROUTES[@]}"
wait_for lived "$(child a)"
killed=$(kill_all_workers) || fail "the monitor does not end"
expect_equal "the monitor ends after 10 deaths" 10 "$killed"
expect_end "with status 1" a 1
expect "the log has the reason" grep -q "the worker has died 10 times within a minute" "$DIR/a.log"
expect "no interface, route, rule or process is left" wait_for is_as_before
expect_not "and no control socket" test -e "$DIR/a/rv0.sock"
stop b || fail "link b ended with status $?"
