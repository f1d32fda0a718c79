#!/usr/bin/env bash
# scripts/check_includes.sh finds an include that breaks the layers, and accepts those that do not.
set -euo pipefail
check=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/scripts/check_includes.sh
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT

mkdir -p "$tree"/src/{base,session} "$tree"/include/routevpn/{base,session}
echo 'routevpn_room(base SOURCES a.cpp NEEDS Threads::Threads)' >"$tree/src/base/CMakeLists.txt"
echo 'routevpn_room(session SOURCES b.cpp NEEDS routevpn_base)' >"$tree/src/session/CMakeLists.txt"
echo '#include <sys/socket.h>' >"$tree/src/base/a.cpp"
printf '#include <array>\n#include "routevpn/base/a.hpp"\n' >"$tree/src/session/b.cpp"
"$check" "$tree"

expect() {
  local found
  if found=$("$check" "$tree"); then
    echo "accepted: $1" && exit 1
  fi
  [[ $found == "$1" ]] || { echo "printed '$found' instead of '$1'" && exit 1; }
}
echo '#include "routevpn/session/b.hpp"' >"$tree/include/routevpn/base/a.hpp"
expect "include/routevpn/base/a.hpp:1: includes routevpn/session/b.hpp, but src/base/CMakeLists.txt does not need session"
: >"$tree/include/routevpn/base/a.hpp"
echo '#include <sys/socket.h>' >"$tree/include/routevpn/session/b.hpp"
expect "include/routevpn/session/b.hpp:1: includes sys/socket.h, but session is a pure room"
