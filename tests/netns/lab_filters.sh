#!/usr/bin/env bash
# BIRD's filters reject routes that are not planned. A site router and a gateway announce the network of
# another site, parts of networks, a default route and an unused network. A site also announces planned
# networks of which it has only parts. The lab has two sites, and no IPv4 addresses on the links: IPv4 uses
# IPv6 next hops.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
name=f$$
run_dir=/run/$name-routevpn-lab
lab() { "$root/lab/run.sh" --name "$name" "$@"; }

clean_up() {
  local status=$?
  trap - EXIT
  lab down || true
  exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP PIPE

ok() { echo "ok - $*"; }
fail() {
  echo "not ok - $*" >&2
  exit 1
}
node_birdc() { birdc -s "$run_dir/$1/bird.ctl" "${@:2}"; }
configure() {
  local answer
  answer=$(node_birdc "$1" configure)
  [[ $answer == *econfigur* ]] || fail "$1 refuses its new configuration: $answer"
}
# wait_for COMMAND...: repeats the command until it succeeds, for at most 60 s. That measures nothing: it
# ends a test that would hang.
wait_for() {
  local end=$((SECONDS + 60))
  until "$@"; do
    ((SECONDS < end)) || return 1
    sleep 0.1
  done
}

# routes_without NODE: BIRD's routes in the kernels of all other site routers and gateways.
routes_without() { # NODE
  local node
  for node in R1 R2 V1-1.private V1-2.private V2-1.private V2-2.private; do
    [[ $node != "$1" ]] || continue
    echo "$node"
    ip -n "$name-$node" route show proto bird
    ip -n "$name-$node" -6 route show proto bird
  done
}

# forge NODE FILE PART...: the BIRD of this node announces all of its routes and forged ones. FILE is its
# configuration. The PARTs of bird/ have its export filters.
forge() {
  local part
  rm -rf "$run_dir/forger"
  cp -r "$run_dir/bird" "$run_dir/forger"
  for part in "${@:3}"; do
    sed -i 's/^\( *\)export where (*\(net\|source\) .*/\1export all;/' "$run_dir/forger/$part"
  done
  sed -i "s|$run_dir/bird/|$run_dir/forger/|" "$2"
  cat >>"$2" <<'CONF'
protocol static FORGED4 {
  ipv4;
  route 10.0.2.0/24 unreachable;
  route 10.0.2.0/25 unreachable;
  route 10.0.1.128/25 unreachable;
  route 10.9.0.0/16 unreachable;
  route 0.0.0.0/0 unreachable;
}
protocol static FORGED6 {
  ipv6;
  route 2001:db8:a2::/64 unreachable;
  route 2001:db8:a2:0:8000::/65 unreachable;
  route 2001:db8:a1:0:8000::/65 unreachable;
  route 2001:db8:9::/48 unreachable;
  route ::/0 unreachable;
}
CONF
  configure "$1"
}

has_lines() { # COUNT PATTERN COMMAND...: the output has COUNT lines with PATTERN
  (($("${@:3}" | grep -c "$2" || true) >= $1))
}

lab --sites 2 --ipv6-only up
ip -n "$name-V1-1.private" route show proto bird | grep -q 'nexthop via inet6 .* dev rv2-1' ||
  fail "V1-1 has no IPv6 next hop for IPv4"
if ip -n "$name-V1-1.private" -4 addr show | grep -q 'rv2'; then fail "a link has an IPv4 address"; fi
ip netns exec "$name-R1" fping -q 10.0.2.1 2001:db8:a2::1 || fail "site 1 does not reach site 2"
ok "IPv4 passes over interconnects without IPv4 addresses"
settled=$(routes_without none)
is_settled() { [[ $(routes_without none) == "$settled" ]]; }

# Site 2 announces a planned default route, which its router has. The links read their --accept prefixes
# again.
replan() {
  local node pidfile
  "$root/build/release/src/routevpn" plan "$run_dir/topology.toml" --out "$run_dir" \
    --pki "$run_dir/ca" >/dev/null
  for node in V1-1.private V1-2.private V2-1.private V2-2.private R1 R2; do configure "$node"; done
  for pidfile in "$run_dir"/V*/rv*.pid; do kill -HUP "$(<"$pidfile")"; done
}
defaults_of_r1() {
  ip -n "$name-R1" route show default proto bird | grep -o nexthop
  ip -n "$name-R1" -6 route show default proto bird | grep -o nexthop
}
has_defaults() { [[ $(defaults_of_r1 | wc -l) == "$1" ]]; }
ip -n "$name-R2" link add exit type veth peer name elsewhere
ip -n "$name-R2" link set exit up
ip -n "$name-R2" link set elsewhere up
ip -n "$name-R2" address add 198.51.100.1/32 dev exit
ip -n "$name-R2" -6 address add 2001:db8:100::1/128 dev exit nodad
ip -n "$name-R2" route add default dev exit
ip -n "$name-R2" -6 route add default dev exit
cp "$run_dir/topology.toml" "$run_dir/without.toml"
sed -i '/"10.0.2.0\/24"/s|\]|, "0.0.0.0/0", "::/0"]|' "$run_dir/topology.toml"
replan
wait_for has_defaults 4 || fail "R1 has no default routes: $(ip -n "$name-R1" route)"
wait_for ip netns exec "$name-R1" fping -q -r 5 198.51.100.1 2001:db8:100::1 ||
  fail "R1 does not reach the network behind site 2"
ok "a planned default route leads through both gateways of its site"
mv "$run_dir/without.toml" "$run_dir/topology.toml"
replan
wait_for has_defaults 0 || fail "R1 keeps default routes: $(ip -n "$name-R1" route)"
ok "a default route that is not planned any more is withdrawn"
wait_for is_settled || fail "not all routes come back: $(diff <(echo "$settled") <(routes_without none))"

# filtered NODE PROTOCOL: how many routes the import filter of the node's BIRD has rejected.
filtered() { node_birdc "$1" show protocols all "$2" | awk '/Import updates:/ { n += $5 } END { print n + 0 }'; }
has_filtered() { (($(filtered "$1" "$2") >= $3)); } # NODE PROTOCOL NUMBER

# The gateways receive the site router's announcements as external routes in OSPF, and reject them.
planned=$(routes_without R1)
declare -A before=()
for gateway in V1-1 V1-2; do
  for family in 4 6; do
    before[$gateway-$family]=$(filtered "$gateway.private" "SITE_$family")
  done
done
forge R1 "$run_dir/R1/bird/bird.conf" router4_ospf.conf router6_ospf.conf
for family in 4 6; do
  wait_for has_lines 5 '4005 .* 0\.0\.1\.129 ' \
    node_birdc V1-1.private show ospf lsadb "SITE_$family" || fail "V1-1 does not receive the forged routes of R1"
  # The network of site 2 is in OSPF already, because both gateways announce it. The other four are new.
  for gateway in V1-1 V1-2; do
    wait_for has_filtered "$gateway.private" "SITE_$family" $((before[$gateway-$family] + 4)) ||
      fail "$gateway does not reject the forged routes of R1"
  done
done
[[ $(routes_without R1) == "$planned" ]] ||
  fail "a forged route is used: $(diff <(echo "$planned") <(routes_without R1))"
ok "gateways reject routes of a site router that are not planned"

# V2-1 counts the routes that it rejects.
planned=$(routes_without V1-1.private)
forge V1-1.private "$run_dir/V1-1/bird/private.conf" private.conf
wait_for has_filtered V2-1.private IBGP_V1_1 10 ||
  fail "V2-1 does not receive the forged routes: $(node_birdc V2-1.private show protocols all IBGP_V1_1)"
[[ $(routes_without V1-1.private) == "$planned" ]] ||
  fail "a forged route is used: $(diff <(echo "$planned") <(routes_without V1-1.private))"
ok "gateways reject routes of a gateway that are not planned"

# Site 1 plans larger prefixes than its LAN has. Its gateways announce them while they have a part of them.
# The new plan replaces the forged configurations.
networks_of_v2_1() { # the links of V2-1 to the planned networks of site 1, one per line
  ip -n "$name-V2-1.private" route show 10.0.0.0/23 proto bird | grep -o 'dev rv1-[12]'
  ip -n "$name-V2-1.private" -6 route show 2001:db8:a1::/48 proto bird | grep -o 'dev rv1-[12]'
}
has_networks() { [[ $(networks_of_v2_1 | sort | uniq -c | awk '{ print $1, $3 }' ORS=' ') == "$1" ]]; }
is_gone() { ! ip -n "$name-V2-1.private" route show proto bird | grep -q '^10\.0\.[01]\.'; }
sed -i 's|"10.0.1.0/24", "2001:db8:a1::/64"|"10.0.0.0/23", "2001:db8:a1::/48"|' "$run_dir/topology.toml"
replan
wait_for is_gone || fail "a network is announced that no address of a LAN is planned for"
for i in 1 2; do
  sed -i "/^name = \"V1-$i\"/a lan = { name = \"lan\", addresses = [\"10.0.1.1$i/24\", \"2001:db8:a1::1$i/64\"] }" \
    "$run_dir/topology.toml"
done
replan
wait_for has_networks '2 rv1-1 2 rv1-2 ' || fail "V2-1 has no routes to the planned networks: $(networks_of_v2_1)"
wait_for ip netns exec "$name-R2" fping -q -r 0 -t 300 10.0.1.1 2001:db8:a1::1 || fail "site 2 does not reach site 1"
ok "a planned network is announced while the gateways have a smaller network of it"
answer=$(ip netns exec "$name-R2" ping -c 1 -W 5 10.0.0.9 || true)
[[ $answer == *nreachable* && $answer != *exceeded* ]] || fail "10.0.0.9: $answer"
# The kernel may send the IPv6 answer over another link than that of its source address, which drops it.
for i in 1 2; do
  ip -n "$name-V1-$i.private" -6 route show 2001:db8:a1::/48 | grep -q '^unreachable' ||
    fail "V1-$i routes a part that the site does not have"
done
ok "a part without a route is unreachable, without a loop"
ip -n "$name-R1" link set v1-1 down
wait_for has_networks '2 rv1-2 ' || fail "V1-1 without its LAN announces: $(networks_of_v2_1)"
ip netns exec "$name-R2" fping -q -r 5 10.0.1.1 2001:db8:a1::1 || fail "site 2 does not reach site 1 over V1-2"
ip -n "$name-R1" link set v1-1 up
wait_for has_networks '2 rv1-1 2 rv1-2 ' || fail "V1-1 with its LAN does not announce: $(networks_of_v2_1)"
ok "a gateway that is cut off from the site withdraws it"

# The same site announces what it has.
sed -i '/^name = "site1"/s|$|\nannounce = "more-specific"|' "$run_dir/topology.toml"
replan
has_parts() { # the network of the LAN, and nothing else of site 1, over both links
  [[ $(ip -n "$name-V2-1.private" route show proto bird | grep -c '^10\.0\.[01]\.') == 1 ]] &&
    has_lines 2 'dev rv1-' ip -n "$name-V2-1.private" route show 10.0.1.0/24 proto bird &&
    has_lines 2 'dev rv1-' ip -n "$name-V2-1.private" -6 route show 2001:db8:a1::/64 proto bird
}
wait_for has_parts || fail "V2-1 has other routes: $(ip -n "$name-V2-1.private" route show proto bird)"
ok "a site announces the more specific routes of its planned networks"
