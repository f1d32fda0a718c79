#!/usr/bin/env bash
# Checks the layers of src/ and include/: scripts/check_includes.sh [TREE]
#
# A room (a folder of src/) may include headers of another room only if its CMakeLists.txt names
# that room under NEEDS. The pure rooms session and options include no header of the operating
# system, OpenSSL or libnl. Prints one line per violation. Exit status: 0 when there is none, 1
# otherwise.
set -euo pipefail
cd "${1:-$(dirname "${BASH_SOURCE[0]}")/..}"

pure_rooms=' session options '
failed=0

needs_of() {
  sed -n '/NEEDS/,/)/p' "src/$1/CMakeLists.txt" | grep -o 'routevpn_[a-z0-9_]*' | sed 's/^routevpn_//' |
    sort -u | tr '\n' ' '
}

# violations ROOM: its includes as FILE:LINE:INCLUDE, judged one by one.
violations() {
  local room=$1 needs file line header other
  needs=" $room $(needs_of "$room")"
  while IFS=: read -r file line header; do
    header=${header#*[<\"]}
    header=${header%%[>\"]*}
    if [[ $header == routevpn/*/* ]]; then
      other=${header#routevpn/}
      other=${other%%/*}
      [[ $needs == *" $other "* ]] ||
        echo "$file:$line: includes $header, but src/$room/CMakeLists.txt does not need $other"
    elif [[ $pure_rooms == *" $room "* && $header =~ ^(sys|net|netinet|linux|arpa|openssl|netlink)/|^(unistd|poll|fcntl|sched|signal|pthread)\.h$ ]]; then
      echo "$file:$line: includes $header, but $room is a pure room"
    fi
  done < <(grep -nE '^#include' -r "src/$room" "include/routevpn/$room" --include='*.cpp' --include='*.hpp')
}

mapfile -t rooms < <(grep -l '^routevpn_room(' src/*/CMakeLists.txt)
for file in "${rooms[@]}"; do
  room=${file#src/}
  found=$(violations "${room%/*}")
  [[ -n $found ]] || continue
  echo "$found"
  failed=1
done
exit "$failed"
