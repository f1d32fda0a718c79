#!/usr/bin/env bash
# The carrier says what the link can do: off until the peer has proved itself, off at once when the
# peer says farewell, off after dead-after when it says nothing, on again by itself; and nothing but
# the carrier changes.
#
# Times are those of the best of five tries: the machine may be busy with something else, and then
# its delays come on top. The program itself has none that comes by chance.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

HERE=$(dirname "${BASH_SOURCE[0]}")
KEEPALIVE_MS=300
DEAD_AFTER_MS=1500
TIMES=(--keepalive "$KEEPALIVE_MS" --dead-after "$DEAD_AFTER_MS")
FAREWELL_MS=50 # from SIGTERM to the carrier off, at both ends
LATE_MS=100    # allowed beyond dead-after
declare -A PRIVATE=([a]=$PRIV_A [b]=$PRIV_B) ADDRESS=([a]=10.255.0.1 [b]=10.255.0.2)
declare -A ADDRESS6=([a]=2001:db8:ff:: [b]=2001:db8:ff::1)

link_json() { ip -n "${PRIVATE[$1]}" -j link show rv0 | jq -r ".[0] | $2"; }

FLAGS='.flags | map(select(test("^(UP|LOWER_UP|NO-CARRIER)$"))) | sort | join(" ")'

# expect_carrier a|b on|off TEXT: as programs see it, in flags and operstate.
expect_carrier() {
  local wanted="LOWER_UP UP, UP"
  [[ $2 == on ]] || wanted="NO-CARRIER UP, DOWN"
  expect_equal "$3: the carrier of $1 is $2" "$wanted" \
    "$(link_json "$1" "\"\\($FLAGS), \\(.operstate)\"")"
}

# What a routing daemon sees of the interface, but for the mark that its carrier is off.
addresses_and_routes() {
  local space=${PRIVATE[$1]}
  ip -n "$space" -j address show dev rv0 | jq -c '.[0].addr_info'
  for family in -4 -6; do
    ip -n "$space" "$family" route show table all dev rv0 | sed 's/ dead//; s/ linkdown//; s/ *$//'
  done
}

# While it is off the kernel refuses at once what would have gone through the link.
expect_unreachable() { # expect_unreachable FROM TO
  local target
  for target in "${ADDRESS[$2]}" "${ADDRESS6[$2]}"; do
    expect_not "no route from $1 to $target" ip -n "${PRIVATE[$1]}" route get "$target"
  done
}

ignores_routes() {
  [[ $(in_ns "$PRIV_A" cat "/proc/sys/net/$1/conf/rv0/ignore_routes_with_linkdown") == 1 ]]
}

has_interface() { ip -n "${PRIVATE[$1]}" link show rv0 >"$DIR/interface.out" 2>&1; }

both_up() {
  wait_up a
  wait_up b
}

# end SIGNAL WHO PEER: sends it to WHO; LOST is after how many ms the peer, and WHO itself, had no
# carrier any more.
end() {
  read -ra LOST < <(python3 "$HERE/carrier_watch.py" "${PID[$2]}" "$1" 5000 \
    "${PRIVATE[$3]}" "${PRIVATE[$2]}" 2>"$DIR/watch.log") || fail "no times: $(<"$DIR/watch.log")"
  wait "${PID[$2]}" 2>"$DIR/wait.out" || true
  unset "PID[$2]"
}

between() { jq -en "$1 <= $2 and $2 <= $3" >"$DIR/between.out"; }

back() { # back WHO: starts it anew
  local began
  began=$(now_cs)
  "link_$1" "${TIMES[@]}"
  both_up
  ok "up $((($(now_cs) - began) * 10)) ms after $1 was started again"
}

