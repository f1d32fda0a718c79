#!/usr/bin/env bash
# Makes the first file system of the machine: make_initrd.sh KERNEL FILE. scripts/stock_kernel.sh runs it in
# the system that boots. It has busybox and the modules for the disk.
set -euo pipefail

kernel=$1 file=$2
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree"/{bin,dev,proc,system,modules}
cp /bin/busybox "$tree/bin/"
number=100
for module in virtio_pci virtio_blk ext4 crc32c_generic; do
  # Prints "insmod PATH OPTION..." in the order of dependence, or "builtin NAME".
  while read -r verb path _; do
    [[ $verb == insmod ]] || continue
    [[ -z $(find "$tree/modules" -name "*-${path##*/}") ]] || continue
    cp "$path" "$tree/modules/$number-${path##*/}"
    number=$((number + 1))
  done < <(modprobe --set-version "$kernel" --show-depends "$module")
done
# Debian 13 compresses modules, and busybox's insmod reads plain ones.
find "$tree/modules" -name '*.xz' -exec busybox unxz {} +
cat >"$tree/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
for module in /modules/*; do
  /bin/busybox insmod "$module"
done
/bin/busybox mount -t ext4 /dev/vda /system
/bin/busybox mkdir /system/stock
/bin/busybox tar -x -f /dev/vdb -C /system/stock
exec /bin/busybox switch_root /system /bin/bash /stock/tests/stock/init.sh
INIT
chmod +x "$tree/init"
(cd "$tree" && find . | busybox cpio -o -H newc 2>/dev/null | gzip -1) >"$file"
