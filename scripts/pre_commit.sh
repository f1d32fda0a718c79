#!/usr/bin/env bash
# Checks what is about to be committed: scripts/pre_commit.sh, run by the hook that
# scripts/install_hooks.sh installs.
#
# scripts/format.sh --check runs if the commit changes C++ files, shellcheck on the shell scripts that
# it changes. Both read the work tree, so stage whole files. Exit status: 0, or 1 with the findings.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

is_shell_script() {
  [[ $1 == *.@(sh|bash) ]] || head -n 1 "$1" | grep -aqE '^#!.*[/ ](ba)?sh$'
}

has_cpp='' failed=0
scripts=()
while IFS= read -r -d '' file; do
  if [[ ! -f $file ]]; then
    continue # a submodule, or deleted in the work tree
  elif [[ $file == *.@(cpp|hpp) ]]; then
    has_cpp=1
  elif is_shell_script "$file"; then
    scripts+=("$file")
  fi
done < <(git diff --cached --name-only --diff-filter=ACMR -z)

if [[ $has_cpp ]]; then
  status=0
  scripts/format.sh --check || status=$?
  # 3: clang-format 14 is not installed. CI checks the format then.
  if ((status != 0 && status != 3)); then
    echo "pre_commit.sh: scripts/format.sh formats the code" >&2
    failed=1
  fi
fi
if ((${#scripts[@]} > 0)); then
  if command -v shellcheck >/dev/null; then
    shellcheck "${scripts[@]}" || failed=1
  else
    echo "pre_commit.sh: shellcheck is not installed; scripts/packages.sh test installs it" >&2
  fi
fi
exit "$failed"
