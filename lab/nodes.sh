# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034 # run.sh sets prefix, sites, root; base.sh run_dir and the programs
# The processes in the lab's namespaces: BIRDs and links, with the files of `routevpn plan`.
#
#   RUN-DIR/V1-1/            planned files: links/*.conf, bird/*.conf, pki/; sockets of the links
#   RUN-DIR/V1-1/bird.ctl    socket of the public BIRD; .pid and .log beside it
#   RUN-DIR/V1-1.private/    bird.ctl, .pid and .log of the private BIRD
#   RUN-DIR/R1/, internet/   the same for the other BIRDs
#   RUN-DIR/ca/              the certification authority

links_of() { # GATEWAY: prints the names of its links
  local file
  for file in "$run_dir/$1"/links/*.conf; do
    file=${file##*/}
    echo "${file%.conf}"
  done
}
link_pidfile() { echo "$run_dir/$1/$2.pid"; } # GATEWAY LINK

start_link() { # GATEWAY LINK
  start "$(link_pidfile "$1" "$2")" "$1" "$routevpn" --config "$run_dir/$1/links/$2.conf"
}
restart_link() { # GATEWAY LINK
  end "$(link_pidfile "$1" "$2")"
  start_link "$1" "$2"
}
signal_monitor() { signal "$1" "$(link_pidfile "$2" "$3")"; } # SIGNAL GATEWAY LINK
kill_worker() { # GATEWAY LINK
  kill -KILL "$(ps -o pid=,comm= --ppid "$(<"$(link_pidfile "$1" "$2")")" |
    awk '$2 == "routevpn-worker" { print $1 }')"
}
reload_links() { # GATEWAY...
  local gateway
  for gateway in "$@"; do signal HUP "$run_dir/$gateway"/rv*.pid; done
}

# Prints the path of the configuration of a node's BIRD.
bird_conf() { # NODE
  case $1 in
    internet) echo "$root/lab/internet.conf" ;;
    R*) echo "$run_dir/$1/bird/bird.conf" ;;
    *.private) echo "$run_dir/${1%.private}/bird/private.conf" ;;
    *) echo "$run_dir/$1/bird/public.conf" ;;
  esac
}
run_bird() { # NODE
  mkdir -p "$run_dir/$1"
  start "$run_dir/$1/bird.pid" "$1" bird -f -c "$(bird_conf "$1")" -s "$run_dir/$1/bird.ctl"
}
start_bird() { run_bird "$1"; }               # NODE
stop_bird() { end "$run_dir/$1/bird.pid"; } # NODE

# Prints the paths of a file of bird/ that the private BIRDs include.
bird_constants() { echo "$run_dir/bird/$1"; } # FILE

start_gateway() { # GATEWAY
  local link
  start_bird "$1"
  start_bird "$1.private"
  for link in $(links_of "$1"); do start_link "$1" "$link"; done
  [[ ! -f $run_dir/map ]] || start_exporter "$1" # map.sh
}

kill_gateway() { # GATEWAY
  local -a pidfiles=("$run_dir/$1"/*.pid "$run_dir/$1.private"/*.pid)
  ip_node internet link set "${1,,}" down
  ip_node "R$(site_of "$1")" link set "${1,,}" down
  signal KILL "${pidfiles[@]}"
  rm -f "${pidfiles[@]}"
}
revive_gateway() { # GATEWAY
  ip_node internet link set "${1,,}" up
  ip_node "R$(site_of "$1")" link set "${1,,}" up
  start_gateway "$1"
}

# Neither the site router nor another gateway has a route through the gateway, by a link or by its site.
is_avoided() { # GATEWAY
  local node routes way
  local -a ways
  mapfile -t ways < <(ip_node "$1.private" -o address |
    awk '$2 !~ /^(lo|rv)/ { sub("/.*", "", $4); print " via " $4 " " }')
  for node in "R$(site_of "$1")" $(gateways); do
    [[ $node != "$1" ]] || continue
    [[ $node == R* ]] || node=$node.private
    routes=$(ip_node "$node" route show proto bird && ip_node "$node" -6 route show proto bird) || return 1
    for way in "${ways[@]}" " dev rv${1#V} "; do
      [[ $routes != *"$way"* ]] || return 1
    done
  done
}

# The order for a stop without loss is BIRD first. BIRD withdraws its routes from the neighbours, whose OSPF
# needs at most 2 s. Until then the kernel forwards by BIRD's routes, which stay (`persist`).
stop_gateway() { # GATEWAY
  stop_bird "$1.private"
  wait_until 5 is_avoided "$1" || echo "lab/run.sh: some routes still lead through $1" >&2
  end "$run_dir/$1"/rv*.pid "$run_dir/$1"/{bird,exporter}.pid
}

start_nodes() {
  local node
  start_bird internet
  for node in $(routers); do start_bird "$node"; done
  for node in $(gateways); do start_gateway "$node"; done
}

end_nodes() {
  local -a pidfiles
  mapfile -t pidfiles < <(find "$run_dir" -name '*.pid')
  end "${pidfiles[@]}"
}

# Sets `entered` to the command that opens a shell.
enter_shell() { # NODE
  enter "$1"
  entered+=("${SHELL:-/bin/bash}")
}

# Waiting for the routes -----------------------------------------------------------------------------

# The node has two next hops to every other site, in IPv4 and in IPv6.
has_routes() { # NODE
  local wanted=$((2 * (sites - 1))) family
  for family in -4 -6; do
    (($(ip_node "$1" "$family" route show proto bird | grep -c nexthop) == wanted)) || return 1
  done
}

# all_routes SECONDS [progress]: waits until every gateway and every site router has its routes.
all_routes() {
  local end=$(($(now_ms) + $1 * 1000)) node left done=0
  for node in $(gateways) $(routers); do
    "${2:-:}" "$((done++))" $((3 * sites)) "nodes have their routes"
    [[ $node == R* ]] || node+=.private
    left=$(((end - $(now_ms)) / 1000))
    wait_until "$((left > 0 ? left : 0))" has_routes "$node" || {
      "${2:-:}" 1 1 ""
      echo "$node lacks routes" >&2
      return 1
    }
  done
  "${2:-:}" "$done" "$done" "nodes have their routes"
}

no_unit_failed() { true; } # without --booted there is no unit

# BFD is up on every session that uses it. BGP comes up without it.
has_bfd() { # NODE
  ! bird_node "$1" show bfd sessions | awk '$1 ~ /:./ && $3 != "Up"' | grep -q .
}
