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
#   FRESH_CACHE=DIR    keeps the downloaded packages in DIR for later runs
#   FRESH_DIR=DIR      parent directory of the system; default: TMPDIR, or /tmp
#
# The system gets the settings of this machine's apt (mirror, proxy, certificates, date checks) and its name
# service. Exit status: 0 when both commands succeeded.
set -euo pipefail

die() {
  echo "fresh.sh: $1" >&2
  exit "${2:-1}"
}

usage() {
  sed -n '2,/^set /{/^set /d; s/^# \{0,1\}//; p}' "$0"
}

# Prints "SITE SUITE" for each Debian archive of this machine's apt, with the name $suite instead of this
# machine's suite: also -updates and -security where apt has them. Other archives are ignored.
debian_archives() {
  local here
  if [[ -n $mirror ]]; then
    echo "$mirror $suite"
    return
  fi
  # shellcheck source=/dev/null
  here=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  # shellcheck disable=SC2016 # apt replaces these
  apt-get indextargets --format '$(SITE) $(RELEASE) $(COMPONENT)' 'Identifier: Packages' |
    sed -nE "s/^([^ ]+) $here(-updates|-security)? main\$/\1 $suite\2/p" | sort -u
}

# Prints the settings of apt for the access to archives.
apt_settings() {
  apt-config dump | grep -E '^Acquire::((http|https)::|Check-|Force|Retries)' |
    grep -v -i 'auto-\?detect' || true
}

# debootstrap uses the proxy of apt.
export_proxy() {
  local proxy=''
  eval "$(apt-config shell proxy Acquire::http::Proxy)"
  if [[ -n $proxy && $proxy != DIRECT ]]; then export http_proxy=${http_proxy:-$proxy}; fi
}

make_system() {
  local site archives
  local -a options=(--variant=minbase)
  archives=$(debian_archives)
  read -r site _ < <(grep " $suite\$" <<<"$archives") ||
    die "this machine's apt has no Debian archive: --mirror URL names one"
  if [[ -n ${FRESH_CACHE:-} ]]; then options+=("--cache-dir=$cache/debootstrap"); fi
  if grep -q '^https:' <<<"$archives"; then options+=(--include=ca-certificates); fi
  echo "fresh.sh: $suite from $site"
  export_proxy
  if ! debootstrap "${options[@]}" "$suite" "$root" "$site" &>"$work/debootstrap.log"; then
    tail -n 20 "$work/debootstrap.log"
    die "debootstrap failed"
  fi
  sed 's/^/deb /; s/$/ main/' <<<"$archives" >"$root/etc/apt/sources.list"
  apt_settings >"$root/etc/apt/apt.conf.d/00host"
  cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
  if grep -q '^https:' <<<"$archives"; then
    cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
  fi
}

copy_project() {
  local top
  top=$(cd "$(dirname "$0")/.." && pwd)
  if [[ -n $(git -c safe.directory="$top" -C "$top" status --porcelain) ]]; then
    echo "fresh.sh: changes that are not committed are not tested"
  fi
  mkdir "$root/root/routevpn"
  git -c safe.directory="$top" -C "$top" archive HEAD | tar -x -C "$root/root/routevpn"
}

# Runs in its own mount and process namespaces.
# shellcheck disable=SC2317 # called by name
inside() {
  local root=$1 cache=$2 command=$3
  # The root of the system must be a mount, because `ip netns` changes its propagation.
  mount --bind "$root" "$root"
  mount -t proc proc "$root/proc"
  mount -t sysfs sysfs "$root/sys"
  mount --rbind /dev "$root/dev"
  # /run is empty at each start, as after a boot: no names of ended namespaces stay in /run/netns.
  mount -t tmpfs -o mode=755 tmpfs "$root/run"
  mkdir -m 1777 "$root/run/lock"
  if [[ -n $cache ]]; then mount --bind "$cache/archives" "$root/var/cache/apt/archives"; fi
  cd "$root"
  chroot . env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
    TERM="${TERM:-dumb}" CI="${CI:-}" http_proxy="${http_proxy:-}" \
    https_proxy="${https_proxy:-}" no_proxy="${no_proxy:-}" \
    bash -c "cd /root/routevpn && exec $command"
}

# run COMMAND: runs it in the new system.
run() {
  local started=$SECONDS status=0
  echo "fresh.sh: $suite: $1"
  unshare --mount --pid --fork --kill-child bash -euo pipefail -c \
    "$(declare -f inside); inside \"\$@\"" inside "$root" "$cache" "$1" &
  runner=$!
  wait "$runner" || status=$?
  runner=''
  echo "fresh.sh: $suite: $1: exit status $status after $((SECONDS - started)) s"
  return "$status"
}

# When the first process of a process namespace ends, the kernel ends all others of it.
# shellcheck disable=SC2317 # called by trap
clean_up() {
  if [[ -n $runner ]]; then
    kill -KILL "$(ps -o pid= --ppid "$runner" | tr -d ' ')" 2>/dev/null || true
    wait "$runner" 2>/dev/null || true
  fi
  rm -rf --one-file-system "$work"
}

stages=()
suite='' only='' bird3='' mirror='' runner=''
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
cache=''
if [[ -n ${FRESH_CACHE:-} ]]; then
  mkdir -p "$FRESH_CACHE/$suite"/{debootstrap,archives/partial}
  cache=$(cd "$FRESH_CACHE/$suite" && pwd)
fi

make_system
copy_project
failed=0
if [[ -n $bird3 ]]; then run "scripts/packages.sh bird3"; fi
if [[ $only != test ]]; then run lab/run.sh || failed=1; fi
if [[ $only != lab ]]; then run "scripts/test.sh ${stages[*]}" || failed=1; fi
exit "$failed"
