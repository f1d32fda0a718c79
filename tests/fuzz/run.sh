#!/usr/bin/env bash
# Runs a fuzz target on its seeds and then on new inputs: run.sh TARGET [LIBFUZZER-OPTION...]
#
# New inputs that reach new code are kept in corpus/NAME beside the target and used by later runs. An
# input that fails is kept beside the target, too, and printed in base64. Exit status: 0 when no input
# failed.
#
#   ROUTEVPN_FUZZ_SECONDS=N   time for new inputs; default 10, 0: only the seeds
#   ROUTEVPN_FUZZ_SEED=N      of the changes, so that two runs begin alike; default 1, 0: another in each run
set -euo pipefail
target=$1
shift
name=$(basename "$target")
name=${name#fuzz_}
seeds=$(dirname "${BASH_SOURCE[0]}")/corpus/$name
seconds=${ROUTEVPN_FUZZ_SECONDS:-10}
work=$(dirname "$target")
found=$work/corpus/$name
failed=$work/failed/$name
[[ -d $seeds ]] || { echo "run.sh: no seeds: $seeds" >&2 && exit 1; }

mkdir -p "$found" "$failed"
# libFuzzer takes 0 seconds for unlimited.
if ((seconds > 0)); then limit=-max_total_time=$seconds; else limit=-runs=0; fi
marker=$(mktemp)
trap 'rm -f "$marker"' EXIT
"$target" -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 "-artifact_prefix=$failed/" "$limit" \
  "-seed=${ROUTEVPN_FUZZ_SEED:-1}" "$@" \
  "$found" "$seeds" && exit
find "$failed" -type f -newer "$marker" -print0 | while IFS= read -r -d '' input; do
  echo "failed: $target $input"
  base64 "$input"
done
exit 1
