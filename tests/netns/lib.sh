# shellcheck shell=bash
# Two gateways with a link between them, each in a public and a private network namespace.
#
#   PRIV_A                   PUB_A              PUB_B                   PRIV_B
#   rv0 ........ link a ..... eth0 -- 192.0.2 -- eth0 ..... link b ....... rv0
#   10.255.0.1/30             .1 2001:db8::/64 .2            10.255.0.2/30
#   2001:db8:ff::/127         ::1             ::2            2001:db8:ff::1/127
#
# a is the initiator, b the acceptor. Source this file: it makes the namespaces and the certificates.
# When the script ends, by itself or by a signal, everything that was made is removed. Logs and sockets
# are in DIR: a.log, a/rv0.sock.
#
#   ROUTEVPN   the binary to test (routevpn of PATH)
#   KEEP=1     keep DIR
#
# A script fails if the monitor or the kernel refused something to a worker, unless it sets EXPECT_REFUSED=1.
#
# A script is a list of checks. Each prints "ok - TEXT". The first that fails prints its evidence and
# ends the script with status 1. Scripts do not sleep for a guessed time: wait_for polls a condition.
# Checks read the standard output of tools, because their standard error may have warnings.

set -euo pipefail
umask 022  # the program refuses files that the group can write to

ROUTEVPN=$(command -v "${ROUTEVPN:-routevpn}") || { echo "ROUTEVPN is not a program" >&2; exit 1; }
DIR=$(mktemp -d "${TMPDIR:-/tmp}/routevpn-$$-XXXXXX")
PUB_A=rv$$-pub-a PRIV_A=rv$$-priv-a PUB_B=rv$$-pub-b PRIV_B=rv$$-priv-b
OUTER=4  # IP version outside: 4 or 6
PORT=7754
# How long a condition may take before the test fails, in seconds. It measures nothing: an idle machine
# needs a small part of it, so that other work on the machine does not move a result.
DEADLINE_S=${DEADLINE_S:-30}
declare -A PEER=([4]=192.0.2.2 [6]='[2001:db8::2]')  # by IP version: the endpoint that a sends to
declare -A PID=()     # of the processes that start() started, by name
declare -a SPACES=()  # namespaces to delete
export PYTHONDONTWRITEBYTECODE=1
readonly DIR PUB_A PRIV_A PUB_B PRIV_B PORT DEADLINE_S

# --- checks -------------------------------------------------------------------------------------

ok() { echo "ok - $*"; }

fail() {
  echo "not ok - $*" >&2
  exit 1
}

# expect TEXT COMMAND...: the command succeeds. If it fails, its output is shown.
expect() {
  local text=$1 output
  shift
  output=$("$@" 2>&1) || fail "$text"$'\n'"  failed: $*"$'\n'"$output"
  ok "$text"
}

# expect_not TEXT COMMAND...: the command fails.
expect_not() {
  local text=$1 output
  shift
  if output=$("$@" 2>&1); then fail "$text"$'\n'"  succeeded: $*"$'\n'"$output"; fi
  ok "$text"
}

# expect_equal TEXT WANTED GOT
expect_equal() {
  [[ $2 == "$3" ]] || fail "$1: wanted '$2', got '$3'"
  ok "$1"
}

