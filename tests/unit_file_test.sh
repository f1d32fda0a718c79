#!/usr/bin/env bash
# `systemd-analyze security` of the units: the exposure is at most 1.9 (link) and 1.5 (exporters). Status 77:
# skipped, because there is no systemd-analyze that can read a file without a running systemd (version 250).
set -euo pipefail
units=$(cd "$(dirname "$0")/.." && pwd)/src/systemd

version=$(systemd-analyze --version 2>/dev/null | awk 'NR == 1 { print $2 }') || version=
if [[ -z $version || $version -lt 250 ]]; then
  echo "skipped: needs systemd-analyze of systemd 250 or later"
  exit 77
fi

# check UNIT LIMIT, in tenths
check() {
  local warnings report
  # No line of the unit is unknown to systemd or written wrongly.
  warnings=$(systemd-analyze security --offline=true "$units/$1" 2>&1 >/dev/null)
  [[ -z $warnings ]] || { echo "not ok - $1 has faults: $warnings"; exit 1; }
  report=$(systemd-analyze security --offline=true --no-pager --threshold="$2" "$units/$1") || {
    grep '✗' <<<"$report"
    tail -n 1 <<<"$report"
    echo "not ok - the exposure of $1 is above $2 tenths"
    exit 1
  }
  echo "ok - $(tail -n 1 <<<"$report")"
}

check routevpn@.service 19
check routevpn-exporter.service 15
check routevpn-exporter@.service 15
