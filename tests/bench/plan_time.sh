#!/usr/bin/env bash
# Measures `routevpn plan` for a hundred sites of two gateways (40,400 files) against a copy of the same
# files: tests/bench/plan_time.sh [ROUNDS]
#
# Both run in turn, ROUNDS times (default 5), in memory where /dev/shm is. What is compared is processor
# time, so that a slow machine is slow at both. The last line is the ratio of the medians.
#
#   ROUTEVPN   the binary to measure (build/release/src/routevpn)
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
routevpn=$(realpath "${ROUTEVPN:-$top/build/release/src/routevpn}")
rounds=${1:-5}
parent=/tmp
[[ ! -w /dev/shm ]] || parent=/dev/shm
dir=$(mktemp -d "$parent/routevpn-plan-XXXXXX")
trap 'rm -rf "$dir"' EXIT
cd "$dir"

topology() { # SITES
  local i
  printf '%s\n' '[organisation]' 'as = 65000' 'interconnect4 = "10.240.0.0/12"' \
    'interconnect6 = "2001:db8:ff::/64"'
  for ((i = 1; i <= $1; i++)); do
    printf '[[site]]\nname = "%d"\nprefixes = ["10.0.%d.0/24", "2001:db8:a%d::/64"]\n' $i $i $i
    printf 'gateway = [{ name = "V%d-1", address = "2001:db8:%d::1" },\n' $i $i
    printf '  { name = "V%d-2", address = "2001:db8:%d::2" }]\n' $i $i
  done
}

# processor_ms COMMAND...: user and system time.
processor_ms() {
  local user system TIMEFORMAT='%U %S'
  { time "$@" >command.out; } 2>command.time
  read -r user system < <(tail -n 1 command.time)
  echo $((10#${user/./} + 10#${system/./}))
}

median() { printf '%s\n' "$@" | sort -n | sed -n "$((($# + 1) / 2))p"; }

topology 100 >topology.toml
plan=() copy=()
for ((round = 1; round <= rounds; round++)); do
  plan+=("$(processor_ms "$routevpn" plan topology.toml --out out)")
  copy+=("$(processor_ms cp -r out copy)")
  echo "round $round: plan ${plan[-1]} ms, copy ${copy[-1]} ms"
  rm -rf out copy topology.lock
done
awk -v plan="$(median "${plan[@]}")" -v copy="$(median "${copy[@]}")" \
  'BEGIN { printf "median: plan %d ms, copy %d ms, ratio %.2f\n", plan, copy, plan / copy }'
