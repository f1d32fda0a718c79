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
#   --prepare      only makes the system and the package, and prints their paths; lab/run.sh --booted uses them
#
# The system and the build stay in ~/.cache/routevpn-booted/SUITE for later runs. Needs root, by sudo for
# other users. One line is printed for each check, and "N passed, N failed" last. Exit status: 0 when none
# failed, 1 otherwise, 2 for a wrong suite or option.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=kept_debian.sh
source "$(dirname "${BASH_SOURCE[0]}")/kept_debian.sh"

# A script takes about a minute, `readme` as long as a build. The limit only ends one that hangs.
script_limit_s=1800

make_system() {
  local new=$cache/new
  if grep -q "lowerdir=$cache/system-" /proc/self/mounts; then
    die "the machines of a lab use the system of $suite: 'lab/run.sh --booted down' ends them"
  fi
  rm -rf --one-file-system "$new" "$cache"/system-*
  make_root "$new" build booted_machine
  # Each machine makes an identity of its own.
  rm -f "$new/etc/machine-id"
  mv "$new" "$system"
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
  SYSTEM=$system PACKAGE=$(echo "$cache/build"/*.deb) WORK=$work CACHE=$cache SUITE=$suite MIRROR=$mirror \
    timeout --signal TERM --kill-after 30 "$script_limit_s" bash "$top/tests/booted/$1.sh" \
    > >(tee "$log") 2>&1 || status=$?
  passed=$((passed + $(grep -c '^ok - ' "$log" || true)))
  if ((status != 0)); then failed=$((failed + 1)); fi
  echo "booted.sh: $suite: $1: exit status $status after $((SECONDS - started)) s"
}

read_options booted "$@"
if ((${#only[@]} == 0)); then
  for script in "$top"/tests/booted/*.sh; do
    script=$(basename "$script" .sh)
    [[ $script == lib || $script == build ]] || only+=("$script")
  done
fi
"$top/scripts/packages.sh" booted
open_cache booted
if [[ -n $renew || ! -d $system ]]; then make_system; fi

passed=0 failed=0
rm -f "$cache/build"/*.deb
build_in "$system" tests/booted/build.sh package
if [[ -n $prepare ]]; then
  echo "system: $system"
  echo "package: $(echo "$cache/build"/*.deb)"
  exit
fi
check_package
for name in "${only[@]}"; do run_script "$name"; done
echo "$passed passed, $failed failed"
((failed == 0))
