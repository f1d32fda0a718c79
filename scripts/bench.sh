#!/usr/bin/env bash
# Measures routevpn on this machine: scripts/bench.sh [OPTION...]
#
# The first part measures each stage of a packet's path alone, in nanoseconds per packet. The second
# part measures whole tunnels between network namespaces, against the other VPNs of Debian that are
# installed. Results are printed and kept in build/bench/: stages.md and stages.json,
# comparison.json, .md and .svg.
#
#   --install          installs the other VPNs from Debian: packages.sh peers
#   --peers A,B,...    measures only these peers; routevpn is a peer, too
#   --rounds N         rounds of the comparison; default 5, each about 35 s per peer
#   --quick            one short round: checks the benchmark itself, its figures mean little
#   --variants         also compares routevpn with itself under other options (variants.*)
#   --impaired         also compares on a path that loses and reorders datagrams (impaired.*)
#   --stages           measures the stages only
#   --update-readme    writes the results to README.md, tests/bench/README.md and tests/bench/*.svg
#
#   WIREGUARD_GO_GSO=FILE   also compares with this wireguard-go, built with segmentation offload;
#                           Debian's version is older
#
# Nothing else should run at the same time. The comparison needs root and uses sudo if necessary.
# Every namespace and process of the benchmark is removed at its end, also after a failure or a
# signal. Exit status: 0, 1 when a measurement failed, 2 for wrong options.
set -euo pipefail
invocation="scripts/bench.sh${*:+ $*}"
cd "$(dirname "${BASH_SOURCE[0]}")/.."

die() {
  echo "bench.sh: $1" >&2
  exit "${2:-1}"
}

usage() {
  sed -n '2,/^set /{/^set /d; s/^# \{0,1\}//; p}' scripts/bench.sh
}

# shellcheck disable=SC2317 # called by trap
clean_up() {
  if [[ $runner ]]; then
    kill -TERM "$runner" 2>/dev/null || true
    wait "$runner" || true
  fi
}

# The influence of other programs on a figure cannot be subtracted, so the user gets a warning.
warn_if_busy() {
  local load
  read -r load _ </proc/loadavg
  if awk -v load="$load" 'BEGIN { exit !(load > 0.5) }'; then
    echo "bench.sh: other programs are running (load average $load): figures will be worse" >&2
  fi
}

build() {
  scripts/packages.sh build bench
  cmake --preset release >build/bench/cmake.log || die "cmake failed: build/bench/cmake.log"
  # An older CMake cache lacks a library that was installed later.
  [[ -d $(sed -n 's/^benchmark_DIR:PATH=//p' build/release/CMakeCache.txt) ]] ||
    die "CMake does not find Google Benchmark (libbenchmark-dev)"
  cmake --build --preset release --target routevpn stages udp_rate detour >build/bench/build.log ||
    die "the build failed: build/bench/build.log"
}

run_stages() {
  local -a options=()
  if [[ $quick ]]; then options+=(--quick); fi
  build/release/tests/bench/stages --benchmark_out=build/bench/stages.json "${options[@]}" |
    tee build/bench/stages.md.new
  mv build/bench/stages.md.new build/bench/stages.md
}

# compare NAME [OPTION...]: writes the files build/bench/NAME*.
compare() {
  local name=$1 status=0
  local -a options=(--out build/bench --command "$invocation" "${@:2}")
  if [[ $quick ]]; then options+=(--quick); fi
  if [[ $rounds ]]; then options+=(--rounds "$rounds"); fi
  rm -f build/bench/"$name"{,-brief}.{json,md,svg}
  "${as_root[@]}" python3 -B tests/bench/compare.py "${options[@]}" &
  runner=$!
  wait "$runner" || status=$?
  runner=''
  "${as_root[@]}" chown -R "$(id -u):$(id -g)" build/bench
  return "$status"
}

# with_chart NAME ALT-TEXT FOLDER: one section, the chart before the tables. FOLDER leads from the
# document to tests/bench.
with_chart() {
  cp "build/bench/$1.svg" "tests/bench/$1.svg"
  {
    printf '![%s](%s%s.svg)\n\n' "$2" "$3" "$1"
    cat "build/bench/$1.md"
  } >"build/bench/$1.section.md"
  sections+=("${1/%comparison-brief/speed}=build/bench/$1.section.md")
}

update_readme() {
  local -a sections=(tests/bench/README.md)
  {
    echo "Each stage alone, for batches of 44 packets with payloads of these lengths: median"
    echo "(min–max) of the repetitions. \`$invocation\`,"
    echo "$(python3 -B tests/bench/machine.py)."
    echo
    cat build/bench/stages.md
  } >build/bench/stages.section.md
  sections+=(stages=build/bench/stages.section.md)
  if [[ ! $stages_only ]]; then with_chart comparison "routevpn and other VPNs compared" ""; fi
  if [[ $variants ]]; then with_chart variants "routevpn under other options" ""; fi
  if [[ $impaired ]]; then with_chart impaired "the same comparison with loss and reordering" ""; fi
  if [[ ! $stages_only ]]; then
    sections+=(README.md)
    with_chart comparison-brief "routevpn and other VPNs: throughput and CPU time" tests/bench/
  fi
  python3 -B tests/bench/readme.py "${sections[@]}"
}

as_root=()
if [[ $(id -u) != 0 ]]; then as_root=(sudo); fi
runner='' install='' quick='' variants='' impaired='' stages_only='' readme='' rounds='' peers=''
while (($# > 0)); do
  case $1 in
    --install) install=1 ;;
    --quick) quick=1 ;;
    --variants) variants=1 ;;
    --impaired) impaired=1 ;;
    --stages) stages_only=1 ;;
    --update-readme) readme=1 ;;
    --rounds)
      rounds=${2:-}
      [[ $rounds =~ ^[1-9][0-9]{0,2}$ ]] || die "--rounds takes a number from 1 to 999" 2
      shift
      ;;
    --peers)
      peers=${2:-}
      [[ $peers =~ ^[a-z,-]+$ ]] || die "--peers takes names separated by commas" 2
      shift
      ;;
    -h | --help)
      usage
      exit
      ;;
    *) die "unknown option '$1'; --help lists the options" 2 ;;
  esac
  shift
done

trap clean_up EXIT
trap 'exit 130' INT TERM HUP
mkdir -p build/bench
build
if [[ $install ]]; then scripts/packages.sh peers; fi
warn_if_busy
failed=0
run_stages
if [[ ! $stages_only ]]; then compare comparison ${peers:+--peers "$peers"} || failed=1; fi
if [[ $variants ]]; then compare variants --variants || failed=1; fi
if [[ $impaired ]]; then compare impaired --impaired || failed=1; fi
if ((failed)); then die "some measurements failed; no README is changed"; fi
if [[ $readme ]]; then update_readme; fi
