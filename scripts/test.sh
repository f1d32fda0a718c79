#!/usr/bin/env bash
# Installs missing packages, builds, and runs all tests: scripts/test.sh [STAGE...]
#
#   format    checks the format of the code (scripts/format.sh --check)
#   lint      runs shellcheck, mandoc, clang-tidy and scripts/check_includes.sh
#   release   builds with g++ and optimisation, runs the simulator with 10,000 seeds, and checks the program
#             for the hardening flags
#   asan      unit tests and simulator with AddressSanitizer and UndefinedBehaviorSanitizer, by clang
#   tsan      the same with ThreadSanitizer, by g++
#   fuzz      fuzz targets by clang: their seeds, then new inputs for 6 s (ROUTEVPN_FUZZ_SECONDS)
#   netns     tests of the program in network namespaces
#
# Without a STAGE all stages run, in this order. The last line is "N passed, N failed". It counts the tests.
# A stage without tests, or one that fails before its tests, counts as one test. Exit status: 0 when none
# failed, 1 otherwise, 2 for a wrong STAGE. Tests run as root, by sudo for other users. Builds and logs are
# in build/. Results of the compilers and of clang-tidy for unchanged files are kept in ~/.cache.
# All tools are Debian's but one: scripts/axe.sh fetches axe-core, without which one test leaves a part out.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

all_stages=(format lint release asan tsan fuzz netns)
jobs=$(nproc)
results=${XDG_CACHE_HOME:-$HOME/.cache}/routevpn-tidy
# The sizes of simulations, smaller with the sanitizers, which slow them down. The simulator has one thread, where
# ThreadSanitizer finds little.
plays=(ROUTEVPN_SEEDS=10000 ROUTEVPN_DAYS=6)
asan_plays=(ROUTEVPN_SEEDS=400 ROUTEVPN_DAYS=1 ROUTEVPN_GATEWAYS=20)
tsan_plays=(ROUTEVPN_SEEDS=25 ROUTEVPN_DAYS=1 ROUTEVPN_DAY_HOURS=3 ROUTEVPN_GATEWAYS=10)
export CMAKE_CXX_COMPILER_LAUNCHER=ccache
# Clones in different directories share the compiler cache.
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1

usage() {
  sed -n '2,/^set /{/^set /d; s/^# \{0,1\}//; p}' scripts/test.sh
}

as_root() {
  if [[ $(id -u) == 0 ]]; then "$@"; else sudo "$@"; fi
}

# quietly LOG COMMAND...: appends the output to build/logs/LOG.log, and prints its end after a failure.
quietly() {
  local log=build/logs/$1.log
  shift
  "$@" &>>"$log" && return
  echo "failed: $*; the end of $log:"
  tail -n 60 "$log"
  return 1
}

build() {
  rm -f "build/logs/$1.log"
  quietly "$1" cmake --preset "$1"
  quietly "$1" cmake --build --preset "$1" --parallel "$jobs" "${@:2}"
}

# run_tests PRESET JOBS CTEST-OPTION...: writes the numbers of passed, failed and skipped tests to $counts.
run_tests() {
  local report=$PWD/build/logs/$stage.xml preset=$1 parallel=$2 status=0 total failed skipped
  local -a fixed_layout=()
  shift 2
  # ThreadSanitizer does not support every address layout that the kernel can choose.
  if [[ $preset == tsan ]] && setarch -R true 2>/dev/null; then fixed_layout=(setarch -R); fi
  as_root rm -f "$report"
  as_root env "${plays[@]}" "${fixed_layout[@]}" ctest --test-dir "build/$preset" \
    --parallel "$parallel" --output-on-failure --no-tests=error --output-junit "$report" "$@" \
    </dev/null || status=$?
  if [[ -f $report ]]; then
    total=$(attribute tests) failed=$(attribute failures) skipped=$(attribute skipped)
    echo $((total - failed - skipped)) "$failed" "$skipped" >"$counts"
  fi
  return "$status"
}

# attribute NAME: prints that attribute of the report of run_tests.
attribute() {
  grep -om1 "[[:space:]]$1=\"[0-9]*\"" "$report" | tr -cd '0-9'
}

stage_format() {
  local status=0
  scripts/format.sh --check || status=$?
  if ((status == 3)); then echo 0 0 1 >"$counts"; else return "$status"; fi
}

shell_scripts() {
  find . \( -path ./build -o -path ./.git \) -prune -o -type f -print0 |
    while IFS= read -r -d '' file; do
      if [[ $file == *.@(sh|bash) ]] || head -n 1 "$file" | grep -aqE '^#!.*[/ ](ba)?sh$'; then
        printf '%s\0' "$file"
      fi
    done
}

