#!/usr/bin/env bash
# A lab in network namespaces on this machine: three sites with two gateways and a router each, and an
# underlay between them. There is a link between every two gateways of different sites, 12 in all.
#
#   site 1                                                                     site 2
#                 +-- V1-1.private == V1-1 --.              .-- V2-1 == V2-1.private --+
#   R1 -- lan ----+                          +-- internet --+                          +---- lan -- R2
#                 +-- V1-2.private == V1-2 --'       |      '-- V2-2 == V2-2.private --+
#                                                 V3-1, V3-2: site 3
#
#   R1            10.0.1.1/24, 2001:db8:a1::1/64       V1-1    2001:db8:1::1/128
#   V1-1.private  10.0.1.11, 2001:db8:a1::11, and of each link a /30 of 10.255.0.0/24 and a /127 of
#                 2001:db8:ff::/64 on rv2-1, rv2-2, rv3-1, rv3-2
#
# With --booted, the gateways and site routers are machines that boot Debian 12 or 13 with systemd.
#
# "==" is routevpn, the only path between a private and a public namespace: packets pass it encrypted.
# `routevpn plan` makes all files from topology.toml. All routes come from BIRD.
# shellcheck disable=SC2154,SC2034 # lab/*.sh use and set variables of each other
set -euo pipefail
umask 022  # routevpn refuses files and directories that the group can write to

usage() {
  cat <<'TEXT'
lab/run.sh [--name X] [--sites N] [--ipv6-only] [--booted] [COMMAND]

  (none)         install missing packages, build, bring the lab up, check it, run four failure
                 scenarios, report; the lab stays up
  up             bring the lab up
  check          check it; exit 1 at the first check that fails
  report         reachability, routes and links
  status         `routevpn show` of all links
  map            serve a page with the live map of the lab on an address of this machine; not
                 with --booted
  shell NODE     a shell in R1, V1-1, V1-1.private, internet, ...
  fail SCENARIO... [--runs N] [--plot] [--seconds N]
                 break something, mend it, and print the losses of streams of one UDP packet
                 per millisecond; exit 1 if a stream lost more than allowed. --plot draws
                 build/lab/SCENARIO.svg; --seconds is the duration of `loss` (30). Scenarios:
TEXT
  for scenario in "${scenarios[@]}"; do printf '%19s%-19s%s\n' "" "$scenario" "$(describe "$scenario")"; done
  if [[ -z $booted ]]; then
    echo "                   with --booted also: ${machine_scenarios[*]}"
  fi
  cat <<'TEXT'
                   all                all of them, one after the other
  scale          bring a lab of 10 sites up (180 links) and measure its use of resources; not
                 with --booted
  down           remove everything

--sites N makes a lab of N sites, 2 to 99, 3 by default. Checks and failures need 3 or more.
--name X puts X- before the name of every namespace, so that two labs can be up at once. With
--ipv6-only the links have no IPv4 addresses, and IPv4 routes have IPv6 next hops.

--booted: gateways and site routers are systemd-nspawn machines, Debian 12 and 13 mixed, with the
package, `routevpn apply` and the units. Each command takes it. Without a command, the machines
are removed at the end.
TEXT
}

original=("$@")
prefix="" sites=3 ipv6_only="" booted="" loss_seconds=30 report_kind=table
bad_option=""
while [[ ${1:-} == --* && -z $bad_option ]]; do
  case $1 in
    --name)
      [[ ${2:-} =~ ^[A-Za-z0-9_-]+$ ]] || bad_option="--name: letters, digits, - and _ are allowed"
      prefix=${2:-}-
      shift 2 || shift
      ;;
    --sites)
      [[ ${2:-} =~ ^([2-9]|[1-9][0-9])$ ]] || bad_option="--sites: 2 to 99 are allowed"
      sites=${2:-} given_sites=${2:-}
      shift 2 || shift
      ;;
    --ipv6-only)
      ipv6_only=yes
      shift
      ;;
    --booted)
      booted=yes
      shift
      ;;
    --help) break ;;
    *) bad_option="$1: unknown option; options are --name X, --sites N, --ipv6-only, --booted and --help" ;;
  esac
