# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034 # run.sh sets prefix, sites, root; base.sh run_dir and the programs
# lab/run.sh --booted: gateways and site routers are machines that boot with systemd, Debian 12 and 13 mixed.
# This file and power.sh replace the functions of base.sh, network.sh, plan.sh and nodes.sh that differ:
#
#   V1-1           a machine. Its network namespace has wan; inside it, the unit routevpn-netns@private makes
#                  the namespace V1-1.private. The package is installed by apt, the links are those of `apply`
#   R1             a machine with Debian's BIRD. Its namespace also has the switch of the site
#   internet       a namespace of this machine, as in the lab without --booted

# A shell can be opened in V1-1.private, too.
nodes() {
  local gateway
  printf '%s\n' internet
  routers
  for gateway in $(gateways); do printf '%s\n' "$gateway" "$gateway.private"; done
}
report_kind=machines
scenarios+=("${machine_scenarios[@]}")

enter() { # NODE
  local first
  entered=(false)
  case $1 in
    *.private)
      first=$(first_process "${1%.private}") || return
      entered=(nsenter "--net=/proc/$first/root/run/netns/private")
      ;;
    *) entered=(ip netns exec "$prefix$1") ;;
  esac
}
ip_node() { in_node "$1" ip "${@:2}"; }

bird_socket() { # NODE
  local path
  case $1 in
    internet) echo "$run_dir/internet/bird.ctl" && return ;;
    R*) path=run/bird/bird.ctl ;;
    *.private) path=run/routevpn/bird/private.ctl ;;
    *) path=run/routevpn/bird/public.ctl ;;
  esac
  echo "/proc/$(first_process "${1%.private}")/root/$path"
}

show_links() { on "$1" routevpn show "${@:2}"; } # GATEWAY [OPTION...]

# Systems and packages -----------------------------------------------------------------------------

# Each gateway has links to gateways with the same Debian and with the other.
suite_of() { # MACHINE
  case $1 in
    V*-1 | R*[13579]) echo bookworm ;;
    *) echo trixie ;;
  esac
}

prepare_systems() {
  local suite package
  scripts/packages.sh booted
  mkdir -p "$machines"
  for suite in bookworm trixie; do
    scripts/booted.sh "$suite" --prepare | tee "$machines/$suite.paths"
    package=$(sed -n 's/^package: //p' "$machines/$suite.paths")
    cp "$package" "$machines/$suite.deb"
  done
}

install_package() { # GATEWAY FILE
  cp "$2" "$(root_of "$1")/var/tmp/routevpn.deb"
  on "$1" env DEBIAN_FRONTEND=noninteractive apt-get -q -y install /var/tmp/routevpn.deb
}

# Setting up -----------------------------------------------------------------------------------------

# in_parallel FUNCTION MACHINE...: the output is printed when one fails.
in_parallel() {
  local name pid status=0
  local -a pids=()
  for name in "${@:2}"; do
    "$1" "$name" >"$run_dir/$name.$1.log" 2>&1 &
    pids+=($!)
  done
  for pid in "${pids[@]}"; do wait "$pid" || status=1; done
  ((status == 0)) || {
    for name in "${@:2}"; do sed "s/^/$name: /" "$run_dir/$name.$1.log" | tail -n 15 >&2; done
    die "$1 has failed"
  }
}

