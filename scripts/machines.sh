# shellcheck shell=bash
# shellcheck disable=SC2154 # the script that sources this file sets machines and space_prefix
# Machines that boot with systemd: systemd-nspawn containers. Each is an overlay on a Debian system, in a
# network namespace of its own. Source this file. The sourcing script sets
#
#   machines       directory of the machines: NAME/root is a machine's root directory, NAME/console its console
#                  output, NAME/leader the process id of its systemd-nspawn
#   space_prefix   the network namespace of the machine NAME is SPACE_PREFIX and NAME
#
# A machine runs until it is powered off or cut off, also after the end of the script that booted it.

nspawn=/usr/bin/systemd-nspawn

root_of() { echo "$machines/$1/root"; } # MACHINE

# Prints the process id of the machine's systemd-nspawn. Fails when it has ended.
leader_of() { # MACHINE
  local pid
  { read -r pid <"$machines/$1/leader"; } 2>/dev/null || return 1
  [[ "/proc/$pid/exe" -ef $nspawn ]] || return 1
  echo "$pid"
}

is_off() { ! leader_of "$1" >/dev/null; } # MACHINE

running_machines() {
  local file name
  for file in "$machines"/*/leader; do
    name=${file%/leader}
    name=${name##*/}
    if [[ -e $file ]] && ! is_off "$name"; then echo "$name"; fi
  done
}

# Prints the id of the first process of the machine, a child of systemd-nspawn.
first_process() { # MACHINE
  local leader child
  leader=$(leader_of "$1") || return 1
  child=$(<"/proc/$leader/task/$leader/children")
  [[ -n $child ]] || return 1
  echo "${child%% *}"
}

on() { # MACHINE COMMAND...
  local first
  first=$(first_process "$1") || return 1
  shift
  nsenter -t "$first" -m -u -i -n -p -C env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
    TERM="${TERM:-dumb}" "$@"
}

is_booted() { # MACHINE
  [[ $(on "$1" systemctl is-system-running 2>/dev/null) =~ ^(running|degraded)$ ]]
}

# power_on MACHINE SYSTEM: does not wait. Systemd in the machine sees the unified hierarchy of control groups,
# which this machine may lack, and may write to the sysctls of its network namespace.
power_on() {
  local directory=$machines/$1
  [[ -e /dev/net/tun ]] || {
    echo "/dev/net/tun is missing: 'modprobe tun' makes it" >&2
    return 1
  }
  mkdir -p "$directory"/{upper,work,root}
  mountpoint -q "$directory/root" || mount -t overlay overlay \
    -o "lowerdir=$2,upperdir=$directory/upper,workdir=$directory/work" "$directory/root"
  echo "$1" >"$directory/root/etc/hostname"
  # In a session of its own: Ctrl-C for this script does not reach the machine.
  SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 SYSTEMD_NSPAWN_API_VFS_WRITABLE=network setsid systemd-nspawn --quiet \
    --register=no --keep-unit --directory "$directory/root" --machine "$space_prefix$1" \
    --network-namespace-path "/run/netns/$space_prefix$1" \
    --capability=CAP_NET_ADMIN --bind=/dev/net/tun --boot >>"$directory/console" 2>&1 </dev/null &
  echo $! >"$directory/leader"
  disown # otherwise bash reports its end
}

# Asks the machine to power off. It is off when is_off says so.
power_off() { on "$1" systemctl poweroff >/dev/null 2>&1 || true; } # MACHINE

# A power cut: the kernel ends all processes of the machine with its first one, without a word.
cut_off() { kill -KILL "$(first_process "$1")" 2>/dev/null || true; } # MACHINE

# Ends all machines and unmounts their overlays. What the machines wrote stays in their directories.
end_machines() {
  local name left=50
  for name in $(running_machines); do cut_off "$name"; done
  while [[ -n $(running_machines) ]] && ((left-- > 0)); do sleep 0.1; done
  for name in "$machines"/*/root; do
    if mountpoint -q "$name"; then umount "$name" || umount --lazy "$name"; fi
  done
}