# Hundredths of a second since boot. Setting the clock does not change them.
now_cs() {
  local up
  read -r up _ </proc/uptime
  echo $((10#${up/./}))
}

# wait_for COMMAND...: repeats the command until it succeeds. After DEADLINE_S it fails and prints the
# last output of the command.
wait_for() {
  local end=$(($(now_cs) + DEADLINE_S * 100))
  until "$@" >"$DIR/wait_for.out" 2>&1; do
    (($(now_cs) < end)) || { cat "$DIR/wait_for.out"; return 1; }
    sleep 0.02
  done
}

# --- processes and namespaces -------------------------------------------------------------------

in_ns() { ip netns exec "$@"; }

# start NAME NETNS COMMAND...: in the background, output appended to DIR/NAME.log, pid in PID[NAME].
start() {
  local name=$1 space=$2
  shift 2
  ip netns exec "$space" "$@" >>"$DIR/$name.log" 2>&1 </dev/null &
  PID[$name]=$!
}

# receive_notifications: in place of systemd, at the socket DIR/notify. What comes is in DIR/notify.out.
receive_notifications() {
  python3 "$(dirname "${BASH_SOURCE[0]}")/notifications.py" "$DIR/notify" >"$DIR/notify.out" &
  PID[notify]=$!
  wait_for test -S "$DIR/notify" || fail "no notification socket"
}

# unanswered NAME: prints how many pings of the `ping` that was started with this name had no answer. Pings
# after the last answer do not count: the last one can be on its way when ping is stopped.
unanswered() {
  sed -n 's/.*bytes from .*icmp_seq=\([0-9]*\).*/\1/p' "$DIR/$1.log" | sort -nu |
    awk 'END { print NR ? $1 - NR : "all" }'
}

# start_monitor NAME NETNS OBJECT...: `ip monitor` in that namespace. Its events are in DIR/NAME.events;
# its standard error, for example warnings about stale namespace names, is in DIR/NAME.log.
# Returns when the monitor has joined the netlink groups.
start_monitor() {
  local name=$1 space=$2
  shift 2
  ip netns exec "$space" stdbuf -oL ip monitor "$@" >"$DIR/$name.events" 2>>"$DIR/$name.log" \
    </dev/null &
  PID[$name]=$!
  wait_for has_groups "${PID[$name]}" || fail "ip monitor does not run in $space"
}
has_groups() {
  awk -v pid="$1" '$3 == pid && $4 != "00000000" { found = 1 } END { exit !found }' \
    "/proc/$1/net/netlink"
}

# stop NAME [SIGNAL]: ends a process that start() started and waits for it. Returns its exit status.
stop() {
  local pid=${PID[$1]} status=0
  unset "PID[$1]"
  kill "-${2:-TERM}" "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || status=$?
  return "$status"
}

# expect_end TEXT NAME STATUS: the process ends by itself, with this exit status.
expect_end() {
  local status=0
  wait_for gone "${PID[$2]}" || fail "$1: it does not end"
  wait "${PID[$2]}" 2>/dev/null || status=$?
  unset "PID[$2]"
  expect_equal "$1" "$3" "$status"
}

# namespace NAME: makes it, with lo up. NAME contains the pid of the script.
namespace() {
  ip netns add "$1"
  SPACES+=("$1")
  ip -n "$1" link set lo up
}

# wire NETNS IFNAME NETNS IFNAME: a veth between two namespaces, both ends up.
wire() {
  ip -n "$1" link add "$2" type veth peer name "$4" netns "$3"
  ip -n "$1" link set "$2" up
  ip -n "$3" link set "$4" up
}

# private_kib PID: its private memory, without pages of files.
private_kib() { awk '/^Anonymous:/ { print $2 }' "/proc/$1/smaps_rollup"; }

gone() { ! kill -0 "$1"; }

# tcp_listens NETNS PORT
tcp_listens() { in_ns "$1" ss -Hltn "sport = :$2" | grep -q .; }

ends_within_2_s() {
  local end=$(($(now_cs) + 200))
  until gone "$1" 2>/dev/null; do
    (($(now_cs) < end)) || return 1
    sleep 0.02
  done
}

clean_up() {
  local status=$? name space
  trap - EXIT
  trap '' INT TERM HUP PIPE
  set +e
  if [[ -z ${EXPECT_REFUSED:-} ]] &&
    grep -s 'system calls were refused\|messages of the worker were refused' "$DIR"/*.log; then
    echo "not ok - a worker did something that it may not do"
    ((status)) || status=1
  fi
  if ((status)); then
    for name in "$DIR"/*.log; do
      [[ -s $name ]] && { echo "--- ${name##*/}, end of"; tail -n 25 "$name"; } >&2
    done
  fi
  for name in "${!PID[@]}"; do kill "${PID[$name]}" 2>/dev/null; done
  for name in "${!PID[@]}"; do
    ends_within_2_s "${PID[$name]}" || kill -KILL "${PID[$name]}"
  done
  for space in "${SPACES[@]}"; do ip netns delete "$space"; done
  if [[ -n ${KEEP:-} ]]; then echo "kept $DIR" >&2; else rm -rf "$DIR"; fi
  exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP PIPE

# --- the two gateways ---------------------------------------------------------------------------

make_underlay() {
  local space
  for space in "$PUB_A" "$PRIV_A" "$PUB_B" "$PRIV_B"; do namespace "$space"; done
  wire "$PUB_A" eth0 "$PUB_B" eth0
  ip -n "$PUB_A" address add 192.0.2.1/24 dev eth0
  ip -n "$PUB_B" address add 192.0.2.2/24 dev eth0
  ip -n "$PUB_A" address add 2001:db8::1/64 dev eth0 nodad
  ip -n "$PUB_B" address add 2001:db8::2/64 dev eth0 nodad
}

# make_router NAME A NEAR FAR B: the namespace NAME in place of the wire. The addresses have the length 24.
#
#   PUB_A eth0 A ---- NEAR a0  NAME  b0 FAR ---- B eth0 PUB_B
make_router() {
  namespace "$1"
  ip -n "$PUB_A" link delete eth0
  wire "$PUB_A" eth0 "$1" a0
  wire "$1" b0 "$PUB_B" eth0
  ip -n "$PUB_A" address add "$2/24" dev eth0
  ip -n "$1" address add "$3/24" dev a0
  ip -n "$1" address add "$4/24" dev b0
  ip -n "$PUB_B" address add "$5/24" dev eth0
  ip -n "$PUB_A" route replace default via "$3"
  in_ns "$1" sysctl -qw net.ipv4.ip_forward=1
}

# make_certificates NAME...: NAME.cert and NAME.key in DIR, signed by DIR/ca.cert.
make_certificates() {
  local name
  [[ -e $DIR/ca.cert ]] || "$ROUTEVPN" pki ca --dir "$DIR" >"$DIR/pki.out"
  for name in "$@"; do
    "$ROUTEVPN" pki csr --dir "$DIR" --name "$name" >>"$DIR/pki.out"
    "$ROUTEVPN" pki sign --dir "$DIR" --name "$name" >>"$DIR/pki.out"
  done
}

# link_a [OPTION...], link_b [OPTION...]: starts that end, over the IP version OUTER.
link_a() {
  mkdir -p "$DIR/a"
  start a "$PUB_A" "$ROUTEVPN" --peer "${PEER[$OUTER]}" --peer-name b --ifname rv0 --netns "$PRIV_A" \
    -a 10.255.0.1/30 -a 2001:db8:ff::/127 --cert "$DIR/a.cert" --key "$DIR/a.key" \
    --ca "$DIR/ca.cert" --run-dir "$DIR/a" "$@"
}

link_b() {
  local own=192.0.2.2
  [[ $OUTER == 6 ]] && own='[2001:db8::2]'
  mkdir -p "$DIR/b"
  start b "$PUB_B" "$ROUTEVPN" --listen "$own:$PORT" --peer-name a --ifname rv0 --netns "$PRIV_B" \
    -a 10.255.0.2/30 -a 2001:db8:ff::1/127 --cert "$DIR/b.cert" --key "$DIR/b.key" \
    --ca "$DIR/ca.cert" --run-dir "$DIR/b" "$@"
}

has_socket() { [[ -S $DIR/$1/rv0.sock ]]; }

# wait_up a|b
wait_up() {
  wait_for has_socket "$1" || fail "link $1 did not start"
  "$ROUTEVPN" show --run-dir "$DIR/$1" --wait up --timeout "$DEADLINE_S" >"$DIR/wait_up.out" \
    2>&1 || fail "link $1 is not up after $DEADLINE_S s"
}

# two_links [OPTION...]: starts both ends with these options and waits until they are up.
two_links() {
  link_b "$@"
  wait_for has_socket b || fail "link b did not start"
  link_a "$@"
  wait_up a
  wait_up b
}

# Both ends get SIGTERM before the first wait. A link that is stopped by SIGTERM ends with status 0.
stop_links() {
  local name
  for name in a b; do
    [[ -z ${PID[$name]:-} ]] || kill -TERM "${PID[$name]}" || fail "link $name has ended already"
  done
  for name in a b; do
    [[ -n ${PID[$name]:-} ]] || continue
    wait "${PID[$name]}" || fail "link $name ended with status $?"
    unset "PID[$name]"
  done
}

# show a|b FILTER: the status of that end by `show --json`, through a jq filter.
show() { "$ROUTEVPN" show --run-dir "$DIR/$1" --json | jq -r ".[0] | $2"; }

# drops a|b REASON...: the sum of these drops at that end.
drops() {
  local names
  names=$(printf '"%s",' "${@:2}")
  show "$1" "[.drops[${names%,}] // 0] | add"
}
drops_are() { [[ $(drops "$1" "$2") == "$3" ]]; } # a|b REASON NUMBER

make_underlay
make_certificates a b