set_up_router() { # ROUTER: Debian's BIRD gets the planned file
  local bird
  bird=$(root_of "$1")/etc/bird
  mkdir -p "$bird/routevpn" &&
    cp "$run_dir"/bird/*.conf "$bird/routevpn/" &&
    cp "$run_dir/$1/bird/bird.conf" "$bird/bird.conf" &&
    on "$1" systemctl reload-or-restart bird
}

apply_plan() { # GATEWAY
  local plan
  plan=$(root_of "$1")/root/plan
  rm -rf "$plan" && cp -rp "$run_dir/$1" "$plan" && on "$1" routevpn apply /root/plan
}

set_up_gateway() { # GATEWAY
  install_package "$1" "$machines/$(suite_of "$1").deb" && apply_plan "$1" &&
    on "$1" systemctl enable --now routevpn.target
}

set_up() { # MACHINE
  if [[ $1 == R* ]]; then set_up_router "$1"; else set_up_gateway "$1"; fi
}

start_nodes() {
  local -a all
  mapfile -t all < <(routers; gateways)
  run_bird internet
  boot_machines "${all[@]}"
  in_parallel set_up "${all[@]}"
}

end_nodes() {
  local -a pidfiles
  end_machines
  mapfile -t pidfiles < <(find "$run_dir" -name '*.pid')
  end "${pidfiles[@]}"
  rm -rf --one-file-system "$machines"
}

no_unit_failed() {
  local machine failed
  for machine in $(routers) $(gateways); do
    failed=$(on "$machine" systemctl list-units --failed --no-legend --plain 'routevpn*' 'bird*') || return 1
    [[ -z $failed ]] || {
      echo "$machine: $failed"
      return 1
    }
  done
}

# Units --------------------------------------------------------------------------------------------

unit_of_bird() { # NODE
  case $1 in
    R*) echo bird ;;
    *.private) echo routevpn-bird@private ;;
    *) echo routevpn-bird@public ;;
  esac
}
start_bird() { on "${1%.private}" systemctl start "$(unit_of_bird "$1")"; } # NODE
stop_bird() { on "${1%.private}" systemctl stop "$(unit_of_bird "$1")"; }   # NODE
bird_constants() { # FILE
  local gateway
  for gateway in $(gateways); do echo "$(root_of "$gateway")/usr/share/routevpn/bird/$1"; done
}

has_no_link() { [[ -z $(on "$1" systemctl list-units --plain --no-legend --state=active 'routevpn@*') ]]; } # GATEWAY
stop_gateway() { # GATEWAY
  on "$1" systemctl stop routevpn.target
  wait_until 30 has_no_link "$1" || echo "lab/run.sh: some links of $1 still run" >&2
}
start_gateway() { on "$1" systemctl start routevpn.target; }      # GATEWAY
restart_link() { on "$1" systemctl restart "routevpn@$2"; }       # GATEWAY LINK
signal_monitor() { on "$2" systemctl kill --kill-who=main -s "$1" "routevpn@$3"; } # SIGNAL GATEWAY LINK
# shellcheck disable=SC2016 # the machine's shell expands them
kill_worker() { # GATEWAY LINK
  on "$1" sh -c 'kill -KILL "$(pgrep -x routevpn-worker -P "$(systemctl show -p MainPID --value "routevpn@$1")")"' \
    sh "$2"
}
reload_links() { # GATEWAY...
  local gateway
  for gateway in "$@"; do on "$gateway" routevpn reload; done
}

# Files --------------------------------------------------------------------------------------------

pki_of() { echo "$(root_of "$1")/etc/routevpn/pki"; } # GATEWAY

# The paths of a machine are the planner's defaults. The interfaces to the site have their addresses in the
# plan. Site routers have the constant files of BIRD in /etc/bird.
place_names() {
  sed -E '/^(netns|public-netns|cert|key|ca|crl|psk-dir|run-dir|include) = /d
    s|^address = "2001:db8:([0-9]+)::([0-9]+)"$|&\nlan = [{ name = "lan", addresses = ["10.0.\1.1\2/24", "2001:db8:a\1::1\2/64"] }]|
    s|^name = "R[0-9]+"$|&\ninclude = "/etc/bird/routevpn"|'
}

# Commands -----------------------------------------------------------------------------------------

show_journals() {
  local machine
  for machine in $(running_machines); do
    echo "--- $machine"
    on "$machine" sh -c 'systemctl --no-pager --no-legend --failed
      journalctl --no-pager -q -n 15 -p notice -u "routevpn*" -u bird' 2>&1 || true
  done
}

enter_shell() { # NODE
  case $1 in
    internet) entered=(ip netns exec "$prefix$1" "${SHELL:-/bin/bash}") ;;
    *.private) entered=(on "${1%.private}" ip netns exec private bash -l) ;;
    *) entered=(on "$1" bash -l) ;;
  esac
}

# As fail_up_to_three_times. A scenario that could not be carried out is not repeated.
measure() { # SCENARIO
  local attempt status
  for attempt in 1 2 3; do
    status=0
    (fail "$1") || status=$?
    ((status == 1)) || return "$status"
  done
  return 1
}

# The machines do not stay up: what was measured is in the table.
everything_booted() {
  local scenario status=0
  local -a dirs=()
  trap 'exit 130' INT TERM HUP
  up
  trap down EXIT
  check
  echo "Scenarios"
  for scenario in peer-stopped peer-killed gateway-stopped underlay-cut "${machine_scenarios[@]}"; do
    measure "$scenario" || status=1
    dirs+=("$run_dir/fail/$scenario-1")
  done
  report
  echo
  python3 -B lab/report.py machines "${dirs[@]}"
  exit "$status"
}
