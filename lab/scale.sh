# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034 # run.sh sets prefix, sites, root; base.sh run_dir and the programs
# Measures a lab of many sites: time to converge, processor time, memory, routes.

# Prints the pids of the lab: each process with a pid file, and its children, such as a monitor's worker.
lab_processes() {
  local pidfile pid
  local -a pids=()
  while read -r pidfile; do
    if pid=$(running "$pidfile"); then pids+=("$pid"); fi
  done < <(find "$run_dir" -name '*.pid')
  ((${#pids[@]} == 0)) || ps -o pid= -p "${pids[*]}" --ppid "${pids[*]}"
}

# Prints the memory of all processes of that name in the lab, as PSS in KiB: the sum and the largest.
memory_of() { # NAME
  local pid sum=0 most=0 count=0 pss
  while read -r pid; do
    [[ $(readlink "/proc/$pid/exe") == */"$1"* ]] || continue
    pss=$(awk '/^Pss:/ { print $2 }' "/proc/$pid/smaps_rollup")
    count=$((count + 1)) sum=$((sum + pss)) most=$((pss > most ? pss : most))
  done < <(lab_processes)
  printf '%-10s %5d processes %9d KiB in all %7d KiB at most\n' "$1" "$count" "$sum" "$most"
}

# Prints the processor time of all processes of the lab so far, in seconds.
processor_seconds() {
  local pid ticks=0
  local -a field
  while read -r pid; do
    read -ra field <"/proc/$pid/stat" || continue
    ticks=$((ticks + field[13] + field[14]))
  done < <(lab_processes)
  awk -v t=$ticks -v hz="$(getconf CLK_TCK)" 'BEGIN { printf "%.1f", t / hz }'
}

route_counts() {
  local node v4=0 v6=0
  for node in $(gateways); do
    v4=$((v4 + $(ip_node "$node.private" route show proto bird | grep -c nexthop)))
    v6=$((v6 + $(ip_node "$node.private" -6 route show proto bird | grep -c nexthop)))
  done
  echo "next hops in the kernels of the gateways: $v4 of IPv4, $v6 of IPv6"
  echo "routes of V1-1: $(bird_node V1-1.private show route count | tail -n 1)"
}

scale() {
  local links before seconds=20
  up
  links=$(find "$run_dir" -path '*/links/*.conf' | wc -l)
  echo "$sites sites, $((2 * sites)) gateways, $((links / 2)) links, $links link ends, on $(nproc) processors"
  memory_of routevpn
  memory_of bird
  route_counts
  echo "processor time so far: $(processor_seconds) s"
  before=$(processor_seconds)
  sleep $seconds
  awk -v a="$before" -v b="$(processor_seconds)" -v s=$seconds \
    'BEGIN { printf "processor time of the idle lab: %.2f of one processor\n", (b - a) / s }'
}
