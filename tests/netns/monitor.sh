#!/usr/bin/env bash
# The monitor of a link and a worker that plays a script (tests/tools/fake_worker.cpp): what it may not send while
# it stops, how often the monitor signs, and workers that hang, do not read or end in a wrong way.
#
#   FAKE_WORKER   the program `fake_worker` (fake_worker of PATH)
#   SLOW=1        also a worker that does not become ready, which takes 20 s
EXPECT_REFUSED=1
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

ROUTEVPN=$(command -v "${FAKE_WORKER:-fake_worker}") || fail "FAKE_WORKER is not a program"

log_has() { grep -qE "$1" "$DIR/a.log"; }
refused() { sed -n 's/.*messages of the worker were refused all=\([0-9]*\).*/\1/p' "$DIR/a.log" | tail -n 1; }

# play SCRIPT [OPTION...]: starts the link with a worker of this script, and a new log.
play() {
  rm -f "$DIR/a.log"
  FAKE_WORKER_SCRIPT=$1 link_a "${@:2}"
}

# expect_stop TEXT: SIGTERM ends the link with status 0.
expect_stop() {
  local status=0
  stop a || status=$?
  expect_equal "$1: SIGTERM ends the link with status 0" 0 "$status"
}

play stop
wait_for log_has "fake: runs" || fail "the worker does not run"
expect_stop "a worker that stops"
expect_equal "what it may not send while it stops is refused" \
  "$(sed -n 's/^fake: refused //p' "$DIR/a.log")" "$(refused)"

play sign_often
wait_for log_has "fake: signatures" || fail "the worker does not ask for signatures"
read -r made all <<<"$(sed -n 's/^fake: signatures \([0-9]*\) of/\1/p' "$DIR/a.log")"
expect "the monitor makes 585 signatures at once, of $all" test "$made" -ge 585
expect "but not all" test "$made" -lt "$all"
expect "the log has the reason" log_has "the worker asks for too many signatures"
expect_stop "a worker that asks for too many signatures"
expect_equal "each further request is refused" "$((all - made))" "$(refused)"

play never_read
expect "a worker that does not read its answers is replaced" wait_for log_has 'worker has died.*end="signal 9'
expect "the log has the reason" log_has "the worker does not read its messages and is killed"
expect_stop "a worker that does not read"

play close_pair
expect "a worker that closes its end of the pair is replaced" wait_for log_has 'worker has died.*end="signal 9'
expect_stop "a worker without its end of the pair"

play exit_early
expect "a worker that ends before it is ready is replaced" wait_for log_has 'worker has died.*end="status 3"'
expect_stop "a worker that ends at once"

# It is not reaped, because the monitor is stopped.
worker_is_dead() { [[ $(ps -o stat= --ppid "${PID[a]}") == *Z* ]]; }
ends_are() { (($(grep -c "fake: ends" "$DIR/a.log") == $1)); }
times_on() { in_ns "$PRIV_A" cat /sys/class/net/rv0/carrier_up_count; }
play carrier_on_and_end
wait_for ends_are 1 || fail "the worker does not end"
wait_for worker_is_dead || fail "the worker does not end"
before=$(times_on)
kill -CONT "${PID[a]}"
wait_for ends_are 2 || fail "the next worker does not end"
expect_equal "the carrier stays off at the request of a dead worker" "$before" "$(times_on)"
kill -CONT "${PID[a]}"
stop a KILL || true

receive_notifications
last_is() { [[ $(grep "$2" "$1" | tail -n 1) == "$3" ]]; } # FILE PATTERN LINE
NOTIFY_SOCKET=$DIR/notify play announce_and_end \
  --on-state "echo \$ROUTEVPN_STATE \$ROUTEVPN_REASON >>$DIR/states"
wait_for log_has "worker has died.*delay_ms=2000" || fail "the worker does not die"
expect "after a worker's death --on-state runs for connecting" wait_for last_is "$DIR/states" . "connecting worker_died"
expect "and the service manager has that status" wait_for last_is "$DIR/notify.out" STATUS= \
  "STATUS=connecting: the worker has died (status 3) and is replaced"
