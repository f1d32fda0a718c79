#!/usr/bin/env bash
# A link with a pre-shared key: what is on the wire, what strangers get, mismatches, and the change of a key.
#
#   PRIV_A       PUB_A                      PUB_B                  PUB_C: strangers
#   rv0 ......... eth0 --- 192.0.2.0/24 --- eth0   eth1 ---------- eth0
#                  .1                        .2      198.51.100.1   198.51.100.2

HERE=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=stranger.sh
source "$HERE/stranger.sh"

GATEWAY=(192.0.2.2 "$PORT")

in_ns "$PUB_B" nft -f - <<END
table inet answers {
  counter sent { }
  chain outgoing {
    type filter hook output priority 0
    oifname "eth1" meta nfproto ipv4 counter name sent
  }
}
END
# The kernel's neighbour discovery, ARP and ICMPv6, is not counted.
bytes_to_strangers() {
  in_ns "$PUB_B" nft -j list counter inet answers sent | jq '.nftables[] | .counter // empty | .bytes'
}

from_c() { in_ns "$PUB_C" python3 "$HERE/$1.py" "${@:2}"; }
drops_at_least() { (($(drops "$1" "$2") >= $3)); }
state_of() {
  show "$1" '[.state, .carrier, .handshakes, .rekeys, .flaps, .roams, .remote, .psk, .alpn] | tojson'
  in_ns "$2" cat /sys/class/net/rv0/carrier_changes
}
state() { state_of a "$PRIV_A"; state_of b "$PRIV_B"; }

capture() { # NAME
  start "$1" "$PUB_B" tcpdump -i eth0 -Z root -U --immediate-mode -B 32768 -s 2048 -w "$DIR/$1.pcap"
  wait_for grep -q 'listening on' "$DIR/$1.log" || fail "tcpdump does not listen"
}
caught_up() {
  kill -USR1 "${PID[$1]}"
  [[ $(tail -n 1 "$DIR/$1.log") =~ \ ([0-9]+)\ packets\ captured,\ ([0-9]+)\ packets\ received ]] &&
    ((BASH_REMATCH[1] == BASH_REMATCH[2]))
}
end_capture() {
  wait_for caught_up "$1" || fail "tcpdump is behind"
  stop "$1" INT || fail "tcpdump ended with status $?"
  expect "the capture of the link $1 PSK is complete" grep '^0 packets dropped by kernel' "$DIR/$1.log"
}

new_key() { # FILE...: the same new key in each
  rm -f "$@"
  "$ROUTEVPN" pki psk --out "$1" >"$DIR/pki.out"
  local copy
  for copy in "${@:2}"; do cp -p "$1" "$copy"; done
}
rekeyed() { (($(show a .handshakes) > $1 && $(show b .handshakes) > $1)); }
pings() { expect "$1: a ping passes" in_ns "$PRIV_A" ping -c 1 -W 5 10.255.0.2; }

# --- the wire -----------------------------------------------------------------------------------

capture without
two_links --keepalive 1000
expect_equal "without a PSK a stranger's ClientHello gets an answer" answered \
  "$(from_c strangers ask 198.51.100.2 "${GATEWAY[@]}" "$DEADLINE_S")"
(($(bytes_to_strangers) > 0)) || fail "the answer is not counted"
in_ns "$PUB_B" nft reset counter inet answers sent >"$DIR/nft.out"
stop_links
end_capture without
expect "without a PSK a capture has the certificates" grep -qaF "routevpn CA" "$DIR/without.pcap"
python3 "$HERE/psk_packets.py" check "$DIR/without.pcap" "$PORT" >"$DIR/check.out" 2>&1 || true
expect "and the check of the next capture finds a handshake in it" \
  grep -q 'Malformed: content type 22' "$DIR/check.out"

new_key "$DIR/a.psk" "$DIR/b.psk"
capture with
link_b --psk "$DIR/b.psk"
wait_for has_socket b || fail "link b did not start"
link_a --psk "$DIR/a.psk"
wait_up a
wait_up b
pings "with a PSK"
kill -HUP "${PID[a]}"
expect "SIGHUP starts a rekey" wait_for rekeyed 1
expect_equal "show names the PSK" 'true routevpn/2+psk' "$(show b '"\(.psk) \(.alpn)"')"
end_capture with
envelopes=$(python3 "$HERE/psk_packets.py" check "$DIR/with.pcap" "$PORT") ||
  fail "the capture has more than envelopes and records under keys"
((envelopes >= 12)) || fail "only $envelopes envelopes"
ok "the wire shows $envelopes envelopes and no handshake record"
expect_not "and no certificate" grep -qaF "routevpn CA" "$DIR/with.pcap"

# --- strangers ----------------------------------------------------------------------------------

STATE=$(state)
expect_equal "a stranger's ClientHello gets no answer" silence \
  "$(from_c strangers ask 198.51.100.2 "${GATEWAY[@]}" 0.5)"
from_c strangers flood 198.51.100.2 "${GATEWAY[@]}" 2000
from_c strangers huge 198.51.100.2 "${GATEWAY[@]}" 5 >"$DIR/attack.out"
from_c psk_packets garbage 198.51.100.2 "${GATEWAY[@]}" 500
from_c psk_packets data 198.51.100.2 "${GATEWAY[@]}" 50
replayed=$(from_c psk_packets replay "$DIR/with.pcap" "$PORT" 198.51.100.2 "${GATEWAY[@]}")
((replayed == 2 * envelopes)) || fail "$replayed replays of $envelopes envelopes"
timeout 5 ip netns exec "$PUB_C" openssl s_client -dtls1_2 -connect "192.0.2.2:$PORT" -quiet \
  </dev/null >"$DIR/s_client.out" 2>&1 || true