done
[[ ${1:-} != scale || -n ${given_sites:-} ]] || sites=10
# Both kinds of lab can be up at once.
[[ -z $booted ]] || prefix+=booted-

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
# A lab that is up has its number of sites in a file.
if [[ -z ${given_sites:-} && -f /run/${prefix}routevpn-lab/sites ]]; then
  sites=$(</run/"${prefix}"routevpn-lab/sites)
fi
for part in base network plan nodes streams failover lifecycle checks map scale ${booted:+power booted}; do
  # shellcheck source=/dev/null
  . "lab/$part.sh"
done
[[ -z $bad_option ]] || die "$bad_option"

build() {
  local -a quiet=(--quiet)
  scripts/packages.sh build lab
  [[ -f build/release/build.ninja ]] || cmake --preset release >/dev/null
  # On a terminal, ninja says how far it is.
  if [[ -t 1 ]]; then quiet=(); else echo "lab/run.sh: building"; fi
  ninja -C build/release "${quiet[@]}" routevpn routevpn-exporter lab_stream
}

up() {
  local began program
  for program in "$routevpn" "$stream"; do
    [[ -x $program ]] || die "$program does not exist; lab/run.sh without a command builds it"
  done
  [[ ! -d $run_dir ]] || die "the lab is up already; 'lab/run.sh${booted:+ --booted} down' removes it"
  [[ -z $booted ]] || prepare_systems
  began=$(now_ms)
  trap 'echo "lab/run.sh: bringing the lab up failed; logs:" >&2; show_logs >&2; down' EXIT
  plan_lab
  make_network
  start_nodes
  all_routes 120 progress
  trap - EXIT
  echo "All routes are learnt $((($(now_ms) - began) / 1000)).$((($(now_ms) - began) % 1000 / 100)) s after the start."
}

show_logs() {
  local log
  [[ -z $booted ]] || show_journals
  find "$run_dir" -name '*.log' -size +0 | while read -r log; do
    echo "--- ${log#"$run_dir"/}"
    tail -n 5 "$log"
  done
}

down() {
  [[ ! -d $run_dir ]] || end_nodes
  remove_network
  rm -rf "$run_dir"
}

status() {
  need_lab
  local gateway
  for gateway in $(gateways); do show_links "$gateway"; done
}

node_shell() {
  need_lab
  local node
  local -a entered
  for node in $(nodes); do
    [[ $node == "${1:-}" ]] || continue
    enter_shell "$node"
    "${entered[@]}"
    exit
  done
  die "shell: which node? $(nodes | tr '\n' ' ')"
}

# Other work on the machine adds to the losses: one of three runs must be within the limit.
fail_up_to_three_times() { # SCENARIO
  fail "$1" || fail "$1" || fail "$1"
}

everything() {
  local scenario
  build
  [[ ! -d $run_dir ]] || down
  [[ -z $booted ]] || everything_booted
  up
  check
  echo "Failover"
  for scenario in peer-stopped peer-killed gateway-stopped underlay-cut; do
    fail_up_to_three_times "$scenario"
  done
  report
  echo
  echo "The lab stays up. 'lab/run.sh map' shows it in a browser, 'lab/run.sh shell V1-1.private' opens a"
  echo "shell in a node, 'lab/run.sh fail gateway-gone' breaks something, 'lab/run.sh down' removes the lab."
}

case ${1:-} in
  help | --help) usage && exit ;;
esac
[[ $(id -u) == 0 ]] ||
  exec sudo env HOME="$HOME" ${XDG_CACHE_HOME:+"XDG_CACHE_HOME=$XDG_CACHE_HOME"} "$0" "${original[@]}"
if ((sites < 3)) && [[ -z ${1:-} || $1 == check || $1 == fail ]]; then
  die "--sites: checks and scenarios use links to the third site; with two, up, map, report, status, shell and down are allowed"
fi
[[ -z $booted || ${1:-} != scale ]] || die "scale measures the lab without --booted"
case ${1:-} in
  "") everything ;;
  up | check | report | status | map | scale | down) "$1" ;;
  fail) fail "${@:2}" ;;
  shell) node_shell "${2:-}" ;;
  *) die "'$1' is not a command; commands are up, check, report, status, map, shell NODE, fail, scale, down" ;;
esac
