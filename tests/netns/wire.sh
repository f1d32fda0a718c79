#!/usr/bin/env bash
# The public side of a link, from the first handshake to the stop. A capture has only well-formed DTLS 1.2,
# nothing of the inside traffic, and no nonce twice. Nothing that is injected outside comes out inside.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

HERE=$(dirname "${BASH_SOURCE[0]}")
MARKER="only inside $$ and not outside"

# capture NAME NETNS IFNAME: captures all packets to DIR/NAME.pcap.
capture() {
  start "$1" "$2" tcpdump -i "$3" -Z root -U --immediate-mode -B 32768 -s 2048 -w "$DIR/$1.pcap"
  wait_for grep -q 'listening on' "$DIR/$1.log" || fail "tcpdump does not listen on $3"
}

# tcpdump has written every packet that it was given. SIGUSR1 makes it print both numbers.
caught_up() {
  kill -USR1 "${PID[$1]}"
  [[ $(tail -n 1 "$DIR/$1.log") =~ \ ([0-9]+)\ packets\ captured,\ ([0-9]+)\ packets\ received ]] &&
    ((BASH_REMATCH[1] == BASH_REMATCH[2]))
}

end_capture() {
  wait_for caught_up "$1" || fail "tcpdump is behind with $1"
  stop "$1" INT || fail "tcpdump ended with status $?"
  expect "the capture of $1 is complete" grep '^0 packets dropped by kernel' "$DIR/$1.log"
}

traffic() { python3 "$HERE/marked_traffic.py" "$PRIV_A" "$PRIV_B" "$MARKER"; }

rekeyed() { [[ $(show a .rekeys) == "$1" && $(show b .rekeys) == "$1" ]]; }

# rekey a|b NUMBER: SIGHUP to that end causes rekey NUMBER.
rekey() {
  kill -HUP "${PID[$1]}"
  wait_for rekeyed "$2" || fail "no rekey after SIGHUP to $1"
  ok "SIGHUP to $1 caused rekey $2"
}

# watch_a_life NAME NONCE-BYTES REKEYS OPTION...: starts a link, uses it, rekeys and stops it.
watch_a_life() {
  local name=$1 nonce_bytes=$2 rekeys=$3 number
  shift 3
  capture "$name" "$PUB_B" eth0
  two_links "$@"
  capture "$name-inside" "$PRIV_B" rv0
  traffic
  for ((number = 1; number <= rekeys; ++number)); do
    if ((number % 2)); then rekey a "$number"; else rekey b "$number"; fi
    traffic
  done
  stop a || fail "a ended with status $?"
  stop b || fail "b ended with status $?"
  stop "$name-inside" INT || true # the interface was deleted with the link
  end_capture "$name"
  python3 "$HERE/dtls_capture.py" "$DIR/$name.pcap" "$PORT" "$nonce_bytes" "$((rekeys + 1))"
  expect "a capture of the inside has the marker" \
    grep -qaF "$MARKER" "$DIR/$name-inside.pcap"
  expect_not "a capture of the outside does not have it" grep -qaF "$MARKER" "$DIR/$name.pcap"
}

# inject FROM TO: from the public namespace of one gateway to the other gateway.
inject() {
  local -A outer=([a]=192.0.2.1 [b]=192.0.2.2) public=([a]=$PUB_A [b]=$PUB_B)
  local -A private=([a]=$PRIV_A [b]=$PRIV_B) port before
  port[a]=$(show b '.remote | sub(".*:"; "")')
  port[b]=$PORT
  before=$(dropped "$2")
  python3 "$HERE/inject.py" "${public[$1]}" "${outer[$1]}" "${port[$1]}" "${outer[$2]}" \
    "${port[$2]}" "${private[$2]}" "${private[$1]}" "$([[ $2 == a ]] && echo 1 || echo 0)"
  expect "each datagram was counted as dropped" wait_for counted_since "$before" "$2"
  expect_equal "$2 is still up" "up 0" "$(show "$2" '"\(.state) \(.flaps)"')"
}

dropped() { show "$1" '[.drops[]] | add // 0'; }
counted_since() { (($(dropped "$2") - $1 >= 64)); } # as many as inject.py sends

# Each datagram is a packet of its own on the wire, as with a real network card.
for space in "$PUB_A" "$PUB_B"; do ip -n "$space" link set eth0 gso_max_segs 1; done

watch_a_life ipv4 8 2 --ciphers ECDHE-ECDSA-AES128-GCM-SHA256
OUTER=6
watch_a_life ipv6 0 0 --ciphers ECDHE-ECDSA-CHACHA20-POLY1305

OUTER=4
two_links
ip -n "$PUB_A" route add 10.255.0.0/30 via 192.0.2.2
ip -n "$PUB_B" route add 10.255.0.0/30 via 192.0.2.1
ip -n "$PUB_A" route add 2001:db8:ff::/127 via 2001:db8::2
ip -n "$PUB_B" route add 2001:db8:ff::/127 via 2001:db8::1
inject a b
inject b a
