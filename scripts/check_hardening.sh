#!/usr/bin/env bash
# Checks that a program was built with the hardening flags: scripts/check_hardening.sh PROGRAM
#
#   position independence (PIE)          -fPIE, -pie
#   relocations are read-only            -z relro, -z now
#   the stack is not executable          -z noexecstack
#   functions of libc check sizes        _FORTIFY_SOURCE
#   functions check their stack          -fstack-protector-strong
#   indirect branches end at ENDBR64     -fcf-protection, only x86-64
#
# The start files of Debian's C library are built without -fcf-protection, so the linker leaves out the
# note that enables the check in the kernel. Therefore the script looks at the code of main(). Other flags
# leave no trace in a program. Prints one line per missing property. Exit status: 0 when none is missing,
# 1 otherwise.
set -euo pipefail
program=${1:?which program?}
failed=0

header=$(readelf -hW "$program")
segments=$(readelf -lW "$program")
dynamic=$(readelf -dW "$program")
symbols=$(readelf -W --dyn-syms "$program")

# require TEXT CONDITION...
require() {
  "${@:2}" && return
  echo "$program: $1"
  failed=1
}

contains() { grep -Eq "$2" <<<"$1"; }
# shellcheck disable=SC2317 # called by require
lacks() { ! contains "$@"; }
# shellcheck disable=SC2317 # called by require
begins_with_endbr() { grep -A1 '<main>:' <<<"$1" | grep -q 'endbr64'; }

require "is not position independent" contains "$header" 'Type: +DYN'
require "is not position independent: it is a shared library" contains "$dynamic" 'FLAGS_1.* PIE'
require "has no read-only relocations (relro)" contains "$segments" 'GNU_RELRO'
require "binds symbols lazily (no -z now)" contains "$dynamic" 'BIND_NOW|FLAGS.* NOW'
require "does not state that its stack is not executable" contains "$segments" 'GNU_STACK'
require "has an executable stack" lacks "$segments" 'GNU_STACK.*RWE'
require "has no functions of _FORTIFY_SOURCE" contains "$symbols" ' __[a-z]+_chk(@|$)'
require "has no stack protector" contains "$symbols" '__stack_chk_fail'
if contains "$header" 'Machine:.*X86-64'; then
  main=$(objdump -d --no-show-raw-insn --disassemble=main "$program")
  require "has no ENDBR64 at the start of main(), or no symbol of it" begins_with_endbr "$main"
fi
exit "$failed"
