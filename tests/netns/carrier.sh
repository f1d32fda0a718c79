#!/usr/bin/env bash
# The carrier shows whether the link can carry packets. It is off until the peer is authenticated. It
# goes off when the peer closes the association and when the peer is silent for dead-after. It comes
# back without help. Nothing but the carrier changes.
#
# The times that are printed are not judged: other work on the machine moves them. The words that the
# state hook gets show which mechanism took the carrier off.
#
# All of it happens in a mount namespace of its own, whose /run/netns has a stale name: the plain file
# that is left when a mount namespace ends in which `ip netns add` was called.

if [[ -z ${ROUTEVPN_CARRIER_INSIDE:-} ]]; then
  ROUTEVPN_CARRIER_INSIDE=1 exec unshare --mount bash "$0" "$@"
fi
mount -t tmpfs tmpfs /run
mkdir /run/netns
touch /run/netns/stale
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

HERE=$(dirname "${BASH_SOURCE[0]}")
TIMES=(--keepalive 300 --dead-after 1500)
declare -A PRIVATE=([a]=$PRIV_A [b]=$PRIV_B) ADDRESS=([a]=10.255.0.1 [b]=10.255.0.2)
declare -A ADDRESS6=([a]=2001:db8:ff:: [b]=2001:db8:ff::1)

link_json() { ip -n "${PRIVATE[$1]}" -j link show rv0 | jq -r ".[0] | $2"; }

FLAGS='.flags | map(select(test("^(UP|LOWER_UP|NO-CARRIER)$"))) | sort | join(" ")'

# expect_carrier a|b on|off TEXT: the carrier in the flags and the operational state of rv0.
expect_carrier() {
  local wanted="LOWER_UP UP, UP"
  [[ $2 == on ]] || wanted="NO-CARRIER UP, DOWN"
  expect_equal "$3: the carrier of $1 is $2" "$wanted" \
    "$(link_json "$1" "\"\\($FLAGS), \\(.operstate)\"")"
}

# What a routing daemon sees of the interface, without the flags for a lost carrier.
addresses_and_routes() {
  local space=${PRIVATE[$1]}
  ip -n "$space" -j address show dev rv0 | jq -c '.[0].addr_info'
  for family in -4 -6; do
    ip -n "$space" "$family" route show table all dev rv0 | sed 's/ dead//; s/ linkdown//; s/ *$//'
  done
}

# Without carrier the kernel has no route through the link.
expect_unreachable() { # expect_unreachable FROM TO
  local target
  for target in "${ADDRESS[$2]}" "${ADDRESS6[$2]}"; do
    expect_not "no route from $1 to $target" ip -n "${PRIVATE[$1]}" route get "$target"
  done
}

ignores_routes() {
  [[ $(in_ns "$PRIV_A" cat "/proc/sys/net/$1/conf/rv0/ignore_routes_with_linkdown") == 1 ]]
}

# The link brings the interface up after it has set the addresses.
has_interface() { [[ -n $(ip -n "${PRIVATE[$1]}" -o link show up dev rv0 2>"$DIR/interface.out") ]]; }

# start_end a|b: with TIMES, and with a hook that notes state and reason.
start_end() {
  "link_$1" "${TIMES[@]}" --on-state "echo \$ROUTEVPN_STATE \$ROUTEVPN_REASON >>$DIR/states-$1"
}
last_reason_is() { [[ $(tail -n 1 "$DIR/states-$1") == *" $2" ]]; }

both_up() {
  wait_up a
  wait_up b
}

# end SIGNAL GATEWAY PEER: sends the signal to GATEWAY. LOST is after how many ms the peer, and GATEWAY
# itself, had lost the carrier.
end() {
  read -ra LOST < <(python3 "$HERE/carrier_watch.py" "${PID[$2]}" "$1" $((DEADLINE_S * 1000)) \
    "${PRIVATE[$3]}" "${PRIVATE[$2]}" 2>"$DIR/watch.log") || fail "no times: $(<"$DIR/watch.log")"
  wait "${PID[$2]}" 2>"$DIR/wait.out" || true
  unset "PID[$2]"
}

# ends SIGNAL GATEWAY PEER REASON: the carrier goes off at both ends, at the peer for this reason. It is
# back when GATEWAY is.
ends() {
  end "$1" "$2" "$3"
  ok "SIG$1 to $2: the carrier is off at $3 after ${LOST[0]} ms, at $2 after ${LOST[1]} ms"
  expect "the reason at $3 is $4" wait_for last_reason_is "$3" "$4"
  expect_carrier "$3" off "SIG$1 to $2"
  expect_unreachable "$3" "$2"
  expect_equal "$3 kept addresses and routes" "$BEFORE" "$(addresses_and_routes "$3")"
  start_end "$2"
  both_up
  expect_carrier "$3" on "after $2 came back"
}

nothing_but_link() { [[ -s $1 ]] && ! grep -v -e '^\[LINK\]' -e '^ ' "$1"; }

# --- before there is a peer ---------------------------------------------------------------------

start_end a
wait_for has_socket a || fail "a did not start"
expect_carrier a off "without a peer"
# In the first 100 ms, in which a peer could answer, they are not ignored.
for family in ipv4 ipv6; do
  wait_for ignores_routes "$family" || fail "$family: routes without carrier are used"
  ok "$family: routes without carrier are ignored"
done
expect_unreachable a b
start_end b
both_up
expect_carrier a on "with the peer"
expect_carrier b on "with the peer"

# --- each end loses the other, and gets it back -------------------------------------------------

for pair in "b a" "a b"; do
  read -r gateway peer <<<"$pair"
  BEFORE=$(addresses_and_routes "$peer")
  start_monitor monitor "${PRIVATE[$peer]}" all label
  ends TERM "$gateway" "$peer" peer_closed
  ends KILL "$gateway" "$peer" silence
  stop monitor || true
  expect "ip monitor at $peer shows events of links only" \
    nothing_but_link "$DIR/monitor.events"
done

# --- killed, and started again before dead-after ------------------------------------------------

stop_links
TIMES=(--keepalive 300 --dead-after 120000)
start_end b
start_end a
both_up
flaps=$(show b .flaps)
stop a KILL || true
start_end a
wait_up a
expect "traffic after a quick restart of a" in_ns "$PRIV_A" ping -c 1 -W "$DEADLINE_S" 10.255.0.2
expect_equal "b never lost the carrier" "$flaps" "$(show b .flaps)"

stop b KILL || true
start_end b
wait_up b
expect "traffic after a quick restart of b" in_ns "$PRIV_A" ping -c 1 -W "$DEADLINE_S" 10.255.0.2

# --- what is sent right after the start is late or lost, not refused ----------------------------

# A busy machine can need more than the 100 ms: that try shows nothing, and is repeated.
answered=0
for ((try = 1; answered < 10; ++try)); do
  ((try <= 20)) || fail "pings right after the start: only $answered of 20 were answered"
  stop a || true
  start_end a
  # wait_for sleeps longer than the carrier takes to come.
  end=$(($(now_cs) + DEADLINE_S * 100))
  until has_interface a; do
    (($(now_cs) < end)) || fail "a did not start"
  done
  if in_ns "$PRIV_A" ping -q -c 1 -i 0.01 -w "$DEADLINE_S" 10.255.0.2 >"$DIR/ping.log" 2>&1; then
    answered=$((answered + 1))
  else
    ignores_routes ipv4 || fail "a ping right after the start: $(<"$DIR/ping.log")"
  fi
done
both_up
ok "ten of $((try - 1)) pings that began as soon as the interface was there were answered"

stop_links
ok "both ended with status 0"
