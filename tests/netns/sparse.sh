#!/usr/bin/env bash
# The second UDP flow of a lane: which packets take it, that it passes a stream, that nothing is reordered
# when a flow changes its class, and that a link works where the second flow is filtered.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=counting.sh
source "$(dirname "${BASH_SOURCE[0]}")/counting.sh"
# shellcheck source-path=SCRIPTDIR source=flows.sh
source "$(dirname "${BASH_SOURCE[0]}")/flows.sh"

sparse() { show "$1" ".lanes[0].sparse$2"; } # a|b FILTER
in_use() { [[ $(sparse a '') != null && $(sparse b '') != null ]]; }
not_in_use() { [[ $(sparse a '') == null && $(sparse b '') == null ]]; }
packets() { echo $(($(sparse a .packets) + $(sparse b .packets))); }
no_flap() { expect_equal "$1" "0 0" "$(show a .flaps) $(show b .flaps)"; }

# The datagrams of the second flow are dropped at b.
filter() {
  in_ns "$PUB_B" nft -f - <<END
table ip second {
  chain in  { type filter hook input priority 0;  udp sport != $FIRST udp dport $PORT drop; }
  chain out { type filter hook output priority 0; udp sport $PORT udp dport != $FIRST drop; }
}
END
}
unfilter() { in_ns "$PUB_B" nft delete table ip second; }

two_links --keepalive 20 --dead-after 2000
expect "both ends use the second flow" wait_for in_use
FIRST=$(show b '.remote | sub(".*:"; "")')
expect_equal "the acceptor has one port" "192.0.2.2:$PORT" "$(sparse a .remote)"
expect_equal "the initiator has a second one" "$(sparse a .local)" "$(sparse b .remote)"
# The second one is that of the sparse flows. Without a program that steers, each flow would take any of them.
queues() { ip -n "$1" -d -j link show rv0 | jq -r '.[0] | "\(.linkinfo.info_data.numqueues) \(.qdisc) \(.txqlen)"'; }
expect_equal "the interface of the initiator has two queues of 1000 packets" "2 noqueue 1000" "$(queues "$PRIV_A")"
expect_equal "and that of the acceptor" "2 noqueue 1000" "$(queues "$PRIV_B")"
for end in a b; do
  expect_equal "the worker of $end can steer" 1 \
    "$(find "/proc/$(show $end .pid)/fd" -lname 'anon_inode:bpf-map' | wc -l)"
done
[[ $(sparse b .remote) != "$(show b .remote)" ]] || fail "both flows have the same port"

before=$(packets)
start_pings "$PRIV_A" 10.255.0.2 100 2
pings_are "100 pings are answered" "$ALL_ANSWERED"
(($(packets) - before >= 200)) || fail "of 200 packets $(($(packets) - before)) took the second flow"
ok "pings take it both ways"
# The socket that is connected to the second port gets them, so the lane reads them first.
received() {
  in_ns "$PUB_B" ss -Huna "dst $(sparse b .remote)" | grep -q .
}
expect "the acceptor has a socket for the second port" received

# --- order --------------------------------------------------------------------------------------
# In each burst each of 64 flows sends 24 datagrams of 1000 bytes: more than the sparse burst of 16 KiB. In
# the pause it becomes sparse again: two changes for each flow and burst. Meanwhile the link rekeys.
sent_before=$(show a .tx.packets)
before=$(sparse a .packets)
count up 10.255.0.2:9000 --flows 64 --bytes 1000 --interval 20us --burst 1536 --pause 195ms --count 122880
rekeyed() { (($(show a .rekeys) >= $1)); }
for rekeys in {1..10}; do
  kill -HUP "${PID[a]}"
  expect "rekey $rekeys while the flows change their class" wait_for rekeyed "$rekeys"
done
counted up
expect_report "10,000 changes of class and 10 rekeys reorder nothing" up '.reordered + .duplicated + .corrupted == 0'
took=$(($(sparse a .packets) - before)) sent=$(($(show a .tx.packets) - sent_before))
((took > sent / 4 && took < sent * 95 / 100)) || fail "of $sent packets $took took the second flow"
ok "the flows changed between the classes: of $sent packets $took took the second flow"

# --- behind a bottleneck ------------------------------------------------------------------------
# 20 Mbit/s towards b, with a queue for each UDP flow, as fq_codel has. Each datagram is a packet of its own.
ip -n "$PUB_A" link set eth0 gso_max_segs 1
tc -n "$PUB_A" qdisc add dev eth0 root handle 1: htb default 10
tc -n "$PUB_A" class add dev eth0 parent 1: classid 1:1 htb rate 20mbit quantum 3000
for class in 1:10 1:20; do
  tc -n "$PUB_A" class add dev eth0 parent 1:1 classid "$class" htb rate 10mbit ceil 20mbit quantum 3000
done
in_ns "$PUB_A" nft -f - <<END
table ip queues {
  chain out { type filter hook postrouting priority 0; udp sport != $FIRST udp dport $PORT meta priority set 0x10020; }
}
END

# delay_beside_stream: prints the median delay of small datagrams beside a TCP stream, in us.
delay_beside_stream() {
  start_iperf_server "$PRIV_B"
  start iperf "$PRIV_A" iperf3 --client 10.255.0.2 --time 4
  count up 10.255.0.2:9000 --interval 20ms --count 180
  counted up
  wait "${PID[iperf]}" || fail "iperf3 failed"
  wait "${PID[iperf_server]}" || fail "the iperf3 server failed"
  unset "PID[iperf]" "PID[iperf_server]"
  report up '.delay_ms.median * 1000 | floor'
}
beside=$(delay_beside_stream)

# --- the second flow is filtered ----------------------------------------------------------------
start_pings "$PRIV_A" 10.255.0.2 0 10 1
filter
expect "a filtered second flow is given up" wait_for not_in_use
kill -TERM "${PID[pings]}"
# The first answer is missing after 1 s at most, and is late 250 ms later. The rest is for a busy machine.
pings_are "pings are lost for less than 3 s" '.sent - .answered < 300'
start_pings "$PRIV_A" 10.255.0.2 100 2
pings_are "then the first flow carries all" "$ALL_ANSWERED"
without=$(delay_beside_stream)
((beside < without / 5)) || fail "a datagram beside a stream takes $beside us, and $without us in one flow"
ok "a datagram beside a stream takes $beside us, and $without us in one flow"
unfilter
# The initiator asks again after at most 60 s, and with each new association.
kill -HUP "${PID[a]}"
expect "it comes back when the filter is gone" wait_for in_use
no_flap "the link did not flap"

# --- restarts -----------------------------------------------------------------------------------
kill -KILL "$(show a .pid)"
again() { [[ $(show a .worker_starts) == "$1" && $(show b .worker_starts) == "$2" ]] && in_use; }
expect "after the death of the initiator's worker it is found again" wait_for again 2 1
kill -KILL "$(show b .pid)"
expect "after the death of the acceptor's worker, too" wait_for again 2 2
start_pings "$PRIV_A" 10.255.0.2 100 2
pings_are "pings are answered" "$ALL_ANSWERED"
stop_links