expect_stop "a link that waits with the next worker"
expect "--on-state runs for down" wait_for last_is "$DIR/states" . "down stopped"
expect "and the service manager has that status" wait_for last_is "$DIR/notify.out" STATUS= "STATUS=down: stopped as asked"
stop notify || true

play end_and_hang
expect "a worker that ends without a reason, and does not end, is replaced" wait_for log_has 'worker has died.*end="signal 9'
expect_stop "a worker that does not end"
play end_unasked
expect "a worker that ends as if it had been asked is replaced" wait_for log_has 'worker has died'
expect_stop "a worker that ends unasked"

reload() { "$ROUTEVPN" reload rv0 --run-dir "$DIR/a"; } # as root
rm "$DIR/notify"
receive_notifications
# expect_reload TEXT STATUS: the service manager was told of a reload, and at its end of this status.
expect_reload() {
  wait_for last_is "$DIR/notify.out" STATUS= "$2" || fail "$1: $(tail -n 2 "$DIR/notify.out")"
  expect_equal "$1" "RELOADING=1 MONOTONIC_USEC READY=1 $2" \
    "$(sed 's/^\(MONOTONIC_USEC\)=[0-9]*$/\1/' "$DIR/notify.out" | tail -n 4 | paste -sd ' ')"
}
NOTIFY_SOCKET=$DIR/notify play reload_thrice
wait_for log_has "fake: runs" || fail "the worker does not run"
expect "reload returns when the worker has taken the files" reload
expect_reload "the service manager sees a reload that succeeds" "STATUS="
expect_not "it fails when the worker does not take them" reload
expect_reload "the service manager sees that the worker did not take the files" \
  "STATUS=the last reload failed: the worker did not take the files; the log has the reason"
expect_not "it fails when the worker ends before that" reload
expect_reload "the service manager sees that the worker has ended" \
  "STATUS=the last reload failed: the worker has ended before it took the files"
stop notify || true
expect_stop "a worker that ends at a reload"
expect_equal "what does not answer a reload is refused" 4 "$(refused)"

# The manager's own log is that of the link.
rm -f "$DIR/a.log"
mkdir -p "$DIR/a"
printf '%s\n' "peer = 192.0.2.2" "peer-name = b" "ifname = rv0" "netns = $PRIV_A" "address = 10.255.0.1/30" \
  "cert = $DIR/a.cert" "key = $DIR/a.key" "ca = $DIR/ca.cert" "run-dir = $DIR/a" >"$DIR/a/rv0.conf"
FAKE_WORKER_SCRIPT=leave_and_ask start a "$PUB_A" python3 "$(dirname "${BASH_SOURCE[0]}")/service_manager.py" \
  "$DIR/manager" "$ROUTEVPN" --config "$DIR/a/rv0.conf"
wait_for log_has "fake: runs" || fail "the worker does not run"
kill -USR1 "${PID[a]}"
wait_for log_has "fake: answered" || fail "the worker gets no answer"
expect_equal "a monitor that has left its link leaves later requests to the next" "ended 0 fake: answered" \
  "$(grep -m 2 -E '^(ended |fake: answered)' "$DIR/a.log" | paste -sd ' ')"
expect_stop "a link whose worker does not hand over"

play hang_at_stop
wait_for log_has "fake: runs" || fail "the worker does not run"
expect_stop "a worker that does not stop"
expect "the log has its end" log_has 'worker has died during the stop.*end="signal 9'

play never_ready
wait_for log_has "fake: hangs" || fail "the worker does not hang"
expect_stop "a worker that is not ready"
if [[ -n ${SLOW:-} ]]; then
  play never_ready
  expect "a worker that does not become ready is replaced" wait_for log_has 'worker has died.*end="signal 9'
  expect "the log has the reason" log_has "the worker does not answer"
  expect_stop "its successor"
fi
