#!/usr/bin/env bash
# The capabilities of each process of a link, and what still works without the others.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# Bits of linux/capability.h
readonly NET_ADMIN=$((1 << 12)) SYS_ADMIN=$((1 << 21)) SYS_PTRACE=$((1 << 19)) SYS_MODULE=$((1 << 16))
readonly CHOWN=1 DAC_OVERRIDE=2 NET_BIND_SERVICE=$((1 << 10))

# set_of PID NAME: a capability set of a process, as a number.
set_of() {
  local hex
  hex=$(awk -v name="$2:" '$1 == name { print $2 }' "/proc/$1/status")
  echo $((16#$hex))
}
# has PID NAME BITS: yes if all these bits are in the set, no if none is.
has() {
  local bits=$(($(set_of "$1" "$2") & $3))
  case $bits in "$3") echo yes ;; 0) echo no ;; *) echo some ;; esac
}
child_of_a() { ps -o pid=,comm= --ppid "${PID[a]}" | awk -v name="$1" '$2 == name { print $1 }'; }
forwarding() { in_ns "$PRIV_A" cat /proc/sys/net/ipv4/ip_forward; }
forwarding_is() { [[ $(forwarding) == "$1" ]]; }
hook_ran() { [[ -s $DIR/hook.status ]]; }

link_b
wait_for has_socket b || fail "link b did not start"
in_ns "$PRIV_A" sh -c 'echo 0 >/proc/sys/net/ipv4/ip_forward'
link_a --nat --public-netns "$PUB_A" \
  --on-state "cp /proc/self/status $DIR/hook.new && mv $DIR/hook.new $DIR/hook.status"
wait_up a
monitor=${PID[a]}

# The monitor -----------------------------------------------------------------------------------------
expect_equal "CAP_SYS_ADMIN of the monitor is not effective" no "$(has "$monitor" CapEff $SYS_ADMIN)"
expect_equal "and is permitted, for namespaces" yes "$(has "$monitor" CapPrm $SYS_ADMIN)"
expect_equal "CAP_NET_ADMIN is effective" yes "$(has "$monitor" CapEff $NET_ADMIN)"
expect_equal "what the monitor does not need is not permitted" no "$(has "$monitor" CapPrm \
  $((SYS_PTRACE | SYS_MODULE | CHOWN | DAC_OVERRIDE | NET_BIND_SERVICE)))"

# Its children ----------------------------------------------------------------------------------------
expect_equal "the guardian has CAP_NET_ADMIN alone" $NET_ADMIN \
  "$(set_of "$(child_of_a routevpn-guard)" CapPrm)"
expect_equal "the worker has no capability" "0 0 0" "$(for name in CapEff CapPrm CapBnd; do
  set_of "$(child_of_a routevpn-worker)" $name; done | xargs)"
expect "a command of --on-state runs" wait_for hook_ran
expect_equal "with all capabilities of the bounding set" \
  "$(awk '$1 == "CapBnd:" { print $2 }' "/proc/$monitor/status")" \
  "$(awk '$1 == "CapEff:" { print $2 }' "$DIR/hook.status")"

# A new worker gets its confinement, and the MTU and carrier of another namespace follow --------------
worker=$(child_of_a routevpn-worker)
kill -KILL "$worker"
replaced() { [[ -n $(child_of_a routevpn-worker) && $(child_of_a routevpn-worker) != "$worker" ]]; }
expect "a killed worker is replaced" wait_for replaced
wait_up a
expect "a ping passes" in_ns "$PRIV_A" ping -c 1 -W "$DEADLINE_S" 10.255.0.2
kill -HUP "$monitor"
expect "a reload reads the credentials" wait_for grep -q "were loaded again" "$DIR/a.log"

# The guardian is killed: the monitor enters its namespace and undoes its work ------------------------
expect "forwarding is on" forwarding_is 1
kill -KILL "$(child_of_a routevpn-guard)"
status=0
wait "$monitor" || status=$?
unset "PID[a]"
expect_equal "a link without its guardian ends with status 1" 1 "$status"
expect "forwarding is off again" forwarding_is 0
expect_not "no rule was left" grep -q "rules remain" "$DIR/a.log"

# As in the unit: started in a namespace without interfaces, with the public one as standard input -----
EMPTY=rv$$-empty
namespace "$EMPTY"
ip netns exec "$EMPTY" "$ROUTEVPN" --peer "${PEER[4]}" --peer-name b --ifname rv0 --netns "$PRIV_A" \
  -a 10.255.0.1/30 --cert "$DIR/a.cert" --key "$DIR/a.key" --ca "$DIR/ca.cert" --run-dir "$DIR/a" \
  >>"$DIR/a.log" 2>&1 <"/run/netns/$PUB_A" &
PID[a]=$!
wait_up a
expect "a ping passes" in_ns "$PRIV_A" ping -c 1 -W "$DEADLINE_S" 10.255.0.2
expect_equal "the monitor is in the public namespace" "$PUB_A" "$(ip netns identify "${PID[a]}")"
expect_equal "the worker stays in the empty one" "$EMPTY" \
  "$(ip netns identify "$(child_of_a routevpn-worker)")"
# In a chroot the path has its directory before it.
expect "no child gets a namespace as standard input" test "/proc/${PID[a]}/fd/0" -ef /dev/null
stop a || fail "link a ended with status $?"

# Without the right to use bpf(2), as in many containers: sparse flows have no queue of their own -------
start a "$PUB_A" setpriv --bounding-set=-sys_admin,-bpf -- "$ROUTEVPN" --peer "${PEER[4]}" --peer-name b \
  --ifname rv0 -a 10.255.0.1/30 --cert "$DIR/a.cert" --key "$DIR/a.key" --ca "$DIR/ca.cert" --run-dir "$DIR/a"
wait_up a
has_queues() { ip -n "$1" -d link show rv0 | grep -q multi_queue; }
expect "a ping passes" in_ns "$PUB_A" ping -c 1 -W "$DEADLINE_S" 10.255.0.2
expect "the log has the reason" grep -q 'sparse flows share the thread of the others error="[^"]*not permitted"' \
  "$DIR/a.log"
expect_not "the interface has one queue" has_queues "$PUB_A"
expect "that of b has two" has_queues "$PRIV_B"
stop a || fail "link a ended with status $?"
stop b || fail "link b ended with status $?"
