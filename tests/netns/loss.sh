#!/usr/bin/env bash
# One packet in five is lost in each direction. The link comes up and stays up, idle and under traffic,
# and loses no more inside than outside. Handshake and rekey retransmit.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=counting.sh
source "$(dirname "${BASH_SOURCE[0]}")/counting.sh"

LOST=20 # percent, in each direction
IDLE_S=10
COUNT=2000 # datagrams in each direction, one per millisecond
# The standard deviation of the share that is lost is sqrt(0.2 * 0.8 / 2000) = 0.9 %. A deviation of
# five of them has a probability of 6e-7.
LEAST=0.155 MOST=0.245

# lose NETNS: drops received packets. A drop at the sender would give it an error.
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

rekeyed() { [[ $(show a .rekeys) == 1 && $(show b .rekeys) == 1 ]]; }

# idle SECONDS: the carrier stays on without traffic.
idle() {
  local end=$(($(now_cs) + $1 * 100))
  while (($(now_cs) < end)); do
    sleep 0.5
    [[ $(show a .carrier) == true && $(show b .carrier) == true ]] || fail "the carrier went off"
  done
}

link_b
wait_for has_socket b || fail "link b did not start"
lose "$PUB_A"
lose "$PUB_B"
link_a
wait_up a
wait_up b
ok "up with $LOST % loss in each direction"

idle "$IDLE_S"
stays_up "after $IDLE_S s of silence"

count up 10.255.0.2:9000 --count "$COUNT"
count down '[2001:db8:ff::]:9000' --count "$COUNT"
for way in up down; do
  counted "$way"
  expect_report "$way: $(report $way '"\(.lost) of \(.sent) lost"')" "$way" \
    ".lost / .sent | . >= $LEAST and . <= $MOST"
done
stays_up "after $COUNT datagrams in each direction"

kill -HUP "${PID[a]}"
wait_for rekeyed || fail "no rekey"
stays_up "after a rekey"
