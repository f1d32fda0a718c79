#!/usr/bin/env bash
# The scripts of the exporter's page, by node. Status 77: skipped, because there is no node (package nodejs).
set -euo pipefail
tests=$(cd "$(dirname "$0")" && pwd)
command -v node >/dev/null || {
  echo "skipped: needs node"
  exit 77
}
for test in page network_map; do
  node "$tests/unit/exporter/${test}_test.mjs" "$tests/../src/exporter/page"
done
