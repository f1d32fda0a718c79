#!/usr/bin/env bash
# `systemd-analyze security` of the unit: the exposure is below 2.0. Status 77: skipped, because there is
# no systemd-analyze that can read a file without a running systemd (version 250).
set -euo pipefail
unit=$(cd "$(dirname "$0")/.." && pwd)/src/systemd/routevpn@.service
limit=19 # in tenths

version=$(systemd-analyze --version 2>/dev/null | awk 'NR == 1 { print $2 }') || version=
if [[ -z $version || $version -lt 250 ]]; then
  echo "skipped: needs systemd-analyze of systemd 250 or later"
  exit 77
fi
# No line of the unit is unknown to systemd or written wrongly.
warnings=$(systemd-analyze security --offline=true "$unit" 2>&1 >/dev/null)
[[ -z $warnings ]] || { echo "not ok - the unit has faults: $warnings"; exit 1; }
report=$(systemd-analyze security --offline=true --no-pager --threshold="$limit" "$unit") || {
  grep '✗' <<<"$report"
  tail -n 1 <<<"$report"
  echo "not ok - the exposure is above $limit tenths"
  exit 1
}
echo "ok - $(tail -n 1 <<<"$report")"
