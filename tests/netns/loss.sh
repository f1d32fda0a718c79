#!/usr/bin/env bash
# One packet in five is lost, each way: the link comes up, stays up, idle and used, and loses inside
# what was lost outside, no more. Handshake and renewal repeat what they must.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

LOST=20 # percent, each way
IDLE_S=10
PINGS=1000
PERIOD_MS=10 # so that they take another 10 s
# Of the pings, 1 - 0.8 * 0.8 = 36 % are lost one way or the other. The standard deviation of that
# share is sqrt(0.36 * 0.64 / 1000) = 1.5 %: five of them on either side come by chance once in a
# million runs.
LEAST=28.4 MOST=43.6

# lose NETNS: of what comes in from outside. Of a drop on the way out the sender would hear.
lose() {
  in_ns "$1" nft -f - <<RULES
table inet impairment {
  chain input {
    type filter hook input priority 0;
    iifname "eth0" numgen random mod 100 < $LOST counter drop
  }
}
RULES
}

stays_up() {
  local end
  for end in a b; do
    expect_equal "$end, $1: up, no flap" "up 0" "$(show $end '"\(.state) \(.flaps)"')"
  done
}

renewed() { [[ $(show a .rekeys) == 1 && $(show b .rekeys) == 1 ]]; }

# For what sleeps here is nothing to wait for: that nothing happens is the point.
idle() {
  local end=$(($(now_cs) + $1 * 100))
  while (($(now_cs) < end)); do
    sleep 0.5
    [[ $(show a .carrier) == true && $(show b .carrier) == true ]] || fail "the carrier went off"
  done
}

link_b
wait_for 5 has_socket b || fail "link b did not start"
lose "$PUB_A"
lose "$PUB_B"
link_a
wait_up a 30
wait_up b 30
ok "up with $LOST % loss each way"

idle "$IDLE_S"
stays_up "after $IDLE_S s of silence"

in_ns "$PRIV_A" fping -q -c "$PINGS" -p "$PERIOD_MS" -t 1000 10.255.0.2 \
  >"$DIR/fping.log" 2>&1 || true
stays_up "after $PINGS pings"
[[ $(<"$DIR/fping.log") =~ xmt/rcv/%loss\ =\ ([0-9]+)/([0-9]+)/ ]] || fail "fping says nothing"
loss=$(jq -n "1000 * (1 - ${BASH_REMATCH[2]} / ${BASH_REMATCH[1]}) | round / 10")
expect "of the pings, $loss % were lost: $LEAST to $MOST are right" \
  jq -en "$LEAST <= $loss and $loss <= $MOST"

kill -HUP "${PID[a]}"
wait_for 30 renewed || fail "no renewal"
stays_up "after a renewal"
