# shellcheck shell=bash
# Machines that boot with systemd, and the network between them. Source this file: scripts/booted.sh gives
# SYSTEM (the directory of the system), PACKAGE and WORK. When the script ends, by itself or by a signal, all
# machines and namespaces are removed.
#
#         site 1                                                  site 2
#   R1 -- lan --+-- eth1 V1-1 wan --.             .-- wan V2-1 eth1 --- lan -- R2
#   10.0.1.1/24 |                    +- internet -+                    10.0.2.1/24
#               '-- eth1 V1-2 wan --'
#
# V1-1 has the public address 192.0.2.11, V1-2 192.0.2.12, V2-1 192.0.2.21. `internet` is a bridge. The
# interfaces wan and eth1 of a machine survive its reboot, as cables do.
set -euo pipefail
umask 022

P=rvb$$
declare -a SPACES=() # namespaces to delete
DEADLINE_S=${DEADLINE_S:-60}
: "${SYSTEM:?}" "${PACKAGE:?}" "${WORK:?}"
machines=$WORK/machines-$$
space_prefix=$P- # scripts/machines.sh uses it
# shellcheck source-path=SCRIPTDIR source=../../scripts/machines.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/machines.sh"

ok() { echo "ok - $*"; }

fail() {
  echo "not ok - $*" >&2
  evidence >&2
  exit 1
}

# What the units and the links of each machine say.
evidence() {
  local name
  for name in $(running_machines); do
    echo "--- $name"
    on "$name" sh -c 'systemctl --no-pager --no-legend --failed; journalctl --no-pager -n 40 -u "routevpn*"
      routevpn show; ip -br address; ip netns exec private ip -br address' 2>&1 || true
  done
}

expect() { # TEXT COMMAND...
  local text=$1 output
  shift
  output=$("$@" 2>&1) || fail "$text"$'\n'"  failed: $*"$'\n'"$output"
  ok "$text"
}

expect_not() { # TEXT COMMAND...
  local text=$1 output
  shift
  if output=$("$@" 2>&1); then fail "$text"$'\n'"  succeeded: $*"$'\n'"$output"; fi
  ok "$text"
}

expect_equal() { # TEXT WANTED GOT
  [[ $2 == "$3" ]] || fail "$1: wanted '$2', got '$3'"
  ok "$1"
}

wait_for() { # COMMAND...: repeats it until it succeeds
  local end=$((SECONDS + DEADLINE_S)) output
  until output=$("$@" 2>&1); do
    if ((SECONDS >= end)); then
      echo "$output"
      return 1
    fi
    sleep 0.2
  done
}

# --- machines -----------------------------------------------------------------------------------

boot() { # MACHINE
  power_on "$1" "$SYSTEM"
  wait_for is_booted "$1" || {
    tail -n 20 "$machines/$1/console" >&2
    fail "$1 boots"
  }
}

halt_machine() { # MACHINE
  power_off "$1"
  wait_for is_off "$1" || fail "$1 powers off"
}

# The private namespace ends with the machine. eth1 was in it: a virtual cable ends with its namespace, so
# there is a new one.
cut_power() { # MACHINE
  cut_off "$1"
  wait_for is_off "$1" || fail "$1 ends with its first process"
  ip -n "$P-R${1:1:1}" link del "$1-eth1" 2>/dev/null || true
  cable "$1" eth1 "R${1:1:1}" lan
}

install_package() { # MACHINE
  cp "$PACKAGE" "$(root_of "$1")/root/routevpn.deb"
  on "$1" dpkg -i /root/routevpn.deb
}

# make_credentials MACHINE...: a CA on the first one, and in each its own certificate and key.
make_credentials() {
  local machine file
  on "$1" routevpn pki ca --dir /root >/dev/null
  for machine in "$@"; do
    on "$1" routevpn pki csr --dir /root --name "$machine" >/dev/null
    on "$1" routevpn pki sign --dir /root --name "$machine" >/dev/null
    for file in ca.cert "$machine.cert" "$machine.key"; do
      cp -p "$(root_of "$1")/root/$file" "$(root_of "$machine")/etc/routevpn/pki/"
    done
  done
}

# write_link MACHINE LINE...: the configuration of its link rv0.
write_link() {
  local machine=$1
  shift
  printf '%s\n' "$@" "ifname = rv0" "cert = /etc/routevpn/pki/$machine.cert" \
    "key = /etc/routevpn/pki/$machine.key" "ca = /etc/routevpn/pki/ca.cert" \
    >"$(root_of "$machine")/etc/routevpn/rv0.conf"
}

# --- network ------------------------------------------------------------------------------------

make_space() { # NAME
  ip netns add "$P-$1"
  SPACES+=("$P-$1")
  ip -n "$P-$1" link set lo up
}

make_switch() { # SPACE NAME
  ip -n "$P-$1" link add "$2" type bridge forward_delay 0 mcast_snooping 0
  ip -n "$P-$1" link set "$2" up
}

cable() { # MACHINE INTERFACE SPACE SWITCH
  ip -n "$P-$3" link add "$1-$2" type veth peer name "$2" netns "$P-$1"
  ip -n "$P-$3" link set "$1-$2" master "$4" up
}

# make_network MACHINE...: the machine Vx-y belongs to site x.
make_network() {
  local name site
  make_space internet
  make_switch internet wan
  for name in "$@"; do
    site=${name:1:1}
    if [[ ! -e /run/netns/$P-R$site ]]; then
      make_space "R$site"
      make_switch "R$site" lan
      ip -n "$P-R$site" address add "10.0.$site.1/24" dev lan
      ip netns exec "$P-R$site" sysctl -qw net.ipv4.ip_forward=1
    fi
    make_space "$name"
    cable "$name" wan internet wan
    cable "$name" eth1 "R$site" lan
    ip -n "$P-$name" address add "192.0.2.$site${name##*-}/24" dev wan
    ip -n "$P-$name" link set wan up
  done
}

# start_machines MACHINE...: connects and boots them, with the package installed.
start_machines() {
  local machine
  make_network "$@"
  for machine in "$@"; do
    boot "$machine"
    expect "$machine installs the package" install_package "$machine"
  done
}

# shellcheck disable=SC2317 # called by trap
clean_up() {
  local space
  trap '' INT TERM HUP
  end_machines
  for space in "${SPACES[@]}"; do ip netns del "$space" 2>/dev/null || true; done
  rm -rf --one-file-system "$machines"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP
