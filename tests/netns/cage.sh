#!/usr/bin/env bash
# What the worker of a link can do and has in memory: no root, no capability, no file, no private key.
#
#   SLOW=1   also waits for a minute until the monitor has forgotten a replaced key
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

HERE=$(dirname "${BASH_SOURCE[0]}")
LANES=2

worker() { show "$1" .pid; }

# status_of PID FIELD: of each thread, without repetitions.
status_of() { sed -n "s/^$2:[[:space:]]*//p" /proc/"$1"/task/*/status | sed 's/[[:space:]]*$//' | sort -u; }

# has_key PID FILE [unlocked]
has_key() { python3 "$HERE/key_in_memory.py" "$@"; }

# descriptors PID: how many of each kind, sockets apart.
descriptors() {
  find "/proc/$1/fd" -mindepth 1 -printf '%l\n' | grep -v "^$DIR/a.log$" | sed 's/:\[[0-9]*\]$//' | LC_ALL=C sort |
    uniq -c | awk '{ printf "%s%s %s", sep, $1, $2; sep = ", " }'
}

# sockets PID: how many of each kind, by the kernel's tables. These have no UDP socket that is not bound.
sockets() {
  local inodes
  inodes=$(find "/proc/$1/fd" -mindepth 1 -lname 'socket:*' -printf '%l\n' | tr -dc '0-9\n')
  for kind in unix:7 udp:10 udp6:10 netlink:10 packet:9 raw:10 raw6:10 tcp:10 tcp6:10; do
    awk -v column="${kind#*:}" -v kind="${kind%:*}" -v inodes="$inodes" '
      BEGIN { n = split(inodes, list); for (i = 1; i <= n; ++i) wanted[list[i]] }
      FNR > 1 && $column in wanted { ++count }
      END { if (count) print count, kind }' "/proc/$1/net/${kind%:*}"
  done | paste -sd, | sed 's/,/, /g'
}

# --- rights ---------------------------------------------------------------------------------------

check_rights() { # PID
  local set file
  expect_equal "it has a thread for each lane and for control" $((LANES + 1)) \
    "$(find "/proc/$1/task" -mindepth 1 -maxdepth 1 | wc -l)"
  expect_equal "no thread has an ID of root" "" "$(status_of "$1" '[UG]id' | grep -wE 0)"
  expect_equal "no thread has a further group" "" "$(status_of "$1" Groups)"
  for set in Inh Prm Eff Bnd Amb; do
    expect_equal "Cap$set of each thread is empty" 0000000000000000 "$(status_of "$1" "Cap$set")"
  done
  expect_equal "each thread has a filter of system calls" 2 "$(status_of "$1" Seccomp)"
  expect_equal "no thread can gain privileges" 1 "$(status_of "$1" NoNewPrivs)"
  for file in root cwd; do
    expect "its $file is deleted" grep -q ' (deleted)$' <<<"$(readlink "/proc/$1/$file")"
    expect_equal "and empty" "" "$(ls -A "/proc/$1/$file/")"
  done
  expect_equal "it is not dumpable, so its memory is root's" 0 "$(stat -c %u "/proc/$1/mem")"
  expect_equal "it writes no core and starts no thread" "0 0" \
    "$(awk '/^Max core/ { core = $6 } /^Max processes/ { print core, $4 }' "/proc/$1/limits")"
}

two_links --lanes "$LANES"
pid=$(worker a)
expect_equal "the monitor's name" routevpn "$(<"/proc/${PID[a]}/comm")"
expect_equal "the worker's name" routevpn-worker "$(<"/proc/$pid/comm")"
expect_equal "show has the monitor, and the worker as its first child" "${PID[a]} ${PID[a]} 1" \
  "$(show a .monitor_pid) $(awk '{ print $4 }' "/proc/$pid/stat") $(show a .worker_starts)"
check_rights "$pid"
expect_equal "its descriptors" \
  "2 /dev/net/tun, 1 /dev/null, $((2 + LANES)) anon_inode:[eventfd], 1 anon_inode:[eventpoll], 1 anon_inode:[timerfd], $((4 + 2 * LANES)) socket" \
  "$(descriptors "$pid" | sed -E 's| /[^,]*/dev/| /dev/|g')" # in a chroot
expect_equal "its sockets: the monitor's pair, the control socket, two of each lane" \
  "2 unix, $((2 * LANES)) udp6" "$(sockets "$pid")" # and 2 for look-ups, which are not bound
group=0
getent passwd routevpn >/dev/null && group=$(id -g routevpn)
expect_equal "the control socket is for root and the group of the worker's user" "660 0 $group" \
  "$(stat -c '%a %u %g' "$DIR/a/rv0.sock")"
expect "packets pass" in_ns "$PRIV_A" ping -q -f -c 1000 10.255.0.2
expect_equal "no system call was refused" "0 0" \
  "$(show a .refused_system_calls) $(show b .refused_system_calls)"
stop_links

# --- keys -----------------------------------------------------------------------------------------

# new_key NAME ALGORITHM: the key before is in NAME.key.old.
new_key() {
  mv "$DIR/$1.key" "$DIR/$1.key.old"
  rm "$DIR/$1.csr"
  "$ROUTEVPN" pki csr --dir "$DIR" --name "$1" --algorithm "$2" >>"$DIR/pki.out"
  "$ROUTEVPN" pki sign --dir "$DIR" --name "$1" --force >>"$DIR/pki.out"
}
# has_used_records_for NUMBER: of rekeys. During a handshake the records count for the old association.
has_used_records_for() { in_ns "$PRIV_A" ping -q -f -c 4000 10.255.0.2 && rekeys_are "$1"; }
rekeys_are() { (($(show a .rekeys) >= $1 && $(show b .rekeys) >= $1)); }
fingerprint() {
  openssl x509 -noout -fingerprint -sha256 -in "$DIR/$1.cert" | tr -d : | tr A-F a-f | sed 's/.*=//'
}
knows_new() { [[ $(show "$1" .peer.fingerprint) == "$(fingerprint "$2")" ]]; }
without_old() { [[ $(has_key "${PID[$1]}" "$DIR/$1.key.old") == no ]]; }

# only_monitor_has TEXT FILE a|b
only_monitor_has() {
  expect_equal "$1: the monitor of $3 has its private key" yes "$(has_key "${PID[$3]}" "$DIR/$2")"
  expect_equal "no part of it can be swapped" no "$(has_key "${PID[$3]}" "$DIR/$2" unlocked)"
  expect_equal "the worker has not" no "$(has_key "$(worker "$3")" "$DIR/$2")"
}

for algorithm in p256 p384 ed25519 rsa3072; do
  for end in a b; do new_key "$end" "$algorithm"; done
  two_links --rekey-records 10000
  for end in a b; do only_monitor_has "$algorithm" "$end.key" "$end"; done
  expect "$algorithm: after 3 rekeys" wait_for has_used_records_for 3
  for end in a b; do only_monitor_has "$algorithm" "$end.key" "$end"; done
  for end in a b; do
    new_key "$end" "$algorithm"
    kill -HUP "${PID[$end]}"
  done
  expect "after a reload, the peer of a has the new certificate" wait_for knows_new b a
  expect "and that of b" wait_for knows_new a b
  for end in a b; do
    only_monitor_has "$algorithm" "$end.key" "$end"
    expect_equal "nor the old key" no "$(has_key "$(worker "$end")" "$DIR/$end.key.old")"
  done
  if [[ -n ${SLOW:-} ]]; then
    DEADLINE_S=90 expect "the monitor of a forgets the old key" wait_for without_old a
  fi
  expect_equal "no system call was refused" "0 0" \
    "$(show a .refused_system_calls) $(show b .refused_system_calls)"
  expect_equal "the workers are the first" "1 1" "$(show a .worker_starts) $(show b .worker_starts)"
  stop_links
done

# --- without the cage ---------------------------------------------------------------------------------

two_links --no-sandbox
pid=$(worker a)
expect "--no-sandbox is warned of" grep -q "warning: .*--no-sandbox" "$DIR/a.log"
expect_equal "the worker keeps its user" "$(status_of "$$" Uid)" "$(status_of "$pid" Uid)"
expect_equal "and its system calls" 0 "$(status_of "$pid" Seccomp)"
expect "packets pass" in_ns "$PRIV_A" ping -q -f -c 100 10.255.0.2
stop_links
