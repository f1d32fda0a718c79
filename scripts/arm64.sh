#!/usr/bin/env bash
# Builds the package for arm64 and runs unit tests of it: scripts/arm64.sh bookworm|trixie
#
# debootstrap makes a system of the suite for this machine, with Debian's cross compiler and the libraries of
# arm64. QEMU emulates the processor for each test program; its system calls go to this machine's kernel, so
# rooms that need netlink, namespaces, system call filters or exact times are left out, and those that need
# other programs.
#
#   --mirror URL   Debian mirror; default: that of this machine's apt
#   --renew        makes the system again, with the suite's newest packages
#   --prepare      only makes the system and the package, and prints its path
#
# The system and the build stay in ~/.cache/routevpn-arm64/SUITE for later runs. Needs root, by sudo for other
# users. The last line is "N passed, N failed", of test programs. Exit status: 0 when none failed, 1 otherwise,
# 2 for a wrong suite or option.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=kept_debian.sh
source "$(dirname "${BASH_SOURCE[0]}")/kept_debian.sh"

# Addresses, packets, cryptography, the handshake, the session, options and what is printed.
rooms=(base inside record dtls session options cli exporter)
# Emulation is about ten times slower. The limit only ends a test that hangs.
test_limit_s=600

make_system() {
  rm -rf --one-file-system "$cache/new" "$cache"/system-*
  make_debian "$suite" "$cache/new" "$cache/debootstrap.log" "$mirror"
  mkdir -p "$cache/new/root"/{routevpn,build,.cache/ccache}
  in_system "$cache/new" "dpkg --add-architecture arm64"
  in_system "$cache/new" "scripts/packages.sh cross_arm64"
  mv "$cache/new" "$system"
}

run_test() { # ROOM
  local log=$work/$1.log
  if in_system "$system" "timeout $test_limit_s qemu-aarch64 /root/build/tests/unit/$1/unit_$1" &>"$log"; then
    echo "ok - unit_$1: $(tail -n 2 "$log" | head -n 1)"
    passed=$((passed + 1))
  else
    echo "not ok - unit_$1:"$'\n'"$(tail -n 40 "$log")"
    failed=$((failed + 1))
  fi
}

read_options '' "$@"
"$top/scripts/packages.sh" fresh
open_cache arm64
if [[ -n $renew || ! -d $system ]]; then make_system; fi
rm -f "$cache/build"/*.deb
build_in "$system" "scripts/arm64_build.sh ${rooms[*]}" package
echo "package: $(echo "$cache/build"/*_arm64.deb)"
[[ -z $prepare ]] || exit 0

passed=0 failed=0
for room in "${rooms[@]}"; do run_test "$room"; done
echo "$passed passed, $failed failed"
((failed == 0))
