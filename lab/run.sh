#!/usr/bin/env bash
# A lab in network namespaces on this machine: three sites of two gateways and a router each, and an
# underlay between them. Between any two gateways of different sites there is a link, 12 in all.
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
# What is drawn "==" is routevpn: a packet can go from a private namespace to a public one only
# through it, encrypted. All files come from topology.toml by `routevpn plan`, all routes from BIRD.
# shellcheck disable=SC2154,SC2034 # lab/*.sh use and set variables of each other
set -euo pipefail

usage() {
  cat <<'TEXT'
lab/run.sh [--name X] [--sites N] [--ipv6-only] [COMMAND]

  (none)         install what is missing, build, bring the lab up, check it, let four things fail,
                 report; the lab stays up
  up             bring the lab up
  check          check it; exit 1 at the first thing that is not as it should be
  report         reachability, routes and links
  status         what the links say of themselves
  shell NODE     a shell in R1, V1-1, V1-1.private, internet, ...
  fail SCENARIO... [--runs N] [--plot] [--seconds N]
                 break something, mend it, and say what was lost of streams of one UDP packet a
                 millisecond; exit 1 if more than allowed. --plot draws build/lab/SCENARIO.svg;
                 --seconds is how long `loss` lasts (30). Scenarios:
TEXT
  for scenario in "${scenarios[@]}"; do printf '%19s%-19s%s\n' "" "$scenario" "$(describe "$scenario")"; done
  cat <<'TEXT'
                   all                all of them, one after the other
  scale          bring a lab of 10 sites up (180 links) and say what it takes
  down           remove every trace

--name X puts X- before every namespace, so that two labs can stand side by side. With --ipv6-only
the links have no IPv4 addresses; IPv4 then has IPv6 next hops.
TEXT
}

original=("$@")
prefix="" sites=3 ipv6_only="" loss_seconds=30
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
    --help) break ;;
    *) bad_option="$1: unknown option; --name X, --sites N, --ipv6-only and --help are known" ;;
  esac
done
[[ ${1:-} != scale || -n ${given_sites:-} ]] || sites=10

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
# What is up knows how large it is.
if [[ -z ${given_sites:-} && -f /run/${prefix}routevpn-lab/sites ]]; then
  sites=$(</run/"${prefix}"routevpn-lab/sites)
fi
for part in base network plan nodes streams failover checks scale; do
  # shellcheck source=/dev/null
  . "lab/$part.sh"
done
[[ -z $bad_option ]] || die "$bad_option"

build() {
  scripts/packages.sh build lab
  [[ -f build/release/build.ninja ]] || cmake --preset release >/dev/null
  ninja -C build/release --quiet routevpn lab_stream
}

up() {
  local began
  [[ -x $routevpn && -x $stream ]] || die "there is no $routevpn yet: lab/run.sh builds it"
  [[ ! -d $run_dir ]] || die "the lab is up already; 'lab/run.sh down' removes it"
  began=$(now_ms)
  trap 'echo "lab/run.sh: bringing it up failed; logs:" >&2; show_logs >&2; down' ERR
  plan_lab
  make_network
  start_nodes
  all_routes 120
  trap - ERR
  echo "All routes are learnt $((($(now_ms) - began) / 1000)).$((($(now_ms) - began) % 1000 / 100)) s after the start."
}

show_logs() {
  local log
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
  for gateway in $(gateways); do "$routevpn" show --run-dir "$run_dir/$gateway"; done
}

node_shell() {
  need_lab
  local node
  for node in $(nodes); do
    [[ $node != "${1:-}" ]] || exec ip netns exec "$prefix$node" "${SHELL:-/bin/bash}"
  done
  die "shell: which of $(nodes | tr '\n' ' ')?"
}

everything() {
  build
  [[ ! -d $run_dir ]] || down
  up
  check
  echo "Failover"
  fail peer-stopped peer-killed gateway-stopped underlay-cut
  report
  echo
  echo "It stays up. Look around with 'lab/run.sh shell V1-1.private', break something with"
  echo "'lab/run.sh fail gateway-gone'; 'lab/run.sh down' removes it."
}

case ${1:-} in
  help | --help) usage && exit ;;
esac
[[ $(id -u) == 0 ]] || exec sudo "$0" "${original[@]}"
case ${1:-} in
  "") everything ;;
  up | check | report | status | scale | down) "$1" ;;
  fail) fail "${@:2}" ;;
  shell) node_shell "${2:-}" ;;
  *) die "'$1' is not a command; up, check, report, status, shell NODE, fail, scale, down are" ;;
esac
