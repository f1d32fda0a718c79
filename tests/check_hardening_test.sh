#!/usr/bin/env bash
# scripts/check_hardening.sh accepts a hardened program, and reports each property that one lacks.
# The environment names the C++ compiler in CXX.
set -euo pipefail
check=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/scripts/check_hardening.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat >"$work/a.cpp" <<'END'
#include <cstdio>
#include <cstring>
int main(int argc, char** argv) {
  char copy[32];
  std::strcpy(copy, argv[argc - 1]);
  return std::puts(copy);
}
END

# build OPTION...: a hardened program, unless the options take that back.
build() {
  "${CXX:-c++}" -O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fPIE -pie -fstack-protector-strong \
    "${branches[@]}" -Wl,-z,relro,-z,now,-z,noexecstack "$@" -o "$work/a" "$work/a.cpp"
}

# expect TEXT OPTION...: built with these options the program lacks that property and no other.
expect() {
  local found
  build "${@:2}"
  if found=$("$check" "$work/a"); then
    echo "accepted: a program that $1" && exit 1
  fi
  [[ $found == "$work/a: $1" ]] || { echo "printed '$found' instead of '$1'" && exit 1; }
}

branches=()
if [[ $(uname -m) == x86_64 ]]; then branches=(-fcf-protection); fi
build
"$check" "$work/a"
expect "has no read-only relocations (relro)" -Wl,-z,norelro
expect "binds symbols lazily (no -z now)" -Wl,-z,lazy
expect "has an executable stack" -Wl,-z,execstack
expect "has no functions of _FORTIFY_SOURCE" -U_FORTIFY_SOURCE
expect "has no stack protector" -fno-stack-protector
if [[ $(uname -m) == x86_64 ]]; then
  expect "has no ENDBR64 at the start of main(), or no symbol of it" -fcf-protection=none
  expect "has no ENDBR64 at the start of main(), or no symbol of it" -s
fi
build -no-pie -fno-pie
if found=$("$check" "$work/a"); then echo "accepted: a program that is not PIE" && exit 1; fi
grep -q "is not position independent$" <<<"$found"
