#!/usr/bin/env bash
# The alert rules by promtool: their syntax, and the cases of unit/exporter/alerts_test.yml. Every alert has a
# case in which it fires. Status 77: skipped, because there is no promtool (package prometheus).
set -euo pipefail
tests=$(cd "$(dirname "$0")" && pwd)
rules=$tests/../src/exporter/prometheus/alerts.yml
cases=$tests/unit/exporter/alerts_test.yml

command -v promtool >/dev/null || {
  echo "skipped: needs promtool"
  exit 77
}
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cp "$rules" "$cases" "$directory"
promtool check rules "$directory/alerts.yml"
promtool test rules "$directory/alerts_test.yml"
while read -r alert; do
  awk -v alert="$alert" '
    $1 == "-" && $2 == "alertname:" { current = $3 }
    /exp_labels/ && current == alert { found = 1 }
    END { exit !found }' "$cases" || {
    echo "not ok - no case in which $alert fires"
    exit 1
  }
done < <(sed -n 's/^ *- alert: //p' "$rules")
echo "ok - every alert fires in a case"
