#!/usr/bin/env bash
# A restart of the service keeps the link: interface, carrier, associations, counters. service_manager.py
# takes the place of systemd. The times that are printed are not judged closely: other work on the machine
# moves them.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

HERE=$(dirname "${BASH_SOURCE[0]}")
# A restart of the link itself takes 100 ms and more, and its carrier goes off.
LONGEST_MS=500
# shellcheck source-path=SCRIPTDIR source=flows.sh
source "$HERE/flows.sh"
# shellcheck source-path=SCRIPTDIR source=services.sh
source "$HERE/services.sh"

# The second file in memory that the next monitor makes is the first of those for its new worker.
NO_NEW_WORKER="-e trace=memfd_create -e inject=memfd_create:error=EMFILE:when=2"

start_gaps() { # TARGET
  rm -f "$DIR/gaps.log"
  python3 "$HERE/gaps.py" "$PRIV_A" "$1" >"$DIR/gaps.out" 2>"$DIR/gaps.log" &
  PID[gaps]=$!
  wait_for grep -q 'is sent' "$DIR/gaps.log" || fail "no pings"
}

expect_no_gap() { # TEXT
  kill "${PID[gaps]}"
  wait "${PID[gaps]}" || fail "gaps.py: $(<"$DIR/gaps.log")"
  unset "PID[gaps]"
  local longest
  longest=$(jq '.longest_ms' "$DIR/gaps.out")
  echo "$1: longest time without an answer $longest ms; $(<"$DIR/gaps.out")"
  expect "$1: at most $LONGEST_MS ms without an answer" jq -e ".longest_ms <= $LONGEST_MS" "$DIR/gaps.out"
  expect "$1: no packet twice" jq -e '.duplicates == 0' "$DIR/gaps.out"
}

# The number of eBPF maps that the process has.
maps_of() { find "/proc/$1/fd" -lname 'anon_inode:bpf-map' | wc -l; }

# What a restart must not change at either end.
facts() {
  local name
  for name in a b; do
    show "$name" '[.carrier, .flaps, .handshakes, .rekeys, .alpn, .mtu, .path_mtu] | tostring'
    show "$name" '.pid' >"$DIR/$name.pid"
    ip -n "${PRIVATE[$name]}" -d -j link show rv0 |
      jq -c '.[0] | [.ifindex, .flags, .qdisc, .linkinfo.info_data.numqueues]'
    echo "maps of steering: $(maps_of "$(show "$name" .pid)") $(maps_of "$(show "$name" .monitor_pid)")"
  done
}

# Each process reads the clock for itself, which moves a time by a millisecond.
seconds_of() { show "$1" "[.since, .last_handshake] | map(sub(\"\\\\..*\"; \"Z\") | fromdate) | add"; }

has_sparse() { show "$1" '.sparse // .lanes[0].sparse' | grep -q remote; }

# expect_hitless TEXT a|b: restarts that end while packets pass.
expect_hitless() {
  local text=$1 name=$2 before pid since
  before=$(facts)
  since=$(seconds_of "$name")
  pid=$(show "$name" .pid)
  start_gaps 10.255.0.2
  restart "$name"
  expect_equal "$text: nothing has changed but the processes" "$before" "$(facts)"
  since=$(($(seconds_of "$name") - since))
  ((since >= -2 && since <= 2)) || fail "$text: the times of the association moved"
  [[ $(show "$name" .pid) != "$pid" ]] || fail "$text: the worker is the old one"
  ok "$text: the worker is a new one"
  expect_no_gap "$text"
}

log_has() { grep -q "$2" "$DIR/$1.log"; }
no_events() { [[ ! -s $DIR/$1.events ]] || fail "the interface changed: $(<"$DIR/$1.events")"; }

