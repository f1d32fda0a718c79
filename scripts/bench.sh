#!/usr/bin/env bash
# Measures routevpn on this machine: scripts/bench.sh [OPTION...]
#
# First every stage of a packet's way alone, in nanoseconds per packet; then whole tunnels, between
# network namespaces, against the other VPNs of Debian that are installed. Results are printed and
# kept in build/bench/: stages.md and stages.json, comparison.json, .md and .svg.
#
#   --install          installs the other VPNs from Debian: packages.sh peers
#   --peers A,B,...    only these; routevpn is among the names
#   --rounds N         of the comparison; default 5, of about 35 s for each peer
#   --quick            once and briefly: shows that it works, its figures mean little
#   --variants         compares routevpn with itself under other options besides (variants.*)
#   --impaired         compares on a path that loses and reorders besides (impaired.*)
#   --stages           the stages only
#   --update-readme    puts what was measured into README.md and tests/bench/*.svg
#
#   WIREGUARD_GO_GSO=FILE   a wireguard-go with segmentation offload, to be compared with too:
#                           Debian's is older
#
# Nothing else should run meanwhile. Needs root, by sudo where we are not, for the comparison. Every
# namespace and process made is gone at the end, however it comes. Exit status: 0, 1 when a
# measurement failed, 2 for wrong options.
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

# What `nice` says of others cannot be subtracted from a figure: it can only be said.
warn_if_busy() {
  local load
  read -r load _ </proc/loadavg
  if awk -v load="$load" 'BEGIN { exit !(load > 0.5) }'; then
    echo "bench.sh: other programs are at work (load average $load): figures will be worse" >&2
  fi
}

build() {
  scripts/packages.sh build bench
  cmake --preset release >build/bench/cmake.log || die "cmake failed: build/bench/cmake.log"
  # Older configurations know nothing of a library that was installed since.
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

# compare NAME [OPTION...]: NAME is that of the files it writes.
compare() {
  local name=$1 status=0
  local -a options=(--out build/bench --command "$invocation" "${@:2}")
  if [[ $quick ]]; then options+=(--quick); fi
  if [[ $rounds ]]; then options+=(--rounds "$rounds"); fi
  rm -f build/bench/"$name".{json,md,svg}
  "${as_root[@]}" python3 -B tests/bench/compare.py "${options[@]}" &
  runner=$!
  wait "$runner" || status=$?
  runner=''
  "${as_root[@]}" chown -R "$(id -u):$(id -g)" build/bench
  return "$status"
}

# The picture goes before the tables.
with_picture() {
  cp "build/bench/$1.svg" "tests/bench/$1.svg"
  {
    printf '![%s](tests/bench/%s.svg)\n\n' "$2" "$1"
    cat "build/bench/$1.md"
  } >"build/bench/$1.section.md"
  sections+=("$1=build/bench/$1.section.md")
}

update_readme() {
  local -a sections=()
  {
    echo "Each stage alone, for batches of 44 packets with payloads of these lengths: median"
    echo "(least–greatest) of the repetitions. \`$invocation\`,"
    echo "$(python3 -B tests/bench/machine.py)."
    echo
    cat build/bench/stages.md
  } >build/bench/stages.section.md
  sections+=(stages=build/bench/stages.section.md)
  if [[ ! $stages_only ]]; then with_picture comparison "routevpn and others compared"; fi
  if [[ $variants ]]; then with_picture variants "routevpn under other options"; fi
  if [[ $impaired ]]; then with_picture impaired "the same with loss and reordering"; fi
  python3 -B tests/bench/readme.py README.md "${sections[@]}"
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
      [[ $peers =~ ^[a-z,-]+$ ]] || die "--peers takes names with commas between them" 2
      shift
      ;;
    -h | --help)
      usage
      exit
      ;;
    *) die "there is no option '$1'; --help tells those that are" 2 ;;
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
if ((failed)); then die "some measurements failed; README.md is left as it is"; fi
if [[ $readme ]]; then update_readme; fi
