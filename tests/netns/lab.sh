#!/usr/bin/env bash
# The lab of lab/run.sh, as a user brings it up: routes within 30 s, all its checks, and of its
# failures three.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
name=t$$
run_dir=/run/$name-routevpn-lab
lab() { "$root/lab/run.sh" --name "$name" "$@"; }

clean_up() {
  local status=$?
  trap - EXIT
  lab down || true
  exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP PIPE

ok() { echo "ok - $*"; }
fail() {
  echo "not ok - $*" >&2
  exit 1
}

began=$SECONDS
lab up
took=$((SECONDS - began))
((took <= 30)) || fail "all routes took $took s, 30 are allowed"
ok "all routes are learnt in 30 s"

lab check
ok "every check of the lab"

# What the acceptance looks at, by its very names.
established=$(birdc -s "$run_dir/V1-1.private/bird.ctl" show protocols | grep IBGP_ | grep -c Established)
[[ $established == 4 ]] || fail "V1-1 has $established iBGP sessions, not 4"
for peer in V2_1 V2_2 V3_1 V3_2; do
  birdc -s "$run_dir/V1-1.private/bird.ctl" show protocols "IBGP_$peer" | grep -q Established ||
    fail "IBGP_$peer is not established"
done
ok "IBGP_V2_1, IBGP_V2_2, IBGP_V3_1 and IBGP_V3_2 are established"

# SCENARIO: what is lost of each stream is within its bar, and mending loses nothing. A run in which
# the machine itself stood still says nothing; another is made.
failure() {
  local dir=$run_dir/fail/$1-1 worst mended paused bar attempt
  for ((attempt = 1; attempt <= 4; attempt++)); do
    lab fail "$1" || true
    read -r worst mended paused < <(python3 -B "$root/lab/report.py" worst "$dir")
    ((paused > 40)) || break
  done
  bar=$(<"$dir/bar")
  ((worst <= bar)) || fail "$1 lost $worst ms, $bar are allowed"
  ((mended == 0)) || fail "the mending of $1 lost $mended ms"
  ok "$1: $worst ms lost, and none when it was mended"
}
failure peer-stopped
failure peer-killed
failure gateway-stopped

lab down
if ip netns list | grep -q "^$name-" || [[ -e $run_dir ]]; then fail "traces are left"; fi
ok "down removes every trace"
