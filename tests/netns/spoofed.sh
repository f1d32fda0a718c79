#!/usr/bin/env bash
# A stranger that knows the addresses and ports of both ends, and cannot see their datagrams, floods both
# with handshake records in the other's name. The path has a round-trip time of 30 ms. The first handshake
# completes, each rekey too, and the link never goes down, with and without a PSK.
# shellcheck source-path=SCRIPTDIR source=middle.sh
source "$(dirname "${BASH_SOURCE[0]}")/middle.sh"
FLOOD=$(command -v "${FLOOD:-flood}") || fail "FLOOD is not a program"

REKEYS=50
RATE=1000 # datagrams of each kind per second, to each end
KINDS=(alert change-cipher-spec hello-request hello-verify-request server-hello)
PORT_A=40000

# flood_ends: begins the flood, to b in the name of a and to a in the name of b.
flood_ends() {
  start flood_b "$MIDDLE" "$FLOOD" forge "$(stat_of .source)" "192.0.2.2:$PORT" "$RATE" "${KINDS[@]}"
  start flood_a "$MIDDLE" "$FLOOD" forge "192.0.2.3:$PORT" "192.0.2.1:$PORT_A" "$RATE" "${KINDS[@]}"
}

is_flooded() { (($(drops "$1" handshake_unexpected handshake_number plaintext_alert psk_missing) > RATE)); }
has_rekeyed() { [[ $(show a .rekeys) == "$1" ]]; }

# no_attempt_failed TEXT
no_attempt_failed() {
  expect_equal "$1: no attempt of a failed" 0 "$(drops a handshake_failed handshake_timed_out)"
  expect_equal "$1: the link did not go down" "up 0 up 0" \
    "$(show a '"\(.state) \(.flaps)"') $(show b '"\(.state) \(.flaps)"')"
}

# survives TEXT OPTION...: a link with these options comes up and rekeys under the flood.
survives() {
  local text=$1 rekey end
  shift
  link_b "$@"
  wait_for has_socket b || fail "$text: link b did not start"
  flood_ends
  wait_for is_flooded b || fail "$text: the flood does not arrive at b"
  link_a "$@"
  wait_up a
  wait_up b
  no_attempt_failed "$text, from the start"
  wait_for is_flooded a || fail "$text: the flood does not arrive at a"
  for ((rekey = 1; rekey <= REKEYS; ++rekey)); do
    kill -HUP "${PID[a]}"
    wait_for has_rekeyed "$rekey" || fail "$text: rekey $rekey does not complete"
  done
  ok "$text: $REKEYS of $REKEYS rekeys completed"
  no_attempt_failed "$text, after $REKEYS rekeys"
  for end in a b; do
    expect "$text: the flood of $end still runs" kill -0 "${PID[flood_$end]}"
    stop "flood_$end"
  done
  expect "$text: pings pass" in_ns "$PRIV_A" ping -c 3 -i 0.05 -W "$DEADLINE_S" 10.255.0.2
  stop_links
}

begin_middle --delay 15ms
# The initiator's port is the only free one, so that the stranger can know it.
in_ns "$PUB_A" sh -c "echo $PORT_A $PORT_A >/proc/sys/net/ipv4/ip_local_port_range"
survives "without a PSK"
"$ROUTEVPN" pki psk --out "$DIR/psk" >"$DIR/psk.out"
survives "with a PSK" --psk "$DIR/psk"
