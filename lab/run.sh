#!/usr/bin/env bash
# A lab in network namespaces on this machine: two sites, a gateway each, one link between their
# private sides.
#
#        private           public              public           private
#     V1-1.private          V1-1     internet    V2-1          V2-1.private
#     10.0.1.1 (lo)                                            10.0.2.1 (lo)
#     2001:db8:a1::1 (lo)                                      2001:db8:a2::1 (lo)
#        rv2-1 ----- TUN ---- o ======== o ======== o ---- TUN ----- rv1-1
#     10.255.0.1/30     192.0.2.1/30       192.0.2.5/30      10.255.0.2/30
#     2001:db8:ff::/127 2001:db8:1::1/64   2001:db8:2::1/64  2001:db8:ff::1/127
#
# A packet can go from a private namespace to a public one only through routevpn, encrypted.
set -euo pipefail

usage() {
  cat <<'TEXT'
lab/run.sh [--name X] [COMMAND]

  (none)      install what is missing, build, bring the lab up, check it, report
  up          bring the lab up
  check       check it; exit 1 at the first thing that is not as it should be
  status      what the links say of themselves
  shell NODE  a shell in V1-1, V1-1.private, internet, V2-1 or V2-1.private
  down        remove every trace

--name X puts X- before every namespace, so that two labs can stand side by side.
TEXT
}

die() {
  echo "lab/run.sh: $*" >&2
  exit 2
}

prefix=""
while [[ ${1:-} == --* ]]; do
  case $1 in
    --name)
      [[ ${2:-} =~ ^[A-Za-z0-9_-]+$ ]] || die "--name: letters, digits, - and _ are allowed"
      prefix=$2-
      shift 2
      ;;
    --help) usage && exit 0 ;;
    *) die "$1: unknown option; --name X and --help are known" ;;
  esac
done

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
[[ $(id -u) == 0 ]] || exec sudo "$0" ${prefix:+--name "${prefix%-}"} "$@"

routevpn=$root/build/release/src/routevpn
run_dir=/run/${prefix}routevpn-lab
nodes=(V1-1 V1-1.private internet V2-1 V2-1.private)

# The lab's own commands, by the node's name without prefix.
in_node() { ip netns exec "$prefix$1" "${@:2}"; }
ip_node() { ip -n "$prefix$1" "${@:2}"; }

wait_until() { # SECONDS COMMAND...
  local deadline=$((SECONDS + $1))
  until "${@:2}" >/dev/null 2>&1; do
    ((SECONDS < deadline)) || return 1
    sleep 0.01
  done
}

build() {
  scripts/packages.sh build lab
  [[ -f build/release/build.ninja ]] || cmake --preset release >/dev/null
  ninja -C build/release --quiet routevpn
}

# The underlay --------------------------------------------------------------------------------

connect_gateway() { # SITE V4-NET V4-ADDRESS V4-ROUTER
  local gateway=V$1-1 wan=wan$1
  ip_node internet link add "$wan" type veth peer name wan netns "$prefix$gateway"
  ip_node internet addr add "$4/30" dev "$wan"
  ip_node internet addr add "2001:db8:$1::ffff/64" dev "$wan" nodad
  ip_node internet link set "$wan" up
  ip_node "$gateway" addr add "$3/30" dev wan
  ip_node "$gateway" addr add "2001:db8:$1::1/64" dev wan nodad
  ip_node "$gateway" link set wan up
  ip_node "$gateway" route add default via "$4"
  ip_node "$gateway" -6 route add default via "2001:db8:$1::ffff"
}

make_underlay() {
  local node
  for node in "${nodes[@]}"; do
    ip netns add "$prefix$node"
    ip_node "$node" link set lo up
    in_node "$node" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
  done
  connect_gateway 1 192.0.2.0 192.0.2.1 192.0.2.2
  connect_gateway 2 192.0.2.4 192.0.2.5 192.0.2.6
}

# The link ------------------------------------------------------------------------------------

