#!/usr/bin/env bash
# Formats the C++ files as .clang-format demands: scripts/format.sh [--check]
#
#   --check   changes nothing; exit status 1 if a file is not formatted
#
# Needs clang-format 14, because other versions format some lines in another way. Debian 12 has the package
# clang-format-14. Exit status 3: clang-format 14 is not installed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
  sed -n '2,/^set /{/^set /d; s/^# \{0,1\}//; p}' scripts/format.sh
}

mode=(-i)
case $#,${1:-} in
  0,) ;;
  1,--check) mode=(--dry-run --Werror) ;;
  1,-h | 1,--help)
    usage
    exit
    ;;
  *)
    echo "format.sh: the only option is --check" >&2
    exit 2
    ;;
esac

formatter=$(command -v clang-format-14 || command -v clang-format || true)
version=$("${formatter:-true}" --version)
if [[ $version != *"version 14."* ]]; then
  echo "format.sh: clang-format 14 is needed (Debian 12: clang-format-14); found: ${version:-none}" >&2
  exit 3
fi
find include src lab tests \( -name '*.cpp' -o -name '*.hpp' \) -print0 |
  xargs -0 "$formatter" "${mode[@]}"
