#!/usr/bin/env bash
# Installs the git hook of this project: scripts/install_hooks.sh [--remove]
#
# Before each commit, git then runs scripts/pre_commit.sh, which checks the format of the code and
# the shell scripts that the commit changes. `git commit --no-verify` skips the hook. A pre-commit
# hook of your own is never replaced. Exit status: 0, 1 when there is one, 2 for wrong options.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

case ${1:-} in
  '') remove='' ;;
  --remove) remove=1 ;;
  -h | --help)
    sed -n '2,/^set /{/^set /d; s/^# \{0,1\}//; p}' scripts/install_hooks.sh
    exit
    ;;
  *)
    echo "install_hooks.sh: unknown option '$1'; --remove and --help are known" >&2
    exit 2
    ;;
esac

# Honours core.hooksPath, and in a worktree is the directory of the whole repository.
hook=$(git rev-parse --git-path hooks)/pre-commit
# A commit from before scripts/pre_commit.sh has nothing to run.
# shellcheck disable=SC2016 # expanded when the hook runs
text='#!/bin/sh
# Installed by scripts/install_hooks.sh
check=$(git rev-parse --show-toplevel)/scripts/pre_commit.sh
[ ! -x "$check" ] || exec "$check"'

if [[ -e $hook && $(<"$hook") != "$text" ]]; then
  echo "install_hooks.sh: $hook exists and is not from this script; it stays as it is" >&2
  exit 1
fi
if [[ $remove ]]; then
  rm -f "$hook"
  echo "removed: $hook"
else
  mkdir -p "$(dirname "$hook")"
  printf '%s\n' "$text" >"$hook"
  chmod +x "$hook"
  echo "installed: $hook"
fi
