# shellcheck shell=bash
# shellcheck disable=SC2034 # the scripts that source this file use the variables
# A Debian system that stays in ~/.cache/routevpn-KIND/SUITE for later runs, and the options of the scripts
# that use one. Source this file; it sources debian_root.sh.
#
#   top, suite, mirror, renew, only, prepare   set by read_options
#   cache, work, system               set by open_cache: the directory that stays, one that clean_up removes,
#                                     and the place of the system, which may not exist yet
# shellcheck source-path=SCRIPTDIR source=debian_root.sh
source "$(dirname "${BASH_SOURCE[0]}")/debian_root.sh"

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
suite='' mirror='' renew='' prepare='' only=()
cache='' work='' system=''

die() {
  echo "${0##*/}: $1" >&2
  exit "${2:-1}"
}

usage() {
  sed -n '2,/^set /{/^set /d; s/^# \{0,1\}//; p}' "$0"
}

# read_options FOLDERS ARGUMENT...: --only takes scripts of these folders of tests/. Continues as root.
read_options() {
  local folders=$1 name folder
  local -a arguments=("${@:2}")
  shift
  while (($# > 0)); do
    case $1 in
      bookworm | trixie) suite=$1 ;;
      --mirror)
        mirror=${2:-}
        shift
        [[ -n $mirror ]] || die "--mirror takes a URL" 2
        ;;
      --renew) renew=yes ;;
      --prepare) prepare=yes ;;
      --only)
        name=${2:-}
        [[ $name =~ ^[a-z_]+$ ]] || die "--only takes the name of a script, without .sh" 2
        for folder in $folders; do
          if [[ -f $top/tests/$folder/$name.sh ]]; then only+=("$name") && break; fi
        done
        [[ ${only[*]: -1} == "$name" ]] || die "--only: there is no $name.sh in: ${folders// /, }" 2
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
  [[ $(id -u) == 0 ]] ||
    exec sudo env HOME="$HOME" ${XDG_CACHE_HOME:+"XDG_CACHE_HOME=$XDG_CACHE_HOME"} bash "$0" "${arguments[@]}"
}

# open_cache KIND FILE...: the name of the system changes with the packages and with these files.
open_cache() {
  local kind=$1 directory=${XDG_CACHE_HOME:-$HOME/.cache}/routevpn-$1/$suite
  shift
  mkdir -p "$directory"/{build,ccache}
  exec {lock}<"$directory"
  flock --nonblock "$lock" || die "another run uses $directory"
  cache=$(cd "$directory" && pwd)
  work=$(mktemp -d "${TMPDIR:-/tmp}/routevpn-$kind.XXXXXX")
  system=$cache/system-$(cat "$top/scripts/packages.sh" "$@" | sha256sum | cut -c 1-12)
}

# in_system ROOT COMMAND: runs COMMAND in the work tree, with the build and the compiler cache that stay.
in_system() {
  run_in_debian "$1" "$2" "$top:/root/routevpn" "$cache/build:/root/build" \
    "$cache/ccache:/root/.cache/ccache"
}

# make_root ROOT GROUP...: makes a system with these groups of scripts/packages.sh.
make_root() {
  local root=$1
  shift
  make_debian "$suite" "$root" "$cache/debootstrap.log" "$mirror"
  mkdir -p "$root/root"/{routevpn,build,.cache/ccache}
  in_system "$root" "scripts/packages.sh $*"
  rm -rf "$root/var/cache/apt" "$root/var/lib/apt/lists"
}

# build_in ROOT SCRIPT WHAT: runs the script of the work tree that builds.
build_in() {
  local started=$SECONDS
  in_system "$1" "$2" >"$cache/build.log" 2>&1 || {
    tail -n 40 "$cache/build.log"
    die "the $3 could not be built for $suite"
  }
  echo "${0##*/}: $suite: built after $((SECONDS - started)) s"
}

# shellcheck disable=SC2317 # called by trap
clean_up() {
  trap '' INT TERM HUP
  end_debian
  if declare -F end_machine >/dev/null; then end_machine; fi
  if [[ -n $work ]]; then rm -rf --one-file-system "$work"; fi
  if [[ -n $cache ]]; then rm -rf --one-file-system "$cache/new"; fi
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP
