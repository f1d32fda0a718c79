#!/usr/bin/env bash
# When the peer stops, the loss of the carrier is known at once to the kernel's listeners, in the routes and to
# BIRD, 20 times of 20.
#
# Each time is taken from the moment when the link sets the carrier off, and from the SIGTERM to the peer.
#
# The peer is the initiator a. It is stopped by SIGTERM, and started again. In 10 of the tries the carrier has
# come on up to a second before. In the other 10, another interface of the machine has lost its carrier up to a
# second before: up to Linux 6.7, the kernel's link watch announces losses at most once a second for the whole
# machine.
# shellcheck source-path=SCRIPTDIR source=../netns/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../netns/lib.sh"

HERE=$(dirname "${BASH_SOURCE[0]}")
readonly TRIES=20 LIMIT_MS=50
TIMES=(--detection normal)

has_interface_in_bird() { grep -q 'interface rv0 ' "$DIR/bird.trace"; }

start_bird() {
  cat >"$DIR/bird.conf" <<END
log "$DIR/bird.trace" all;
timeformat log "%s.%6f";
router id 10.255.0.2;
protocol device { scan time 10; }
protocol direct { check link yes; debug { interfaces }; ipv4; ipv6; interface "rv*"; }
END
  start bird "$PRIV_B" bird -f -c "$DIR/bird.conf" -s "$DIR/bird.ctl"
  wait_for has_interface_in_bird || fail "BIRD does not see rv0"
}

# BIRD has seen the carrier come on: then its next line about the link is the loss.
bird_saw_up() { birdc -s "$DIR/bird.ctl" show interfaces | grep -A 1 '^rv0 ' | grep -q ' LinkUp '; }

# lose [OTHER-NETNS OTHER-IFNAME MS-BEFORE]: stops a. Appends the times to $DIR/times.
lose() {
  python3 "$HERE/carrier_times.py" "${PID[a]}" "${PID[b]}" "$PRIV_B" "$DIR/bird.trace" \
    $((DEADLINE_S * 1000)) "$@" >>"$DIR/times" 2>"$DIR/watch.log" || fail "no times: $(<"$DIR/watch.log")"
  wait "${PID[a]}" || fail "a ended with status $?"
  unset "PID[a]"
}

start_again() {
  link_a "${TIMES[@]}"
  wait_up a
  wait_up b
  wait_for bird_saw_up || fail "BIRD does not see the carrier come on"
}

random_ms() { echo $((RANDOM % 950)); }

# times_of AWK-EXPRESSION: of the columns off, event, linkdown and bird, ascending.
times_of() {
  awk "{ off = \$1; event = \$2; linkdown = \$3; bird = \$4; printf \"%.1f\n\", $1 }" "$DIR/times" | sort -n
}

# figures TEXT AWK-EXPRESSION: sets MEDIAN, and BELOW, the number of times below the limit.
figures() {
  local least longest
  read -r least MEDIAN longest < <(times_of "$2" | sed -n "1p;$((TRIES / 2))p;\$p" | paste -sd ' ')
  BELOW=$(times_of "$2" | awk -v limit="$LIMIT_MS" '$1 < limit' | wc -l)
  echo "# $1: least, median, longest: $least $MEDIAN $longest ms, $BELOW of $TRIES below $LIMIT_MS ms"
}

# expect_each TEXT AWK-EXPRESSION: what the kernel does is below the limit each time.
expect_each() {
  figures "$@"
  expect_equal "$1 takes less than $LIMIT_MS ms each time" "$TRIES" "$BELOW"
}

# expect_median TEXT AWK-EXPRESSION: this includes the work of two links in an emulated machine, which other work
# on the real machine slows down.
expect_median() {
  figures "$@"
  expect "$1 takes less than $LIMIT_MS ms in the median" awk -v median="$MEDIAN" -v limit="$LIMIT_MS" \
    'BEGIN { exit !(median < limit) }'
}

# The kernel's tracer notes each netif_carrier_off(), with the clock of python's time.monotonic().
trace_carrier() {
  local tracing=/sys/kernel/tracing
  echo mono >"$tracing/trace_clock"
  echo 'p:routevpn_off netif_carrier_off' >"$tracing/kprobe_events"
  echo 1 >"$tracing/events/kprobes/routevpn_off/enable"
}

trace_carrier
wire "$PUB_A" other "$PUB_B" other
two_links "${TIMES[@]}"
start_bird
wait_for bird_saw_up || fail "BIRD does not see the carrier"
# QEMU translates each piece of code before its first use: the first losses are not measured.
for ((try = -2; try < TRIES; ++try)); do
  if ((try == 0)); then rm "$DIR/times"; fi
  if ((try % 2)); then
    lose "$PUB_A" other "$(random_ms)"
    ip -n "$PUB_A" link set other up
  else
    sleep "$(printf '0.%03d' "$(random_ms)")" # the random interval, not a wait for a condition
    lose
  fi
  start_again
done
echo "# a wake-up of a process here: least, median, longest: $(python3 "$HERE/carrier_times.py" --wake-up 300) ms"
sed 's/^/# off, event, linkdown, BIRD: /' "$DIR/times"
expect_each "carrier off to link event" "event - off"
expect_each "carrier off to linkdown routes" "linkdown - off"
expect_each "carrier off to BIRD's log line" "bird - off"
expect_median "SIGTERM to link event" event
expect_median "SIGTERM to linkdown routes" linkdown
expect_median "SIGTERM to BIRD's log line" bird