# ends_in SIGNAL WHO PEER PEER-FROM PEER-TO OWN-TO: within these times, ms, in one of five tries.
ends_in() {
  local try seen=()
  for try in 1 2 3 4 5; do
    end "$1" "$2" "$3"
    seen+=("${LOST[*]}")
    expect_carrier "$3" off "SIG$1 to $2"
    expect_unreachable "$3" "$2"
    expect_equal "$3 kept addresses and routes" "$BEFORE" "$(addresses_and_routes "$3")"
    back "$2"
    expect_carrier "$3" on "after $2 came back"
    if between "$4" "${LOST[0]}" "$5" && between 0 "${LOST[1]}" "$6"; then
      ok "SIG$1 to $2: off at $3 after ${LOST[0]} ms, at $2 after ${LOST[1]} ms (try $try)"
      return
    fi
  done
  fail "SIG$1 to $2: wanted $4 to $5 ms at $3 and at most $6 ms at $2, got" \
    "$(printf '%s; ' "${seen[@]}")"
}

# It has joined the groups it listens to.
listens() {
  awk -v pid="$1" '$3 == pid && $4 != "00000000" { found = 1 } END { exit !found }' \
    "/proc/$1/net/netlink"
}

nothing_but_link() { [[ -s $1 ]] && ! grep -v -e '^\[LINK\]' -e '^ ' "$1"; }

# --- before there is a peer ---------------------------------------------------------------------

link_a "${TIMES[@]}"
wait_for 5 has_socket a || fail "a did not start"
expect_carrier a off "without a peer"
# Until it is known that there is no peer, 100 ms, they are not.
for family in ipv4 ipv6; do
  wait_for 2 ignores_routes "$family" || fail "$family: routes without carrier are followed"
  ok "$family: routes without carrier are ignored"
done
expect_unreachable a b
link_b "${TIMES[@]}"
both_up
expect_carrier a on "with the peer"
expect_carrier b on "with the peer"

# --- each end loses the other, and gets it back -------------------------------------------------

for pair in "b a" "a b"; do
  read -r who peer <<<"$pair"
  BEFORE=$(addresses_and_routes "$peer")
  rm -f "$DIR/monitor.log"
  start monitor "${PRIVATE[$peer]}" stdbuf -oL ip monitor all label
  wait_for 5 listens "${PID[monitor]}" || fail "ip monitor does not run"
  ends_in TERM "$who" "$peer" 0 "$FAREWELL_MS" "$FAREWELL_MS"
  # The last sign of life was at most one keepalive old.
  ends_in KILL "$who" "$peer" $((DEAD_AFTER_MS - KEEPALIVE_MS - LATE_MS)) \
    $((DEAD_AFTER_MS + LATE_MS)) "$FAREWELL_MS"
  stop monitor || true
  expect "ip monitor at $peer saw the link change and nothing else" \
    nothing_but_link "$DIR/monitor.log"
done

# --- killed, and started again before the other could notice ------------------------------------

flaps=$(show b .flaps)
stop a KILL || true
link_a "${TIMES[@]}"
wait_up a
expect "traffic after a quick restart of a" in_ns "$PRIV_A" ping -c 1 -W 2 10.255.0.2
expect_equal "b never lost the carrier" "$flaps" "$(show b .flaps)"

stop b KILL || true
link_b "${TIMES[@]}"
wait_up b 10
expect "traffic after a quick restart of b" in_ns "$PRIV_A" ping -c 1 -W 2 10.255.0.2
# --- what is sent right after the start is late or lost, not refused ----------------------------

for _ in {1..10}; do
  stop a || true
  link_a "${TIMES[@]}"
  # wait_for sleeps longer than the carrier takes to come.
  began=$(now_cs)
  until has_interface a; do
    (($(now_cs) < began + 500)) || fail "a did not start"
  done
  in_ns "$PRIV_A" ping -q -c 1 -i 0.01 -w 5 10.255.0.2 >"$DIR/ping.log" 2>&1 ||
    fail "a ping as soon as the interface was there: $(<"$DIR/ping.log")"
done
both_up
ok "ten times a ping began as soon as the interface was there, and was answered"

stop_links
ok "both ended with status 0"