for reason in psk_missing psk_mismatch psk_replayed; do
  expect "strangers' datagrams are counted: $reason" wait_for drops_at_least b "$reason" 5
done
expect_equal "hellos, garbage, data and $replayed copies of envelopes get not one byte" 0 \
  "$(bytes_to_strangers)"
expect_equal "the link has not changed" "$STATE" "$(state)"

stop_links
link_b --psk "$DIR/b.psk"
wait_for has_socket b || fail "link b did not start"
from_c psk_packets data 198.51.100.2 "${GATEWAY[@]}" 50
from_c psk_packets garbage 198.51.100.2 "${GATEWAY[@]}" 100
expect "a restarted acceptor without associations counts them" wait_for drops_are b record_no_keys 50
expect_equal "and gives strangers no restart hint" 0 "$(bytes_to_strangers)"
stop b || fail "b ended with status $?"

# --- mismatches ---------------------------------------------------------------------------------

# mismatch TEXT REASON HINT A-OPTIONS B-OPTIONS
mismatch() {
  local text=$1 reason=$2 hint=$3 a b
  read -ra a <<<"$4"
  read -ra b <<<"$5"
  : >"$DIR/b.log"
  link_b "${b[@]}"
  wait_for has_socket b || fail "link b did not start"
  link_a "${a[@]}"
  wait_for has_socket a || fail "link a did not start"
  expect "$text: the acceptor counts $reason" wait_for drops_at_least b "$reason" 3
  expect "$text: the initiator hints at the PSK" wait_for hints "$hint"
  expect "$text: the acceptor logs the reason" grep -q 'handshake failed.*PSK' "$DIR/b.log"
  expect_equal "$text: no handshake" 0 "$(show b .handshakes)"
  stop_links
}
hints() { show a .reason_text | grep -qF "$1"; }
new_key "$DIR/other.psk"
mismatch "another PSK" psk_mismatch "a peer with another PSK" "--psk $DIR/other.psk" "--psk $DIR/b.psk"
mismatch "a PSK at the acceptor alone" psk_missing "a peer with a PSK does not answer without it" \
  "" "--psk $DIR/b.psk"
mismatch "a PSK at the initiator alone" psk_unexpected "a peer with another PSK" "--psk $DIR/a.psk" ""

chmod 644 "$DIR/b.psk"
link_b --psk "$DIR/b.psk"
expect_end "a PSK file that others can read: exit status 2" b 2
expect "and one line" grep -qF -- "--psk $DIR/b.psk: mode is 0644; must be readable by its owner alone" "$DIR/b.log"
chmod 600 "$DIR/b.psk"

# --- a new key without a loss of carrier --------------------------------------------------------

: >"$DIR/b.log"
new_key "$DIR/a.new" "$DIR/b.new"
for end in b a; do
  "link_$end" --psk "$DIR/$end.psk" --psk "$DIR/$end.new"
  wait_for has_socket "$end" || fail "link $end did not start"
done
wait_up a
wait_up b
CHANGES=$(in_ns "$PRIV_A" cat /sys/class/net/rv0/carrier_changes)
# reload END: with the files as they are now. Both ends get new keys.
reload() {
  local before
  before=$(show a .handshakes)
  kill -HUP "${PID[$1]}"
  wait_for rekeyed "$before" || fail "$2: no rekey after SIGHUP to $1"
  pings "$2, SIGHUP to $1"
}
for end in a b; do
  mv "$DIR/$end.psk" "$DIR/$end.old"
  mv "$DIR/$end.new" "$DIR/$end.psk"
  mv "$DIR/$end.old" "$DIR/$end.new"
  reload "$end" "the new PSK is sent"
done
for end in b a; do
  cp -p "$DIR/$end.psk" "$DIR/$end.new"
  reload "$end" "the old PSK is dropped"
done
expect_equal "no envelope was refused" 0 "$(drops b psk_mismatch)"
new_key "$DIR/a.psk" "$DIR/a.new"
before=$(show a .handshakes)
mismatched=$(drops b psk_mismatch)
kill -HUP "${PID[a]}"
expect "a new PSK at one end: the other refuses it" wait_for drops_at_least b psk_mismatch $((mismatched + 1))
pings "the association stays"
cp -p "$DIR/a.psk" "$DIR/b.psk"
cp -p "$DIR/a.psk" "$DIR/b.new"
kill -HUP "${PID[b]}"
expect "and a rekey when both have it" wait_for rekeyed "$before"
expect_equal "the carrier of a has not changed" "$CHANGES" \
  "$(in_ns "$PRIV_A" cat /sys/class/net/rv0/carrier_changes)"
stop_links

# --- the restart of an acceptor -----------------------------------------------------------------

ALLOW_A=(--psk "$DIR/b.psk" --allow 192.0.2.1/32)
link_b "${ALLOW_A[@]}"
wait_for has_socket b || fail "link b did not start"
link_a --psk "$DIR/a.psk" --keepalive 200 --dead-after 60000
wait_up a
wait_up b
stop b KILL || true
link_b "${ALLOW_A[@]}"
takes_hint() { [[ $(show a '"\(.restart_hints.taken) \(.handshakes)"') == "1 2" ]]; }
expect "the peer that --allow names gets a restart hint in an envelope, and follows it" \
  wait_for takes_hint
wait_up b
pings "after the restart"
stop_links