configure_both
serve_both
expect "the sparse flow is in use" wait_for has_sparse a
start_monitor carrier_a "$PRIV_A" link address
start_monitor carrier_b "$PRIV_B" link address
expect_hitless "the initiator restarts" a
expect_hitless "the acceptor restarts" b
expect "the sparse flow still is in use at the initiator" has_sparse a
expect "the sparse flow still is in use at the acceptor" has_sparse b

start_iperf_server "$PRIV_B"
ip netns exec "$PRIV_A" timeout 100 iperf3 --client 10.255.0.2 --time 8 --json >"$DIR/stream.out" 2>&1 &
PID[stream]=$!
before=$(facts)
for name in a b a b a; do restart "$name"; done
expect_equal "5 restarts under a TCP stream change nothing" "$before" "$(facts)"
wait "${PID[stream]}" || fail "the TCP stream breaks: $(<"$DIR/stream.out")"
unset "PID[stream]"
wait "${PID[iperf_server]}" || fail "the iperf3 server ends with status $?"
unset "PID[iperf_server]"
ok "a TCP stream passes 5 restarts: $(jq -c '.end.sum_sent | [.bytes, .retransmits]' "$DIR/stream.out")"
no_events carrier_a
no_events carrier_b
ok "the interfaces and their carriers never changed"

stored_workers() { # since the last start of a's service
  awk '/^started/ { count = 0 } $0 == "stored worker" { ++count } END { print count + 0 }' "$DIR/a.log"
}
expect_equal "each monitor stores the worker that it adopts, and that worker's successor" 2 "$(stored_workers)"

# The configuration file is read again at SIGHUP.
status_is() { [[ $(grep '^status' "$DIR/$1.log" | tail -n 1) == status\ $2 ]]; } # a|b PATTERN
echo "bogus = 1" >>"$DIR/a/rv0.conf"
kill -HUP "$(show a .monitor_pid)"
expect "the service manager is told that a reload failed, and why" wait_for status_is a \
  'up: *; the last reload failed: *bogus*the old --accept prefixes stay in force'
configure_both
kill -HUP "$(show a .monitor_pid)"
succeeded() { status_is a 'up: *' && ! status_is a '*failed*'; }
expect "and that the next one succeeded" wait_for succeeded
expect_equal "it saw the begin and the end of both" "reloading ready reloading ready" \
  "$(grep -E '^(reloading|ready)$' "$DIR/a.log" | tail -n 4 | paste -sd ' ')"

# The reasons for which a restart ends the link. The peer is told, so its carrier goes off at once.
echo "mtu = 1300" >>"$DIR/a/rv0.conf"
restart a
wait_up a
expect "an option that needs a new interface ends the link" log_has a 'options have changed that need'
expect_equal "the peer was told" 1 "$(show b .flaps)"
expect_equal "the new option is in force" 1300 "$(show a .mtu)"
stop_services

# count_dscp NAMESPACE: counts what leaves the namespace from PORT with and without the DSCP EF.
count_dscp() {
  in_ns "$1" nft -f - <<END
table inet dscp {
  counter ef {}
  counter other {}
  chain out {
    type filter hook output priority 0;
    udp sport $PORT ip dscp ef counter name ef
    udp sport $PORT ip dscp != ef counter name other
  }
}
END
}
counted() { in_ns "$1" nft -j list counter inet dscp "$2" | jq '.nftables[1].counter.packets'; }

# A service manager that loses a descriptor: the next monitor starts a new link.
OPTIONS=("dscp = 46")
configure_both
SERVICE_MANAGER='drop tun0' serve b
serve a
wait_up a
wait_up b
count_dscp "$PUB_B"
restart b
wait_up b
wait_up a
expect "an incomplete link is not taken over" log_has b 'descriptors are missing'
expect "the peer is told of its end" log_has a "the peer's worker has died"
expect "datagrams have the DSCP of the link" test "$(counted "$PUB_B" ef)" -gt 0
expect_equal "and no other, also those of the old link's end" 0 "$(counted "$PUB_B" other)"
stop_services
OPTIONS=()
configure_both
expect_not "a stop removes the interface" ip -n "$PRIV_A" link show rv0

