#!/usr/bin/env bash
# Floods of strangers on an acceptor without --allow: handshakes from 400 networks that return their
# cookies, and forged datagrams in the name of the peer and of a stranger. The peer gets in, the link stays
# up, the acceptor takes no memory, and sends no more bytes to unproven addresses than come from them.
#
#   PUB_A                    PUB_B                       PUB_C: strangers
#   eth0 --- 192.0.2.0/24 -- eth0   eth1 --------------- eth0
#    .1      2001:db8::/64    .2     198.51.100.1         198.51.100.2
#    ::1                      ::2    2001:db8:c::1        2001:db8:c::2  2001:db8:bad::/48
# shellcheck source-path=SCRIPTDIR source=stranger.sh
source "$(dirname "${BASH_SOURCE[0]}")/stranger.sh"
FLOOD=$(command -v "${FLOOD:-flood}") || fail "FLOOD is not a program"

NETWORKS=400
JOIN_RATE=4000
FORGE_RATE=20000
DATAGRAMS=40000 # of each kind, between the two measurements of memory
WARM_UP=10000   # and before the first
MOST_GROWTH_KIB=1024

ip -n "$PUB_B" address add 2001:db8:c::1/64 dev eth1 nodad
ip -n "$PUB_B" route add 2001:db8:bad::/48 via 2001:db8:c::2
ip -n "$PUB_C" address add 2001:db8:c::2/64 dev eth0 nodad
ip -n "$PUB_C" route add 2001:db8::/64 via 2001:db8:c::1
ip -n "$PUB_C" route add local 2001:db8:bad::/48 dev lo

# Datagrams between PUB_B and the strangers.
in_ns "$PUB_B" nft -f - <<END
table inet strangers {
  counter came { }
  counter answered { }
  chain incoming { type filter hook input priority 0; iifname "eth1" udp dport $PORT counter name came; }
  chain outgoing { type filter hook output priority 0; oifname "eth1" udp sport $PORT counter name answered; }
}
END
counted() { # COUNTER packets|bytes
  in_ns "$PUB_B" nft -j list counter inet strangers "$1" | jq ".nftables[] | .counter? // empty | .$2"
}
forget_counts() { in_ns "$PUB_B" nft reset counters table inet strangers >"$DIR/nft.out"; }
has_come() { (($(counted came packets) >= $1)); }

worker_kib() { private_kib "$(show b .pid)"; } # of the process that takes the datagrams
links_are_up() {
  expect_equal "$1: the link did not go down" "up 0 up 0" \
    "$(show a '"\(.state) \(.flaps)"') $(show b '"\(.state) \(.flaps)"')"
}
answers_less() {
  local came answered
  came=$(counted came bytes) answered=$(counted answered bytes)
  ((answered <= came)) || fail "$1: $answered bytes answered $came"
  ok "$1: $answered bytes answered $came"
}

# --- strangers with real addresses and valid cookies --------------------------------------------

OUTER=6
link_b
wait_for has_socket b || fail "link b did not start"
start join "$PUB_C" "$FLOOD" join 2001:db8:bad::/48 "$NETWORKS" "[2001:db8::2]:$PORT" "$JOIN_RATE"
wait_for has_come $((2 * JOIN_RATE)) || fail "the strangers do not come"
expect "the acceptor answers strangers" test "$(counted answered packets)" -gt 0
are_too_many() { (($(show b '.drops | .handshake_rate_limited + .handshake_half_open') > 100)); }
wait_for are_too_many || fail "the strangers' cookies are not accepted"
ok "the acceptor drops handshakes of strangers that are too many"
began=$(now_cs)
link_a
wait_up a
wait_up b
ok "the peer came in after $((($(now_cs) - began) * 10)) ms"
expect_equal "with its first handshake" 0 "$(show a '.drops | .handshake_timed_out // 0')"
kill -HUP "${PID[a]}"
has_rekeyed() { [[ $(show a .rekeys) == 1 ]]; }
expect "a rekey completes" wait_for has_rekeyed
expect "the strangers are still there" kill -0 "${PID[join]}"

# The acceptor starts again: it has kept the address of its peer.
stop b KILL || true
link_b
wait_up b
ok "the peer came in after a restart of the acceptor"
stop join
expect_equal "the initiator is up" up "$(show a .state)"
answers_less "handshakes from $NETWORKS networks"
stop_links

# --- forged datagrams ---------------------------------------------------------------------------

OUTER=4
# shellcheck disable=SC2119 # without options
two_links
peer_port=$(show b '.remote | split(":")[1]')
forged() { # FROM KIND DATAGRAMS
  forget_counts
  start forge "$PUB_C" "$FLOOD" forge "$1" "192.0.2.2:$PORT" "$FORGE_RATE" "$2"
  wait_for has_come "$3" || fail "the flood does not arrive"
  stop forge
}
kinds=(client-hello garbage forged forged-38)
for from in "192.0.2.1:$peer_port" 198.51.100.2:999; do
  for kind in "${kinds[@]}"; do forged "$from" "$kind" "$WARM_UP"; done
done
memory=$(worker_kib)
for from in "192.0.2.1:$peer_port" 198.51.100.2:999; do
  for kind in "${kinds[@]}"; do
    forged "$from" "$kind" "$DATAGRAMS"
    grown=$(($(worker_kib) - memory))
    ((grown <= MOST_GROWTH_KIB)) || fail "$kind from $from: the worker has grown by $grown KiB"
    answers_less "$kind from $from"
    links_are_up "$kind from $from"
  done
done
expect "pings pass" in_ns "$PRIV_A" ping -c 3 -i 0.05 -W "$DEADLINE_S" 10.255.0.2
stop_links
