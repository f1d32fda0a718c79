# shellcheck shell=bash
# Workers of the links that lib.sh starts, and what a link leaves behind. To be sourced after lib.sh.

# shellcheck disable=SC2034 # of the scripts
ROUTES=(--route 198.51.100.0/24 --route 2001:db8:77::/64 --table 77)
# A worker's life, 1/100 s. A death after less than 5 s is not a first one, and the tenth death within a minute
# ends the link (monitor/restart_policy.hpp).
LIFE_CS=700

# child a|b: prints the pid of its worker, if it has one.
child() { ps -o pid=,comm= --ppid "${PID[$1]}" | awk '$2 == "routevpn-worker" { print $1 }'; }

# lived PID: it started LIFE_CS ago or earlier. The kernel counts its start in 1/100 s since boot.
lived() { (($(now_cs) - $(sed 's/.*) //' "/proc/$1/stat" | awk '{ print $20 }') >= LIFE_CS)); }

# traces: all that the links can leave.
traces() {
  local space
  for space in "$PUB_A" "$PRIV_A"; do
    ip -n "$space" -o link
    ip -n "$space" -4 route show table all
    ip -n "$space" -6 route show table all
    ip netns pids "$space"
  done
  find "$DIR/a" ! -name rv0.sock ! -name rv0.ctl # a killed monitor leaves them
}
is_as_before() { diff "$DIR/traces" <(traces); }

has_link_local() { ip -n "$PUB_A" -6 route show table local type local | grep -q '^local fe80:'; }

# keep_traces: before the links start. is_as_before compares with it.
keep_traces() {
  mkdir -p "$DIR/a"
  wait_for has_link_local || fail "eth0 has no link-local address"
  traces >"$DIR/traces"
}
