#!/usr/bin/env bash
# Prints the path of axe-core, which checks the accessibility of a page, for tests/netns/page.sh. It is fetched
# once from the npm registry, to ~/.cache. Exit status 1: it is not there and cannot be fetched.
set -euo pipefail

version=4.10.3
sum=5e6edba515e70d25f6604d9815f064d859c5d1ea7ab661bbc4f87c88779ef0c2\
1cae0abbeb636471ef39e9d62d2582e4b88a1866f19f4ecfcf6d986275e4dc12
file=${XDG_CACHE_HOME:-$HOME/.cache}/routevpn-axe/axe-$version.min.js

if [[ ! -e $file ]]; then
  mkdir -p "$(dirname "$file")"
  work=$(mktemp -d "$(dirname "$file")/XXXXXX")
  trap 'rm -rf "$work"' EXIT
  curl -sS --fail --max-time 30 -o "$work/axe.tgz" "https://registry.npmjs.org/axe-core/-/axe-core-$version.tgz" || exit 1
  sha512sum --check --quiet <<<"$sum  $work/axe.tgz" || exit 1
  tar -C "$work" -xzf "$work/axe.tgz" package/axe.min.js
  mv "$work/package/axe.min.js" "$file"
fi
echo "$file"