# Prints a hash of everything that the result of clang-tidy for a file depends on. The file itself names the
# directory of the clone if it was made for a unity build.
tidy_key() {
  local needs
  # The generated headers of src/cli and src/exporter stand in build/lint.
  needs=$(clang++ -std=c++20 -Iinclude -Ibuild/lint/src/cli -Ibuild/lint/src/exporter "$libnl" -MM "$1" | sed 's/^[^:]*://; s/\\$//')
  {
    "$tidy" --version
    # shellcheck disable=SC2086 # file names, one word each
    cat .clang-tidy CMakeLists.txt ${needs//"$1"/}
  } | sha256sum | cut -d' ' -f1
}

tidy_file() {
  local key
  key=$(tidy_key "$1")
  [[ ! -e $results/$key ]] || return 0
  "$tidy" --quiet -p build/lint "$1" 2>/dev/null || return 1
  touch "$results/$key"
}

stage_lint() {
  local -a pages
  shell_scripts | xargs -0 shellcheck
  mapfile -t pages < <(find src -path '*/man/*.[1-8]')
  if ((${#pages[@]} > 0)); then mandoc -T lint -W warning "${pages[@]}"; fi
  if [[ -x scripts/check_includes.sh ]]; then scripts/check_includes.sh; fi
  tidy=$(command -v clang-tidy-14 || command -v clang-tidy)
  if [[ $("$tidy" --version) != *"version 14."* ]]; then
    echo "clang-tidy was not run: version 14 is needed, found: $("$tidy" --version | grep -o 'version .*')"
    return
  fi
  # With unity builds: most of the time is spent in headers, which the files of a room then share.
  quietly lint cmake --preset asan -B build/lint
  mkdir -p "$results"
  libnl=$(pkg-config --cflags-only-I libnl-3.0)
  libnl=${libnl%% }
  export tidy libnl results
  export -f tidy_file tidy_key
  # shellcheck disable=SC2016 # "$1" is the inner shell's
  jq -r '.[].file | select(startswith(env.PWD + "/src/") or startswith(env.PWD + "/build/lint/src/"))' \
    build/lint/compile_commands.json |
    xargs -P "$jobs" -I{} bash -euo pipefail -c 'tidy_file "$1"' tidy {}
}

# The optimised program, its hardening flags, and the full simulator. Unit tests run in the next two stages,
# with sanitizers.
stage_release() {
  build release --target routevpn routevpn-exporter sim sim_matrix
  run_tests release "$jobs" --tests-regex '^(sim_|hardening)'
}

# Some unit tests wait for the kernel: one test more than processors runs.
stage_asan() {
  build asan
  plays=("${asan_plays[@]}")
  run_tests asan $((jobs + 1)) --label-exclude netns
}

stage_tsan() {
  build tsan
  plays=("${tsan_plays[@]}")
  run_tests tsan $((jobs + 1)) --label-exclude netns
}

stage_fuzz() {
  build fuzz
  plays=("ROUTEVPN_FUZZ_SECONDS=${ROUTEVPN_FUZZ_SECONDS:-6}")
  run_tests fuzz "$jobs" --label-regex fuzz
}

stage_netns() {
  build release --target routevpn routevpn-exporter udp_rate detour counted flood hostile caged fake_worker impair lab_stream
  run_tests release $((2 * jobs)) --label-regex netns # they wait more than they work
}

# Runs one stage and adds its line to the summary.
run_stage() {
  local stage=$1 counts=build/logs/$1.counts status started=$SECONDS passed=0 failed=0 skipped=0
  echo "== $stage"
  rm -f "$counts"
  set +e
  (set -e; "stage_$stage")
  status=$?
  set -e
  if [[ -f $counts ]]; then read -r passed failed skipped <"$counts"; fi
  if ((status != 0 && failed == 0)); then failed=1; fi
  if ((passed + failed + skipped == 0)); then passed=1; fi
  summary+=$(printf '%-8s %5d s %5d passed %5d failed %5d skipped' "$stage" \
    $((SECONDS - started)) "$passed" "$failed" "$skipped")$'\n'
  all_passed=$((all_passed + passed))
  all_failed=$((all_failed + failed))
}

case ${1:-} in
  -h | --help)
    usage
    exit
    ;;
esac
stages=("$@")
if ((${#stages[@]} == 0)); then stages=("${all_stages[@]}"); fi
for stage in "${stages[@]}"; do
  if [[ " ${all_stages[*]} " != *" $stage "* ]]; then
    echo "test.sh: there is no stage '$stage'; stages are ${all_stages[*]}" >&2
    exit 2
  fi
done

scripts/packages.sh build test lab
mkdir -p build/logs
summary='' all_passed=0 all_failed=0
for stage in "${stages[@]}"; do
  run_stage "$stage"
done
printf '\n%s\n%d passed, %d failed\n' "$summary" "$all_passed" "$all_failed"
((all_failed == 0))
