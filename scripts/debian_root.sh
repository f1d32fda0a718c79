# shellcheck shell=bash
# Makes a Debian system in a directory, and runs commands in it. Source this file. It needs root, die TEXT,
# and the packages of the group `fresh`.

# debian_archives SUITE MIRROR: prints "SITE SUITE" for each Debian archive of this machine's apt, with the
# name SUITE instead of this machine's suite: also -updates and -security where apt has them. Other archives
# are ignored. A MIRROR that is not empty is the only archive.
debian_archives() {
  local suite=$1 mirror=$2 here
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

# make_debian SUITE ROOT LOG MIRROR [OPTION...]: makes a system of the required packages and apt in ROOT.
# OPTION is one of debootstrap. The output of debootstrap is in LOG. The system gets the settings of this
# machine's apt (mirror, proxy, certificates, date checks) and its name service.
make_debian() {
  local suite=$1 root=$2 log=$3 mirror=$4 site archives
  local -a options=(--variant=minbase "${@:5}")
  archives=$(debian_archives "$suite" "$mirror")
  read -r site _ < <(grep " $suite\$" <<<"$archives") ||
    die "this machine's apt has no Debian archive: --mirror URL names one"
  if grep -q '^https:' <<<"$archives"; then options+=(--include=ca-certificates); fi
  echo "${0##*/}: $suite from $site"
  export_proxy
  if ! debootstrap "${options[@]}" "$suite" "$root" "$site" &>"$log"; then
    tail -n 20 "$log"
    die "debootstrap failed"
  fi
  sed 's/^/deb /; s/$/ main/' <<<"$archives" >"$root/etc/apt/sources.list"
  apt_settings >"$root/etc/apt/apt.conf.d/00host"
  # The system need not survive a power cut, so dpkg does not wait for the disk.
  echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/unsafe-io"
  cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
  if grep -q '^https:' <<<"$archives"; then
    cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
  fi
}

# enter_debian ROOT COMMAND [BIND...]: runs in mount and process namespaces of its own.
# shellcheck disable=SC2317 # called by name
enter_debian() {
  local root=$1 command=$2 bind
  shift 2
  # The root of the system must be a mount, because `ip netns` changes its propagation.
  mount --bind "$root" "$root"
  mount -t proc proc "$root/proc"
  mount -t sysfs sysfs "$root/sys"
  mount --rbind /dev "$root/dev"
  # /run is empty at each start, as after a boot: no names of ended namespaces stay in /run/netns.
  mount -t tmpfs -o mode=755 tmpfs "$root/run"
  mkdir -m 1777 "$root/run/lock"
  for bind in "$@"; do mount --bind "${bind%:*}" "$root${bind##*:}"; done
  cd "$root" || return
  chroot . env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
    TERM="${TERM:-dumb}" CI="${CI:-}" http_proxy="${http_proxy:-}" \
    https_proxy="${https_proxy:-}" no_proxy="${no_proxy:-}" \
    bash -c "cd /root/routevpn && exec $command"
}

# run_in_debian ROOT COMMAND [BIND...]: runs COMMAND in /root/routevpn of the system. BIND is
# DIRECTORY:PLACE: the system has DIRECTORY of this machine at PLACE. end_debian ends all processes of COMMAND.
debian_process=''
run_in_debian() {
  local status=0
  unshare --mount --pid --fork --kill-child bash -euo pipefail -c \
    "$(declare -f enter_debian); enter_debian \"\$@\"" enter_debian "$@" &
  debian_process=$!
  wait "$debian_process" || status=$?
  debian_process=''
  return "$status"
}

# When the first process of a process namespace ends, the kernel ends all others of it.
# shellcheck disable=SC2317 # called by trap
end_debian() {
  [[ -n $debian_process ]] || return 0
  kill -KILL "$(ps -o pid= --ppid "$debian_process" | tr -d ' ')" 2>/dev/null || true
  wait "$debian_process" 2>/dev/null || true
}
