#!/usr/bin/env bash
# Installs the package on machines that boot with systemd, and checks it there: scripts/booted.sh bookworm|trixie
#
# debootstrap makes a system of the suite. The package is built in it, from the files of this work tree as
# they are, and lintian checks it. Each machine is a systemd-nspawn container on an overlay of the system,
# with systemd as its first process and a network namespace of its own. The scripts of tests/booted run on
# this machine. Each boots its machines, connects them, and removes them at its end.
#
#   --mirror URL   Debian mirror; default: that of this machine's apt
#   --renew        makes the system again, with the suite's newest packages
#   --only NAME    only tests/booted/NAME.sh; can be given more than once
#
# The system and the build stay in ~/.cache/routevpn-booted/SUITE for later runs. Needs root, by sudo for
# other users. One line is printed for each check, and "N passed, N failed" last. Exit status: 0 when none
# failed, 1 otherwise, 2 for a wrong suite or option.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=debian_root.sh
source "$(dirname "${BASH_SOURCE[0]}")/debian_root.sh"

# A script takes about a minute. The limit only ends one that hangs.
script_limit_s=600

die() {
  echo "booted.sh: $1" >&2
  exit "${2:-1}"
}

usage() {
  sed -n '2,/^set /{/^set /d; s/^# \{0,1\}//; p}' "$0"
}

in_system() {
  run_in_debian "$1" "$2" "$top:/root/routevpn" "$cache/build:/root/build" \
    "$cache/ccache:/root/.cache/ccache"
}

# The name of the system changes with the packages.
system_name() {
  sha256sum <"$top/scripts/packages.sh" | cut -c 1-12
}

make_system() {
  local new=$cache/new
  rm -rf --one-file-system "$new" "$cache"/system-*
  make_debian "$suite" "$new" "$cache/debootstrap.log" "$mirror"
  mkdir -p "$new/root"/{routevpn,build,.cache/ccache}
  in_system "$new" "scripts/packages.sh build booted_machine"
  rm -rf "$new/var/cache/apt" "$new/var/lib/apt/lists"
  # Each machine makes an identity of its own.
  rm -f "$new/etc/machine-id"
  mv "$new" "$system"
}

build_package() {
  local started=$SECONDS
  rm -f "$cache/build"/*.deb
  in_system "$system" "tests/booted/build.sh" >"$cache/build.log" 2>&1 || {
    tail -n 40 "$cache/build.log"
    die "the package could not be built for $suite"
  }
  echo "booted.sh: $suite: built after $((SECONDS - started)) s"
}

# Tags of severity `info` are not faults.
check_package() {
  local tags
  tags=$(in_system "$system" 'sh -c "lintian --allow-root /root/build/*.deb"' 2>&1) || true
  if [[ -z $tags ]]; then
    echo "ok - lintian has no error and no warning"
    passed=$((passed + 1))
  else
    echo "not ok - lintian:"$'\n'"$tags"
    failed=$((failed + 1))
  fi
}

run_script() { # NAME
  local log=$work/$1.log status=0 started=$SECONDS
  SYSTEM=$system PACKAGE=$(echo "$cache/build"/*.deb) WORK=$work \
    timeout --signal TERM --kill-after 30 "$script_limit_s" bash "$top/tests/booted/$1.sh" \
    > >(tee "$log") 2>&1 || status=$?
  passed=$((passed + $(grep -c '^ok - ' "$log" || true)))
  if ((status != 0)); then failed=$((failed + 1)); fi
  echo "booted.sh: $suite: $1: exit status $status after $((SECONDS - started)) s"
}

# shellcheck disable=SC2317 # called by trap
clean_up() {
  trap '' INT TERM HUP
  end_debian
  if [[ -n $work ]]; then rm -rf --one-file-system "$work"; fi
  if [[ -n $cache ]]; then rm -rf --one-file-system "$cache/new"; fi
}

suite='' mirror='' renew='' only=()
arguments=("$@")
while (($# > 0)); do
  case $1 in
    bookworm | trixie) suite=$1 ;;
    --mirror)
      mirror=${2:-}
      shift
      [[ -n $mirror ]] || die "--mirror takes a URL" 2
      ;;
    --renew) renew=yes ;;
    --only)
      [[ ${2:-} =~ ^[a-z_]+$ ]] || die "--only takes the name of a script, without .sh" 2
      only+=("$2")
      shift
      ;;
    -h | --help)
      usage
      exit
      ;;
    *) die "'$1' is not bookworm, trixie or an option; --help lists the options" 2 ;;
  esac
  shift
done
[[ -n $suite ]] || die "which Debian: bookworm or trixie?" 2
if [[ $(id -u) != 0 ]]; then
  exec sudo env HOME="$HOME" ${XDG_CACHE_HOME:+"XDG_CACHE_HOME=$XDG_CACHE_HOME"} bash "$0" "${arguments[@]}"
fi

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
if ((${#only[@]} == 0)); then
  for script in "$top"/tests/booted/*.sh; do
    script=$(basename "$script" .sh)
    [[ $script == lib || $script == build ]] || only+=("$script")
  done
fi
for name in "${only[@]}"; do
  [[ -f $top/tests/booted/$name.sh ]] || die "--only: there is no $name.sh in tests/booted" 2
done
"$top/scripts/packages.sh" booted
work='' cache=''
trap clean_up EXIT
trap 'exit 130' INT TERM HUP
mkdir -p "${XDG_CACHE_HOME:-$HOME/.cache}/routevpn-booted/$suite"
exec {lock}<"${XDG_CACHE_HOME:-$HOME/.cache}/routevpn-booted/$suite"
flock --nonblock "$lock" || die "another run uses ${XDG_CACHE_HOME:-$HOME/.cache}/routevpn-booted/$suite"
cache=$(cd "${XDG_CACHE_HOME:-$HOME/.cache}/routevpn-booted/$suite" && pwd)
mkdir -p "$cache"/{build,ccache}
work=$(mktemp -d "${TMPDIR:-/tmp}/routevpn-booted.XXXXXX")
system=$cache/system-$(system_name)
if [[ -n $renew || ! -d $system ]]; then make_system; fi

passed=0 failed=0
build_package
check_package
for name in "${only[@]}"; do run_script "$name"; done
echo "$passed passed, $failed failed"
((failed == 0))
