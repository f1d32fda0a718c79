# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034 # run.sh sets prefix, sites, root; base.sh run_dir and the programs
# Functions that all parts of the lab use: names, commands in a node, processes, waiting.
# The including script sets prefix (of the namespaces), sites (their number), root (of the project).
# booted.sh replaces functions of base.sh, network.sh, plan.sh and nodes.sh: a node is then a machine.

run_dir=/run/${prefix}routevpn-lab
routevpn=$root/build/release/src/routevpn
stream=$root/build/release/lab/lab_stream

die() {
  echo "lab/run.sh: $*" >&2
  exit 2
}

# The nodes of the lab. The namespace of a node is the prefix and its name.
gateways() {
  local site
  for ((site = 1; site <= sites; site++)); do printf '%s\n' "V$site-1" "V$site-2"; done
}
routers() {
  local site
  for ((site = 1; site <= sites; site++)); do echo "R$site"; done
}
nodes() {
  local gateway
  echo internet
  routers
  for gateway in $(gateways); do printf '%s\n' "$gateway" "$gateway.private"; done
}
site_of() { # V12-1 -> 12
  local site=${1#V}
  echo "${site%-*}"
}

# enter NODE: sets `entered` to the command that runs a program of this machine in the node's namespace.
enter() { entered=(ip netns exec "$prefix$1"); }
in_node() { # NODE COMMAND...
  local -a entered
  enter "$1" || return
  "${entered[@]}" "${@:2}"
}
ip_node() { ip -n "$prefix$1" "${@:2}"; }
bird_socket() { echo "$run_dir/$1/bird.ctl"; } # NODE
bird_node() { birdc -r -s "$(bird_socket "$1")" "${@:2}"; } # NODE COMMAND...
show_links() { "$routevpn" show --run-dir "$run_dir/$1" "${@:2}"; } # GATEWAY [OPTION...]

# Milliseconds since boot. Setting the clock does not change them.
now_ms() {
  local up
  read -r up _ </proc/uptime
  echo $((10#${up/./} * 10))
}

seconds_since() { awk -v a="$1" -v b="$(now_ms)" 'BEGIN { printf "%.1f\n", (b - a) / 1000 }'; } # MS

# progress DONE ALL WHAT: shows the progress of a long step: a bar on a terminal, removed when DONE is ALL,
# elsewhere a line every 5 s.
progress_at=0
progress() {
  if [[ -t 2 ]]; then
    local part=$((30 * $1 / $2)) bar
    printf -v bar '%*s' "$part" ''
    printf '\r\033[K' >&2
    (($1 == $2)) || printf '[%-30s] %s of %s %s' "${bar// /#}" "$1" "$2" "$3" >&2
  elif (($(now_ms) >= progress_at + 5000)); then
    ((progress_at == 0)) || echo "lab/run.sh: $1 of $2 $3" >&2
    progress_at=$(now_ms)
  fi
}

poll_s=0.02
wait_until() { # SECONDS COMMAND...
  local deadline=$(($(now_ms) + $1 * 1000))
  until "${@:2}" >/dev/null 2>&1; do
    (($(now_ms) < deadline)) || return 1
    sleep "$poll_s"
  done
}

need_lab() { [[ -d $run_dir ]] || die "the lab is not up; 'lab/run.sh up' brings it up"; }

# Processes: each has a file with its id, and a log beside it -----------------------------------------

start() { # PIDFILE NODE COMMAND...
  local -a entered
  enter "$2" || return
  "${entered[@]}" "${@:3}" >>"${1%.pid}.log" 2>&1 </dev/null &
  echo $! >"$1"
  disown # otherwise bash reports its end
}

# The id in the file, if a program of the lab still has that id.
running() { # PIDFILE
  local pid exe
  [[ -f $1 ]] || return 1
  pid=$(<"$1")
  exe=$(readlink "/proc/$pid/exe") || return 1
  case ${exe##*/} in
    bird* | routevpn* | lab_stream* | iperf3* | ip) echo "$pid" ;;
    *) return 1 ;;
  esac
}
gone() { ! running "$1"; }

signal() { # SIGNAL PIDFILE...
  local pidfile pid
  for pidfile in "${@:2}"; do
    if pid=$(running "$pidfile"); then kill "-$1" "$pid" 2>/dev/null || true; fi
  done
}

# Each process gets SIGTERM before the first wait.
end() { # PIDFILE...
  local pidfile
  signal TERM "$@"
  for pidfile in "$@"; do
    wait_until 5 gone "$pidfile" || signal KILL "$pidfile"
    rm -f "$pidfile"
  done
}
