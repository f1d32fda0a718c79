#!/usr/bin/env bash
# Runs the two commands of README on a new Debian that has only the required packages and apt:
# scripts/fresh.sh bookworm|trixie [OPTION...]
#
# debootstrap makes the system in a directory of its own. The last commit (HEAD) is copied into it. There
# lab/run.sh and then scripts/test.sh run, each in mount and process namespaces of its own. At the end, also
# after a signal, no process and no mount is left, and the directory is removed. Needs root.
#
#   --only lab|test    only this command
#   --stage STAGE      only this stage of scripts/test.sh; can be given more than once
#   --bird3            with BIRD 3, which trixie has
#   --mirror URL       Debian mirror; default: that of this machine's apt
#   FRESH_CACHE=DIR    keeps the downloaded packages in DIR for later runs, and what scripts/test.sh keeps of
#                      unchanged files
#   FRESH_DIR=DIR      parent directory of the system; default: TMPDIR, or /tmp
#
# The system gets the settings of this machine's apt (mirror, proxy, certificates, date checks) and its name
# service. Exit status: 0 when both commands succeeded.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=debian_root.sh
source "$(dirname "${BASH_SOURCE[0]}")/debian_root.sh"

die() {
  echo "fresh.sh: $1" >&2
  exit "${2:-1}"
}

usage() {
  sed -n '2,/^set /{/^set /d; s/^# \{0,1\}//; p}' "$0"
}

copy_project() {
  local top
  top=$(cd "$(dirname "$0")/.." && pwd)
  if [[ -n $(git -c safe.directory="$top" -C "$top" status --porcelain) ]]; then
    echo "fresh.sh: changes that are not committed are not tested"
  fi
  mkdir -p "$root/root"/{routevpn,.cache}
  git -c safe.directory="$top" -C "$top" archive HEAD | tar -x -C "$root/root/routevpn"
}

# run COMMAND: runs it in the new system.
run() {
  local started=$SECONDS status=0
  echo "fresh.sh: $suite: $1"
  run_in_debian "$root" "$1" "${binds[@]}" || status=$?
  echo "fresh.sh: $suite: $1: exit status $status after $((SECONDS - started)) s"
  return "$status"
}

# shellcheck disable=SC2317 # called by trap
clean_up() {
  end_debian
  rm -rf --one-file-system "$work"
}

stages=()
suite='' only='' bird3='' mirror=''
while (($# > 0)); do
  case $1 in
    bookworm | trixie) suite=$1 ;;
    --only)
      only=${2:-}
      shift
      [[ $only == lab || $only == test ]] || die "--only takes lab or test" 2
      ;;
    --stage)
      [[ ${2:-} =~ ^[a-z]+$ ]] || die "--stage takes the name of a stage of scripts/test.sh" 2
      stages+=("$2")
      shift
      ;;
    --bird3) bird3=yes ;;
    --mirror)
      mirror=${2:-}
      shift
      [[ -n $mirror ]] || die "--mirror takes a URL" 2
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
[[ -z $bird3 || $suite == trixie ]] || die "--bird3: bookworm has no BIRD 3, trixie has" 2
[[ $(id -u) == 0 ]] || die "needs root"

"$(dirname "$0")/packages.sh" fresh
work=$(mktemp -d "${FRESH_DIR:-${TMPDIR:-/tmp}}/routevpn-fresh.XXXXXX")
trap clean_up EXIT
trap 'exit 130' INT TERM HUP
root=$work/$suite
options=() binds=()
if [[ -n ${FRESH_CACHE:-} ]]; then
  mkdir -p "$FRESH_CACHE/$suite"/{debootstrap,archives/partial,results}
  cache=$(cd "$FRESH_CACHE/$suite" && pwd)
  options+=("--cache-dir=$cache/debootstrap")
  binds+=("$cache/archives:/var/cache/apt/archives" "$cache/results:/root/.cache")
fi

make_debian "$suite" "$root" "$work/debootstrap.log" "$mirror" "${options[@]}"
copy_project
failed=0
if [[ -n $bird3 ]]; then run "scripts/packages.sh bird3"; fi
if [[ $only != test ]]; then run lab/run.sh || failed=1; fi
if [[ $only != lab ]]; then run "scripts/test.sh ${stages[*]}" || failed=1; fi
exit "$failed"
