#!/usr/bin/env bash
# Boots Debian's own kernel under QEMU and checks routevpn on it: scripts/stock_kernel.sh bookworm|trixie
#
# The kernel of a development machine can differ from the kernels of the users: Debian 12 has Linux 6.1,
# Debian 13 has 6.12. debootstrap makes a system of the suite. The program is built in it, from the files of
# this work tree as they are. QEMU boots the system with the suite's linux-image-cloud-amd64. The scripts of
# tests/stock run there. QEMU emulates the processor (TCG), so no KVM is needed. The machine is therefore
# slow: the checks are about behaviour and about the times of events, not about throughput.
#
#   --mirror URL   Debian mirror; default: that of this machine's apt
#   --renew        makes the system again, with the suite's newest packages
#   --prepare      only makes the system and builds the program
#   --only NAME    only tests/stock/NAME.sh, or tests/netns/NAME.sh if it needs no other program than routevpn;
#                  can be given more than once
#
# The system, the disk image and the build stay in ~/.cache/routevpn-stock/SUITE for later runs. Needs root,
# by sudo for other users. One line is printed for each check, and "N passed, N failed" last. Exit status: 0
# when none failed, 1 otherwise, 2 for a wrong suite or option.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=kept_debian.sh
source "$(dirname "${BASH_SOURCE[0]}")/kept_debian.sh"

# A run takes about 3 minutes. The limit only ends a machine that hangs.
machine_limit_s=900

# The files of the work tree that git has or would add, below these paths.
tracked() {
  git -c safe.directory="$top" -C "$top" ls-files -z --cached --others --exclude-standard -- "$@"
}

make_system() {
  local new=$cache/new
  rm -rf --one-file-system "$new" "$cache"/system-*
  mkdir "$new"
  make_root "$new/root" build lab machine
  make_boot_files "$new"
  mv "$new" "$system"
}

# The kernel, a first file system with the modules for the disk, and the disk image.
make_boot_files() {
  local new=$1 root=$1/root kernel megabytes
  kernel=$(basename "$root"/boot/vmlinuz-*)
  kernel=${kernel#vmlinuz-}
  echo "stock_kernel.sh: $suite: making the disk with Linux $kernel"
  cp "$root/boot/vmlinuz-$kernel" "$new/vmlinuz"
  in_system "$root" "tests/stock/make_initrd.sh $kernel /root/initrd"
  mv "$root/root/initrd" "$new/initrd"
  # A quarter more than the files, for what the machine writes.
  megabytes=$(($(du -s --block-size=1M "$root" | cut -f 1) * 5 / 4 + 64))
  mke2fs -q -t ext4 -d "$root" "$new/disk" "${megabytes}M" >"$cache/mke2fs.log" 2>&1
}

# The program and the scripts, as the content of the machine's second disk.
pack() {
  mkdir "$work/stock"
  cp "$cache/build/src/routevpn" "$work/stock/"
  tracked tests/netns tests/stock | tar -C "$top" --null -T - -c | tar -x -C "$work/stock"
  printf '%s\n' "${only[@]}" >"$work/stock/only"
  tar -C "$work/stock" -cf "$work/stock.tar" .
}

# The first serial line is the console, the second has the results. QEMU runs before the other programs of this
# machine, because the checks measure times.
boot() {
  local -a options=(
    -machine q35 -accel "tcg,thread=multi" -cpu max -smp 2 -m 1536
    -nodefaults -no-user-config -no-reboot -display none
    -kernel "$system/vmlinuz" -initrd "$system/initrd"
    -append "console=ttyS0 panic=-1 quiet"
    -drive "file=$system/disk,format=raw,if=virtio,snapshot=on"
    -drive "file=$work/stock.tar,format=raw,if=virtio,readonly=on"
    -serial "file:$work/console.log" -serial stdio
  )
  exec {results}< <(exec env TMPDIR="$work" timeout "$machine_limit_s" nice -n -10 \
    qemu-system-x86_64 "${options[@]}" </dev/null 2>"$work/qemu.log")
  machine=$!
}

# Prints and counts the results.
read_results() {
  local line
  while IFS= read -r line <&"$results"; do
    case $line in
      "ok - "*) passed=$((passed + 1)) ;;
      "not ok - "*) failed=$((failed + 1)) ;;
      "the machine has finished")
        finished=yes
        continue
        ;;
    esac
    printf '%s\n' "$line"
  done
  wait "$machine" 2>/dev/null || true
  machine=''
}

# shellcheck disable=SC2317 # called by clean_up
end_machine() {
  [[ -n $machine ]] || return 0
  kill -TERM "$machine" 2>/dev/null || true
  wait "$machine" 2>/dev/null || true
}

machine=''
read_options "stock netns" "$@"
[[ $(dpkg --print-architecture) == amd64 ]] || die "boots machines of the architecture amd64 only"
"$top/scripts/packages.sh" stock
open_cache stock "$top/tests/stock/make_initrd.sh"
if [[ -n $renew || ! -d $system ]]; then make_system; fi

passed=0 failed=0 finished=''
build_in "$system/root" tests/stock/build.sh program
[[ -z $prepare ]] || exit 0
pack
echo "stock_kernel.sh: $suite: boots, with $(cut -d ' ' -f 1-3 /proc/loadavg) as this machine's load"
started=$SECONDS
boot
read_results
if [[ -z $finished ]]; then
  failed=$((failed + 1))
  echo "not ok - the machine runs to its last check; the end of its console:"
  tail -n 25 "$work/qemu.log" "$work/console.log"
fi
echo "stock_kernel.sh: $suite: ran for $((SECONDS - started)) s"
echo "$passed passed, $failed failed"
((failed == 0))
