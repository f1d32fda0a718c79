# shellcheck shell=bash
# shellcheck disable=SC2154 # run.sh sets root, prefix and sites; base.sh run_dir and the programs
# The page with the map of the whole lab: each gateway has an exporter in its private namespace. One more, in
# the private namespace of the last gateway, serves the page on an address of this machine, and asks the others
# through the links. No scenario breaks that gateway.

exporter=$root/build/release/src/routevpn-exporter
page_gateway=V$sites-2

# Sets `exports` to the command of the gateway's exporter.
export_gateway() { # GATEWAY
  exports=("$exporter" --run-dir "$run_dir/$1" --bird "$(bird_socket "$1")" --bird "$(bird_socket "$1.private")"
    --topology "$run_dir/topology.toml")
}

address_of_exporter() { # GATEWAY: prints what the topology has
  awk -v name="\"$1\"" '$1 == "name" { own = $3 == name } own && $1 == "exporter" { gsub("\"", "", $3); print $3 }' \
    "$run_dir/topology.toml"
}

start_exporter() { # GATEWAY
  local -a exports
  ! running "$run_dir/$1/exporter.pid" >/dev/null || return 0
  export_gateway "$1"
  start "$run_dir/$1/exporter.pid" "$1.private" "${exports[@]}" --listen "$(address_of_exporter "$1")"
}

start_page() {
  local -a exports
  export_gateway "$page_gateway"
  rm -f "$run_dir/map"
  python3 "$root/lab/page_socket.py" "$run_dir/map" ip netns exec "$prefix$page_gateway.private" \
    "${exports[@]}" >>"$run_dir/page.log" 2>&1 </dev/null &
  echo $! >"$run_dir/page.pid"
  disown
  wait_until 10 page_answers || die "the page does not start: $(<"$run_dir/page.log")"
}
page_answers() {
  [[ -s $run_dir/map ]] || return 1
  python3 -c 'import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=1)' "$(<"$run_dir/map")"
}

map() {
  local gateway
  [[ -z $booted ]] || die "map shows the lab without --booted"
  need_lab
  [[ -x $exporter ]] || die "$exporter does not exist; lab/run.sh without a command builds it"
  for gateway in $(gateways); do start_exporter "$gateway"; done
  running "$run_dir/page.pid" >/dev/null || start_page
  echo "The map of the lab is at $(<"$run_dir/map") until 'lab/run.sh down'."
  echo "'lab/run.sh fail site-cut' beside it shows a cut, and the traffic on other links."
}