make_pki() {
  "$routevpn" pki ca --dir "$run_dir/pki" --name "routevpn lab CA" >/dev/null
  local gateway
  for gateway in V1-1 V2-1; do
    "$routevpn" pki csr --dir "$run_dir/pki" --name "$gateway" >/dev/null
    "$routevpn" pki sign --dir "$run_dir/pki" --name "$gateway" >/dev/null
  done
}

start_link() { # SITE OTHER-SITE LINE...
  local gateway=V$1-1 ifname=rv$2-1 conf
  conf=$run_dir/$gateway/$ifname.conf
  {
    echo "# The link of $gateway to V$2-1."
    printf '%s\n' "${@:3}"
    cat <<CONF
peer-name = V$2-1
ifname = $ifname
netns = $prefix$gateway.private
public-netns = $prefix$gateway
address = 10.255.0.$1/30
address = 2001:db8:ff::$(($1 - 1))/127
route = 10.0.$2.0/24
route = 2001:db8:a$2::/64
cert = $run_dir/pki/$gateway.cert
key = $run_dir/pki/$gateway.key
ca = $run_dir/pki/ca.cert
run-dir = $run_dir/$gateway
CONF
  } >"$conf"
  "$routevpn" --config "$conf" >>"$run_dir/$gateway/$ifname.log" 2>&1 &
  echo $! >"$run_dir/$gateway/$ifname.pid"
}

add_site() { # SITE
  ip_node "V$1-1.private" addr add "10.0.$1.1/24" dev lo
  ip_node "V$1-1.private" addr add "2001:db8:a$1::1/64" dev lo nodad
}

start_acceptor() { start_link 2 1 "listen = [2001:db8:2::1]:5811"; }
start_initiator() { start_link 1 2 "peer = [2001:db8:2::1]:5811" "listen = [2001:db8:1::1]:5821"; }

up() {
  [[ -x $routevpn ]] || die "there is no $routevpn yet: lab/run.sh builds it"
  [[ ! -d $run_dir ]] || die "the lab is up already; '$0 down' removes it"
  trap 'echo "lab/run.sh: bringing it up failed; logs:" >&2; cat "$run_dir"/V*/*.log >&2; down' ERR
  mkdir -p "$run_dir"/{V1-1,V2-1}
  install -d -m 0700 "$run_dir/pki"
  make_underlay
  make_pki
  add_site 1
  add_site 2
  start_acceptor
  start_initiator
  wait_up
  trap - ERR
}

wait_up() {
  local gateway
  for gateway in V1-1 V2-1; do
    "$routevpn" show --run-dir "$run_dir/$gateway" --wait up --timeout 10
  done
}

end_link() { # PIDFILE
  local pid
  pid=$(cat "$1")
  rm -f "$1"
  [[ $(readlink "/proc/$pid/exe" 2>/dev/null) == "$routevpn"* ]] || return 0
  kill "$pid" 2>/dev/null || true
  wait_until 5 test ! -d "/proc/$pid" || kill -9 "$pid"
}

down() {
  local pidfile node
  for pidfile in "$run_dir"/V*/*.pid; do
    [[ ! -f $pidfile ]] || end_link "$pidfile"
  done
  for node in "${nodes[@]}"; do
    [[ ! -e /run/netns/$prefix$node ]] || ip netns del "$prefix$node"
  done
  rm -rf "$run_dir"
}

# Checks --------------------------------------------------------------------------------------

# The running time of a check is what its command takes to become true.
check_one() { # TEXT COMMAND...
  local started=$EPOCHREALTIME text=$1
  if "${@:2}" >"$run_dir/last-check.log" 2>&1; then
    awk -v t="$text" -v a="$started" -v b="$EPOCHREALTIME" \
      'BEGIN { printf "  ok    %-66s %6.0f ms\n", t, (b - a) * 1000 }'
  else
    printf '  FAIL  %s\n' "$text"
    sed 's/^/        /' "$run_dir/last-check.log" >&2
    exit 1
  fi
}

has_carrier() { [[ $(ip_node V1-1.private -br link show rv2-1) == *LOWER_UP* ]]; }
lacks_carrier() { ! has_carrier; }
holds_no() { # NODE PATTERN: no address and no route of that kind
  ! { ip_node "$1" -o addr; ip_node "$1" route; ip_node "$1" -6 route; } | grep -E "$2"
}
carries() { in_node V1-1.private iperf3 -c "$1" -n 64M; }

stop_peer() {
  kill "$(cat "$run_dir/V2-1/rv1-1.pid")"
  wait_until 1 lacks_carrier
}
restart_peer() {
  end_link "$run_dir/V2-1/rv1-1.pid"
  start_acceptor
  wait_until 15 has_carrier
}
cut_underlay() { in_node internet nft -f - <<<'table inet cut { chain forward {
  type filter hook forward priority 0; udp dport { 5811, 5821 } drop; }; }'; }
carrier_follows_cut() {
  cut_underlay
  wait_until 5 lacks_carrier
}
carrier_comes_back() {
  in_node internet nft delete table inet cut
  wait_until 15 has_carrier
}

check() {
  [[ -d $run_dir ]] || die "the lab is not up: '$0 up' brings it up"
  local server=$run_dir/iperf3.pid
  echo "Reachability"
  check_one "V1-1 reaches V2-1 on the underlay" in_node V1-1 fping -q 192.0.2.5 2001:db8:2::1
  check_one "the interconnect answers, IPv4 and IPv6" \
    in_node V1-1.private fping -q 10.255.0.2 2001:db8:ff::1
  check_one "site 1 reaches site 2, IPv4" in_node V1-1.private fping -q -S 10.0.1.1 10.0.2.1
  check_one "site 1 reaches site 2, IPv6" \
    in_node V1-1.private fping -q -S 2001:db8:a1::1 2001:db8:a2::1
  echo "Separation"
  check_one "the public namespace holds nothing private" \
    holds_no V1-1 '10\.0\.|10\.255\.|2001:db8:(a[0-9]|ff):'
  check_one "the private namespace holds nothing public" \
    holds_no V1-1.private '192\.0\.2\.|2001:db8:[0-9]::'
  echo "Throughput"
  in_node V2-1.private iperf3 -s -D -I "$server"
  wait_until 5 test -s "$server" || die "iperf3 does not start"
  check_one "64 MiB of TCP over IPv4" carries 10.0.2.1
  check_one "64 MiB of TCP over IPv6" carries 2001:db8:a2::1
  kill "$(tr -d '\0' <"$server")"
  echo "The carrier follows the tunnel"
  check_one "the carrier is on" has_carrier
  check_one "off after the peer was stopped (SIGTERM)" stop_peer
  check_one "on after the peer was started again" restart_peer
  check_one "off after the underlay was cut silently" carrier_follows_cut
  check_one "on after the underlay was mended" carrier_comes_back
  check_one "and site 1 reaches site 2 again" in_node V1-1.private fping -q 10.0.2.1 2001:db8:a2::1
}

status() {
  [[ -d $run_dir ]] || die "the lab is not up: '$0 up' brings it up"
  local gateway
  for gateway in V1-1 V2-1; do "$routevpn" show --run-dir "$run_dir/$gateway"; done
}

node_shell() {
  local node
  for node in "${nodes[@]}"; do
    [[ $node != "${1:-}" ]] || exec ip netns exec "$prefix$node" "${SHELL:-/bin/bash}"
  done
  die "shell: which of ${nodes[*]}?"
}

everything() {
  build
  [[ ! -d $run_dir ]] || down
  up
  echo "The lab is up: one link between V1-1 and V2-1 over IPv6."
  check
  echo "The links"
  status
  echo
  echo "It stays up. Look around with 'lab/run.sh shell V1-1.private'; 'lab/run.sh down' removes it."
}

case ${1:-} in
  "") everything ;;
  up | check | status | down) "$1" ;;
  shell) node_shell "${2:-}" ;;
  help) usage ;;
  *) die "'$1' is not a command; up, check, status, shell NODE and down are" ;;
esac
