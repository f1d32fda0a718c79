# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034 # run.sh sets prefix, sites, root; base.sh run_dir and the programs
# The checks of a lab that is up, and the report about it.

# The time of a check is that of its command.
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

# Reachability -------------------------------------------------------------------------------------

public_address_of() { echo "2001:db8:$(site_of "$1")::${1#*-}"; } # GATEWAY
underlay_answers() {
  local gateway
  local -a all=()
  for gateway in $(gateways); do all+=("$(public_address_of "$gateway")"); done
  for gateway in $(gateways); do
    in_node "$gateway" fping -q -S "$(public_address_of "$gateway")" "${all[@]}" || return 1
  done
}

# The peers' addresses of a gateway's interconnects.
far_ends() { # GATEWAY
  local link
  for link in $(links_of "$1"); do
    sed -n 's|^address = \(.*\)/.*|\1|p' "$run_dir/V${link#rv}/links/rv${1#V}.conf"
  done
}
interconnects_answer() {
  local gateway
  for gateway in $(gateways); do
    # shellcheck disable=SC2046 # one word for each address
    in_node "$gateway.private" fping -q $(far_ends "$gateway") || return 1
  done
}

sites_reach_each_other() {
  local from to
  local -a all=()
  for to in $(routers); do all+=("$(address_of "$to" 4)" "$(address_of "$to" 6)"); done
  for from in $(routers); do in_node "$from" fping -q "${all[@]}" || return 1; done
}

# Routes -------------------------------------------------------------------------------------------

# Each gateway has an established session with each gateway of another site, and BFD on all of them.
sessions_are_up() {
  local gateway up
  for gateway in $(gateways); do
    up=$(bird_node "$gateway.private" show protocols | grep -c '^IBGP_.*Established') || return 1
    ((up == 2 * (sites - 1))) && has_bfd "$gateway.private" || return 1
  done
}

# BIRD has every prefix of another site twice: from both of its gateways.
every_prefix_twice() {
  local gateway routes
  for gateway in $(gateways); do
    routes=$(bird_node "$gateway.private" show route | grep -c '\[IBGP_') || return 1
    ((routes == 2 * 2 * (sites - 1))) || return 1
  done
}

# Separation ---------------------------------------------------------------------------------------

holds_no() { # PATTERN NODE...: no address and no route matches the pattern
  local node
  for node in "${@:2}"; do
    ! { ip_node "$node" -o addr; ip_node "$node" route; ip_node "$node" -6 route; } |
      grep -E "$1" || return 1
  done
}

# A private packet arrives at the public side of its gateway, by routes that are added to the underlay. The
# public side has no route to its destination.
private_packet_is_not_delivered() {
  local to_internet to_gateway status=0
  to_internet=$(ip_node internet -br addr show dev v1-1 | grep -o 'fe80:[^/]*')
  to_gateway=$(ip_node V3-1 -br addr show dev wan | grep -o 'fe80:[^/]*')
  ip_node V1-1 route add 2001:db8:a3::1/128 via "$to_internet" dev wan
  ip_node internet route add 2001:db8:a3::1/128 via "$to_gateway" dev v3-1
  ! in_node V1-1 ping -c 2 -i 0.2 -W 1 2001:db8:a3::1 || status=1
  ip_node V1-1 route del 2001:db8:a3::1/128
  ip_node internet route del 2001:db8:a3::1/128
  return "$status"
}

# Captures the underlay for two seconds while the sites exchange pings. The filter excludes what is allowed,
# by the bytes after the IPv6 header (offset 40): OSPF; router and neighbour discovery; UDP with the type
# and version of a DTLS record.
underlay_carries_only() {
  local capture=$run_dir/capture seen
  sites_reach_each_other
  : >"$capture"
  seen=$(in_node internet timeout 2 tcpdump -nni any -c 1 "not (ip6 proto 89 or
    (icmp6 and ip6[40] >= 133 and ip6[40] <= 136) or
    (ip6 proto 17 and ip6[48] >= 20 and ip6[48] <= 25 and ip6[49] == 0xfe))" 2>"$capture" &
    wait_until 2 grep -q '^listening on' "$capture" && sites_reach_each_other >/dev/null
    wait) || true
  echo "$seen"
  grep -q '^listening on' "$capture" && [[ -z $seen ]]
}

# Throughput ---------------------------------------------------------------------------------------

carries() { in_node R1 iperf3 -c "$1" -n 64M -P 4; }
throughput() {
  local server=$run_dir/iperf3.pid
  start "$server" R3 iperf3 -s
  check_one "64 MiB of TCP from R1 to R3 over IPv4, 4 streams" \
    wait_until 10 carries 10.0.3.1
  check_one "64 MiB of TCP from R1 to R3 over IPv6, 4 streams" \
    wait_until 10 carries 2001:db8:a3::1
  end "$server"
}

check() {
  need_lab
  local -a public=() private=()
  local gateway
  mapfile -t private < <(routers)
  for gateway in $(gateways); do public+=("$gateway") private+=("$gateway.private"); done
  echo "Reachability"
  check_one "every gateway reaches every other gateway on the underlay" underlay_answers
  check_one "both ends of every interconnect answer, IPv4 and IPv6" interconnects_answer
  check_one "every site reaches every other site, IPv4 and IPv6" sites_reach_each_other
  echo "Routes"
  check_one "every gateway has its iBGP sessions, with BFD" wait_until 10 sessions_are_up
  check_one "BIRD has every remote prefix twice" every_prefix_twice
  check_one "gateways and routers have two next hops in the kernel" all_routes 10
  echo "Separation"
  check_one "public namespaces have no private addresses and routes" \
    holds_no '10\.0\.|10\.255\.|2001:db8:(a[0-9]+|ff):' "${public[@]}" internet
  check_one "private namespaces have no public addresses and routes" \
    holds_no '2001:db8:[0-9]+:' "${private[@]}"
  check_one "a private packet on the underlay is not delivered" private_packet_is_not_delivered
  check_one "the underlay carries only OSPF, neighbour discovery and DTLS" underlay_carries_only
  echo "Throughput"
  throughput
}

# Report -------------------------------------------------------------------------------------------

# Round-trip times in ms, the smallest of three: IPv4 / IPv6.
reachability_matrix() {
  local from to family cells
  printf '%-6s' ""
  for to in $(routers); do printf '%18s' "$to"; done
  echo
  for from in $(routers); do
    printf '%-6s' "$from"
    for to in $(routers); do
      cells=()
      for family in 4 6; do
        cells+=("$(in_node "$from" fping -C 3 -p 20 -q "$(address_of "$to" $family)" 2>&1 |
          awk '{ for (i = 3; i <= NF; i++) if ($i != "-" && (!m || $i < m)) m = $i }
               END { print m ? m : "none" }')")
      done
      printf '%18s' "${cells[0]} / ${cells[1]}"
    done
    echo
  done
}

links_table() {
  local gateway
  # shellcheck disable=SC2046 # one word for each gateway
  for gateway in $(gateways); do
    show_links "$gateway" --json
  done | python3 -B "$root/lab/links.py" $(gateways)
}

report() {
  need_lab
  echo "Round-trip times between the sites, ms (IPv4 / IPv6)"
  reachability_matrix
  echo "Routes of V1-1.private to the other sites"
  { ip_node V1-1.private route show proto bird; ip_node V1-1.private -6 route show proto bird; }
  echo "Links"
  links_table
}
