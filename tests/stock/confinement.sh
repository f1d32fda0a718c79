#!/usr/bin/env bash
# The worker is confined by everything that this kernel has, and the link runs so without a warning. --nat works,
# with an nftables table that goes away with its owner.
# shellcheck source-path=SCRIPTDIR source=../netns/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../netns/lib.sh"

# The kernel's version of Landlock, or the error.
landlock() {
  python3 -c 'import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
abi = libc.syscall(444, None, 0, 1)
print(abi if abi > 0 else os.strerror(ctypes.get_errno()))'
}
status_of() { sed -n "s/^$2:[[:space:]]*//p" /proc/"$1"/task/*/status | sort -u; }
nat_tables() { in_ns "$1" nft -j list tables | jq '[.nftables[].table | select(. != null)] | length'; }
no_nat() { [[ $(nat_tables "$1") == 0 ]]; }

two_links --nat
for end in a b; do
  worker=$(show $end .pid)
  expect_equal "$end: the worker is not root" "$(id -u routevpn)" "$(status_of "$worker" Uid | cut -f 1)"
  expect_equal "$end: it has no capability" 0000000000000000 "$(status_of "$worker" CapBnd)"
  expect_equal "$end: each thread has a filter of system calls" 2 "$(status_of "$worker" Seccomp)"
  expect_equal "$end: no thread can gain privileges" 1 "$(status_of "$worker" NoNewPrivs)"
  # Under the unit's MemoryDenyWriteExecute= such a mapping is refused.
  expect_equal "$end: no memory is writable and executable" "" \
    "$(cat "/proc/$worker/maps" "/proc/${PID[$end]}/maps" | awk '$2 ~ /wx/')"
done
expect "a ping passes" in_ns "$PRIV_A" ping -q -c 5 -i 0.05 -W "$DEADLINE_S" 10.255.0.2

echo "# Landlock: version $(landlock); security modules: $(</sys/kernel/security/lsm)"
expect "this kernel has Landlock" test "$(landlock)" -ge 2

# flags owner: the kernel removes the table when the process that made it ends, also by SIGKILL.
expect_not "--nat: the private namespace of b has a table" no_nat "$PRIV_B"
table=$(in_ns "$PRIV_B" nft -j list tables | jq -r 'first(.nftables[].table | select(. != null)).name')
expect_not "another process cannot delete it" in_ns "$PRIV_B" nft delete table inet "$table"
in_ns "$PRIV_B" nft flush ruleset
expect "nft flush ruleset does not delete it" test "$(nat_tables "$PRIV_B")" -gt 0
for end in a b; do
  expect_not "$end logged no warning" grep -E 'warning:|error:' "$DIR/$end.log"
  expect_equal "$end: no system call was refused" 0 "$(show $end .refused_system_calls)"
done
stop b KILL || true
expect "after SIGKILL the table is gone" wait_for no_nat "$PRIV_B"

# The kernel itself refuses memory that is writable and executable, from Linux 6.3 on.
cat >"$DIR/refusing" <<END
#!/usr/bin/env python3
import ctypes, os, sys
PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN = 65, 1
if ctypes.CDLL(None).prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) != 0:
    print("no PR_SET_MDWE", flush=True)
os.execv("$ROUTEVPN", ["routevpn", *sys.argv[1:]])
END
chmod +x "$DIR/refusing"
ROUTEVPN=$DIR/refusing link_b --nat
wait_up b
wait_up a
if grep -q 'no PR_SET_MDWE' "$DIR/b.log"; then echo "# this kernel has no PR_SET_MDWE"; else echo "# with PR_SET_MDWE"; fi
expect "a ping passes to the link that was started again" \
  in_ns "$PRIV_A" ping -q -c 5 -i 0.05 -W "$DEADLINE_S" 10.255.0.2

# A worker that is killed is replaced: the monitor learns of it by its pidfd.
worker=$(show a .pid)
kill -KILL "$worker"
replaced() { [[ $(show a .worker_starts) == 2 && $(show a .pid) != "$worker" ]]; }
expect "a killed worker is replaced" wait_for replaced
wait_up a
expect "and a ping passes" in_ns "$PRIV_A" ping -q -c 5 -i 0.05 -W "$DEADLINE_S" 10.255.0.2
stop_links