# A service manager that does not confirm what it has stored must keep nothing for the next monitor.
SERVICE_MANAGER=hold serve b
serve a
wait_up a
wait_up b
restart b
wait_up b
expect "a link that the service manager does not keep ends" log_has b 'the service manager does not keep the link'
expect_equal "the next monitor gets no descriptor but the ended worker's" "started 1" \
  "$(grep '^started' "$DIR/b.log" | tail -n 1)"

# A worker that does not answer its monitor.
wait_up a
kill -STOP "$(show a .pid)"
restart a
expect "a worker that does not answer ends, and the log has the reason" log_has a \
  'the worker does not answer, so the link ends for the restart'
wait_up a
wait_up b

echo "$NO_NEW_WORKER" >"$DIR/strace"
starts=$(grep -c '^started' "$DIR/a.log")
restart a
expect "a monitor that cannot start a new worker logs why" wait_for log_has a \
  'the new worker does not take over the running link.*memfd_create'
wait_up a
expect_equal "and starts another one; the service is not started again" $((starts + 1)) \
  "$(grep -c '^started' "$DIR/a.log")"
stop_services

# --- lanes, PSK, guardian -----------------------------------------------------------------------
"$ROUTEVPN" pki psk --out "$DIR/psk" >"$DIR/psk.out"
OPTIONS=("lanes = 2" "psk = $DIR/psk" "accept = routed")
configure_both
serve_both
guardians() { pgrep -x routevpn-guard | sort; }
lanes_up() { [[ $(show "$1" '[.lanes[] | select(.state == "up")] | length') == 2 ]]; }
expect "both lanes are up" wait_for lanes_up a
before=$(guardians)
expect_hitless "with two lanes, a PSK and a guardian the initiator restarts" a
expect_hitless "with two lanes, a PSK and a guardian the acceptor restarts" b
expect_equal "the guardians are the same processes" "$before" "$(guardians)"
expect "the check of sources is still there" in_ns "$PRIV_B" nft list table inet routevpn-rv0
expect_equal "both lanes are up" "2 2" \
  "$(for name in a b; do show "$name" '[.lanes[] | select(.state == "up")] | length'; done | paste -sd ' ')"

# A monitor that fails to replace the worker it has adopted sends the gasp of a lane, also beside a lane
# that has none.
in_ns "$PUB_B" nft -f - <<END
table ip cut {
  chain in  { type filter hook input priority 0;  udp dport $((PORT + 1)) drop; }
  chain out { type filter hook output priority 0; udp sport $((PORT + 1)) drop; }
}
END
first_alone() { [[ $(show "$1" '.lanes | map(.state == "up") | tostring') == "[true,false]" ]]; }
for name in a b; do expect "the second lane of $name is down" wait_for first_alone "$name"; done
losses=$(show b .flaps)
echo "$NO_NEW_WORKER" >"$DIR/strace"
restart a
lost_once_more() { (($(show b .flaps) > losses)); }
expect "the peer of a link whose worker is not replaced is told by the first lane" wait_for lost_once_more
in_ns "$PUB_B" nft delete table ip cut
for name in a b; do expect "both lanes of $name come back" wait_for lanes_up "$name"; done

# The new key is used at once, as after a reload.
rm "$DIR"/a.{csr,cert,key}
make_certificates a
before=$(show a .rekeys)
losses=$(show a .flaps)
rekeys() { (($(show a .rekeys) > before)); }
restart a
expect "another certificate is used after the restart" wait_for rekeys
expect_equal "without a change of the carrier" "true $losses" "$(show a '"\(.carrier) \(.flaps)"')"

show a .pid >"$DIR/a.pid"
kill -KILL "$(show a .monitor_pid)"
worker_is_gone() { ! kill -0 "$(<"$DIR/a.pid")"; }
expect "a killed monitor still ends its worker" wait_for worker_is_gone
