#!/bin/bash
# The first process of the machine that scripts/stock_kernel.sh boots: runs the scripts, with the second serial
# line as output, and turns the machine off.
#
# Each script prints "ok - TEXT" for each check and ends at the first that fails, with "not ok - TEXT".

export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mount -t tracefs tracefs /sys/kernel/tracing
mount -t securityfs securityfs /sys/kernel/security
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=1777 tmpfs /tmp
ln -s /proc/self/fd /dev/fd
mkdir -p /run/netns /dev/pts
mount -t devpts devpts /dev/pts
ip link set lo up
modprobe tun
useradd --system --user-group routevpn 2>/dev/null
stty -F /dev/ttyS1 raw
exec >/dev/ttyS1 2>&1 </dev/null

turn_off() {
  echo o >/proc/sysrq-trigger
  sleep 60
}

# A script that ended for another reason than a failed check has failed too.
run() {
  local name=$1 script status=0 log=/tmp/$1.log began=$SECONDS
  for script in "/stock/tests/"{stock,netns}"/$name.sh"; do
    [[ ! -f $script ]] || break
  done
  ROUTEVPN=/stock/routevpn DEADLINE_S=60 bash "$script" \
    > >(tee "$log" | sed -u "s/^\(ok\|not ok\) - /&$name: /") 2>&1 || status=$?
  wait
  if ((status != 0)) && ! grep -q '^not ok - ' "$log"; then echo "not ok - $name: exit status $status"; fi
  echo "# $name took $((SECONDS - began)) s"
}

echo "# Linux $(uname -r), started in $(cut -d ' ' -f 1 /proc/uptime) s"
mapfile -t names < <(grep . /stock/only)
if ((${#names[@]} == 0)); then names=(carrier fast_path path_mtu lanes confinement rights); fi
for name in "${names[@]}"; do run "$name"; done
echo "the machine has finished"
turn_off
