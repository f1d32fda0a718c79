#!/usr/bin/env bash
# The worker of one end is an intruder (tests/tools/caged.cpp). It tries system calls in each of its threads,
# and sends invalid and random messages to its monitor. The kernel and the monitor refuse all of it, and count
# it. The link stays up, and its peer notices nothing.
#
#   CAGED         the program `caged` (caged of PATH)
#   MESSAGES=N    random messages of the worker, 1000000
EXPECT_REFUSED=1
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

CAGED=$(command -v "${CAGED:-caged}") || fail "CAGED is not a program"
MESSAGES=${MESSAGES:-1000000}
GROWTH_KIB=768 # of the monitor; a leak of one byte for each message would be 977 KiB
# The control thread answers its peer only after its last message.
OPTIONS=(--dead-after 60000)
declare -A PEER_OF=([a]=b [b]=a) PRIVATE=([a]=$PRIV_A [b]=$PRIV_B) ADDRESS=([a]=10.255.0.1 [b]=10.255.0.2)

fds() { find "/proc/${PID[$1]}/fd" -mindepth 1 | wc -l; }
fds_are() { [[ $(fds "$1") == "$2" ]]; }
rss_kib() { awk '/^RssAnon:/ { print $2 }' "/proc/${PID[$1]}/status"; }
rekeyed() { (($(show "$1" .rekeys) >= 1)); }

# ping_from a|b: pings pass in both directions.
ping_from() {
  in_ns "${PRIVATE[$1]}" ping -q -c 5 -i 0.05 -w "$DEADLINE_S" "${ADDRESS[${PEER_OF[$1]}]}"
}

# results a|b ROLE: of each attempt, one per line.
results() { sed -n "s/^probe $2 .*: //p" "$DIR/$1.log"; }

# number a|b TEXT FIELD: of the line "probe TEXT...FIELD N".
number() { sed -n "s/^probe $2.*$3 \([0-9]*\).*/\1/p" "$DIR/$1.log"; }

# refused a|b: how many messages the monitor has refused, by its log.
refused() { sed -n 's/.*messages of the worker were refused all=\([0-9]*\).*/\1/p' "$DIR/$1.log" | tail -n 1; }
has_logged() { (($(refused "$1") >= $2)); } # a|b NUMBER

check_calls() { # a|b
  local role
  for role in lane control; do
    expect "$role thread: $(results "$1" "$role" | wc -l) attempts" \
      test "$(results "$1" "$role" | wc -l)" -gt 100
    expect_equal "$role thread: each fails with EPERM" EPERM "$(results "$1" "$role" | sort -u)"
  done
  expect_equal "each is counted" "$(($(number "$1" lane 'calls,') + $(number "$1" control 'calls,')))" \
    "$(show "$1" .refused_system_calls)"
  expect "the log has the refused system calls" wait_for grep -q "system calls were refused" "$DIR/$1.log"
}

check_messages() { # a|b
  local least most
  least=$(($(number "$1" 'lane messages' refused) + $(number "$1" 'control all' refused)))
  most=$((least + $(number "$1" 'control all' undecided)))
  expect_not "the monitor answers each request" grep "monitor does not answer" "$DIR/$1.log"
  expect "$least messages were refused" wait_for has_logged "$1" "$least"
  expect "and $((most - least)) may have been accepted" test "$(refused "$1")" -le "$most"
}

# break_in a|b: restarts this end with a hostile worker.
break_in() {
  local end=$1 peer=${PEER_OF[$1]} mtu descriptors rss pid flaps growth
  mtu=$(show "$end" .mtu)
  descriptors=$(fds "$end")
  rss=$(rss_kib "$end")
  stop "$end" || fail "link $end ended with status $?"
  ROUTEVPN=$CAGED "link_$end" "${OPTIONS[@]}"
  pid=${PID[$end]}
  wait_for grep -q '^probe control all messages' "$DIR/$end.log" || fail "the worker of $end has not ended its attempts"
  wait_up "$end"
  wait_up "$peer"
  flaps=$(show "$peer" .flaps)
  check_calls "$end"
  check_messages "$end"
  expect "pings pass" ping_from "$end"
  expect_equal "the worker is the first" 1 "$(show "$end" .worker_starts)"
  expect_equal "its monitor is the process that was started" "$pid" "$(show "$end" .monitor_pid)"
  expect_equal "the interface's MTU is as before" "$mtu" "$(show "$end" .mtu)"
  expect_equal "the interface lost no carrier" "true 0" "$(show "$end" '"\(.carrier) \(.flaps)"')"
  expect "the monitor has $descriptors descriptors, as that of the true program" wait_for fds_are "$end" "$descriptors"
  growth=$(($(rss_kib "$end") - rss))
  expect "its memory is $growth KiB more" test "$growth" -le "$GROWTH_KIB"
  kill -HUP "$pid"
  expect "the monitor signs a further handshake" wait_for rekeyed "$end"
  expect "pings pass after it" ping_from "$end"
  expect_equal "no carrier of the peer changed" "$flaps" "$(show "$peer" .flaps)"
  stop "$end" || fail "link $end ended with status $?"
  ok "the link ends with status 0"
}

export CAGED_MESSAGES=$MESSAGES
two_links "${OPTIONS[@]}"
break_in a
CAGED_MESSAGES=$((MESSAGES / 10))
link_a "${OPTIONS[@]}"
wait_up a
wait_up b
break_in b
