#!/usr/bin/env bash
# lab/report.py counts the links and sessions that a scenario has changed.
set -euo pipefail
lab=$(cd "$(dirname "${BASH_SOURCE[0]}")/../lab" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# expect_changes TEXT NUMBER AFTER: compared with a link without flaps and a session.
expect_changes() {
  local got
  printf '%s\n' '"ifname": "rv1",' '"flaps": 0,' 'IBGP_V2_1 12:00:01.500' >"$dir/before"
  printf '%b' "$3" >"$dir/after"
  got=$(cd "$lab" && python3 -B -c 'import pathlib, report, sys
print(report.changed(*map(pathlib.Path, sys.argv[1:])))' "$dir/before" "$dir/after")
  [[ $got == "$2" ]] || { echo "$1: wanted $2, got $got" >&2; exit 1; }
  echo "ok - $1"
}

links='"ifname": "rv1",\n"flaps": 0,\n'
expect_changes "the same states" 0 "${links}IBGP_V2_1 12:00:01.500\n"
expect_changes "a time that BIRD rounds in another way" 0 "${links}IBGP_V2_1 12:00:01.501\n"
expect_changes "a session that came up again" 1 "${links}IBGP_V2_1 12:00:09.000\n"
expect_changes "a flap" 1 '"ifname": "rv1",\n"flaps": 1,\nIBGP_V2_1 12:00:01.500\n'
expect_changes "a session that is missing" 1 "$links"
expect_changes "one that is new" 1 "${links}IBGP_V2_1 12:00:01.500\nIBGP_V2_2 12:00:01.500\n"
