# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034 # run.sh sets prefix, sites, root; base.sh run_dir and the programs
# lab/run.sh --booted: cables, and machines that are switched on and off.
#
# A gateway that is switched off has no namespace: its cables are gone. The namespace of a site router stays,
# because the streams run in it; while the machine is off its interfaces are down.

# On disk: /run is memory.
machines=${XDG_CACHE_HOME:-$HOME/.cache}/routevpn-booted/${prefix}lab
space_prefix=$prefix
poll_s=0.2 # a look into a machine costs more than one into a namespace
# shellcheck source-path=SCRIPTDIR source=../scripts/machines.sh
. "$root/scripts/machines.sh"

# Network ------------------------------------------------------------------------------------------

# The gateways use addresses, protocol and ports for the hash, so a router must use other fields.
flow_fields() { echo net.ipv{4,6}.fib_multipath_hash_policy=3 net.ipv{4,6}.fib_multipath_hash_fields=0x33; }

connect_public() { cable internet "${1,,}" "$1" wan; } # GATEWAY
connect_private() { # GATEWAY
  cable "R$(site_of "$1")" "${1,,}" "$1" lan
  ip_node "R$(site_of "$1")" link set "${1,,}" master lan
}

make_network() {
  local site
  make_node internet
  for ((site = 1; site <= sites; site++)); do make_site "$site"; done
}

# Without keep_addr_on_down, an interface that goes down loses its IPv6 addresses.
make_site() { # SITE
  make_node "R$1"
  in_node "R$1" sysctl -qw net.ipv6.conf.all.keep_addr_on_down=1 net.ipv6.conf.default.keep_addr_on_down=1
  make_site_network "$1"
}

plug() { # MACHINE
  case $1 in
    V*)
      make_space "$1"
      connect_public "$1"
      connect_private "$1"
      ;;
    R*) set_ports "$1" up ;;
  esac
}

# The kernel's routes of a router would outlive its BIRD.
unplug() { # MACHINE
  case $1 in
    V*)
      ip_node internet link del "${1,,}" 2>/dev/null || true
      ip_node "R$(site_of "$1")" link del "${1,,}" 2>/dev/null || true
      ip netns del "$prefix$1"
      ;;
    R*)
      set_ports "$1" down
      ip_node "$1" route flush proto bird
      ip_node "$1" -6 route flush proto bird
      ;;
  esac
}

set_ports() { # ROUTER up|down
  local port
  for port in lan $(ip_node "$1" -o link show master lan | awk '{ sub("@.*", "", $2); print $2 }'); do
    ip_node "$1" link set "$port" "$2"
  done
}

# Power -----------------------------------------------------------------------------------------

boot_machines() { # MACHINE...: together
  local machine system
  for machine in "$@"; do
    plug "$machine" || die "$machine cannot be connected"
    system=$(sed -n 's/^system: //p' "$machines/$(suite_of "$machine").paths")
    power_on "$machine" "$system" || die "$machine cannot be switched on"
  done
  for machine in "$@"; do
    wait_until 180 is_booted "$machine" || die "$machine has not booted: $machines/$machine/console"
  done
}

halt_machines() { # MACHINE...: together
  local machine
  for machine in "$@"; do power_off "$machine"; done
  for machine in "$@"; do
    wait_until 120 is_off "$machine" || die "$machine does not power off: $machines/$machine/console"
    unplug "$machine"
  done
}

# A power cut takes the carrier from the neighbours, too.
kill_gateway() { # GATEWAY
  ip_node internet link set "${1,,}" down
  ip_node "R$(site_of "$1")" link set "${1,,}" down
  cut_off "$1"
  wait_until 10 is_off "$1" || die "$1 does not end with its first process"
  unplug "$1"
}
revive_gateway() { boot_machines "$1"; } # GATEWAY
