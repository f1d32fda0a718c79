#!/usr/bin/env bash
# Prints what the inputs of fuzz targets reach: coverage.sh TARGET...
#
# The inputs are the seeds and those in corpus/NAME beside the target. One line per file of src/ and
# include/: reached and all functions, reached and all edges of the code. The branches that
# UndefinedBehaviorSanitizer adds count as edges; only a failure would reach them.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")

# libFuzzer prints a line for each function: COVERED_FUNC: hits: N edges: REACHED/ALL NAME FILE:LINE
sum_up() {
  awk '/^(UN)?COVERED_FUNC: / && match($NF, /\/(src|include)\/.*:/) {
      file = substr($NF, RSTART + 1, RLENGTH - 2)
      if (file !~ /\.[ch]pp$/) next  # not the standard library
      split($5, edges, "/")
      reached[file] += $1 == "COVERED_FUNC:"
      functions[file]++
      edges_reached[file] += edges[1]
      edges_all[file] += edges[2]
    }
    END {
      for (file in functions) {
        printf "%-50s %4d of %4d functions %6d of %6d edges\n", file, reached[file], functions[file],
               edges_reached[file], edges_all[file]
      }
    }' | sort
}

for target in "$@"; do
  name=$(basename "$target")
  name=${name#fuzz_}
  echo "$name:"
  "$target" -runs=0 -print_coverage=1 "$here/corpus/$name" "$(dirname "$target")/corpus/$name" 2>&1 | sum_up
done
