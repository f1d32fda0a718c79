#!/usr/bin/env bash
# A path that loses, reorders, duplicates and corrupts datagrams in both directions: the link stays up and
# delivers each inside packet unchanged and at most once. A NAT that changes its mapping: the acceptor
# follows. A path that is cut in one direction: both ends go down, and come up when it is mended.
# shellcheck source-path=SCRIPTDIR source=middle.sh
source "$(dirname "${BASH_SOURCE[0]}")/middle.sh"
# shellcheck source-path=SCRIPTDIR source=counting.sh
source "$(dirname "${BASH_SOURCE[0]}")/counting.sh"
# shellcheck source-path=SCRIPTDIR source=flows.sh
source "$(dirname "${BASH_SOURCE[0]}")/flows.sh"

# Shares of all datagrams in each direction.
BAD=(--drop 5% --reorder 5% --late 5ms --duplicate 5% --corrupt 5%)
# An inside packet is lost when its datagram is dropped, or when it is corrupted and was not duplicated:
# 0.05 + 0.95 * 0.05 * 0.95 = 9.5 %. The standard deviation of that share is sqrt(0.095 * 0.905 / 3000) =
# 0.54 %. A deviation of five of them has a probability of 6e-7.
COUNT=3000 LEAST=0.068 MOST=0.122
TIMES=(--keepalive 500 --dead-after 1500)

never_flapped() {
  local end
  for end in a b; do
    expect_equal "$1: $end stayed up" "up 0" "$(show $end '"\(.state) \(.flaps)"')"
  done
}

roamed() { [[ $(show b .roams) == "$1" ]]; }

# rebind TEXT N: the NAT changes its port. b follows: that is its N-th roam.
rebind() {
  local began lasted
  tell rebind
  began=$(now_cs)
  wait_for roamed "$2" || fail "$1: b does not follow"
  lasted=$((($(now_cs) - began) * 10))
  expect_equal "$1: b followed to a's new port after $lasted ms" \
    "$(stat_of .source)" "$(show b .remote)"
}

# --- all impairments in both directions ---------------------------------------------------------

SEED=$RANDOM
begin_middle --seed "$SEED" "${BAD[@]}"
link_b
wait_for has_socket b || fail "link b did not start"
link_a
wait_up a
wait_up b
ok "up through ${BAD[*]}, seed $SEED"

count up 10.255.0.2:9000 --count "$COUNT"
count down '[2001:db8:ff::]:9000' --count "$COUNT"
for way in up down; do
  counted "$way"
  expect_report "$way: no datagram arrived corrupted, twice or unsent" "$way" \
    '.corrupted + .duplicated + .foreign == 0'
  expect_report "$way: $(report $way '"\(.lost) of \(.sent) lost"')" "$way" \
    ".lost / .sent | . >= $LEAST and . <= $MOST"
  expect_report "$way: $(report $way .reordered) reordered" "$way" '.reordered > 0'
done
for end in a b; do
  expect "$end counted replayed and forged records" \
    test "$(show "$end" '.drops | .record_replayed > 0 and .record_forged > 0')" = true
done

start_pings "$PRIV_A" 2001:db8:ff::1 100 10 2
pings_are "pings are answered, none twice, none corrupted" \
  '.answered > 0 and .duplicates + .altered == 0'

transfer "1 MB of TCP" "$PRIV_A" "$PRIV_B" 10.255.0.2 --bytes 1000000
never_flapped "on a bad path"
stop_links
stop impair || true

# --- a NAT that changes its mapping -------------------------------------------------------------

OUTER=6
begin_middle
two_links "${TIMES[@]}"
count up '[2001:db8:ff::1]:9000'
count down 10.255.0.1:9000
for way in up down; do wait_for arrives "$way" || fail "$way: no stream"; done
rebind "under traffic" 1
under_way=$(($(stat_of '.down.seen') + 500))
passed_on() { (($(stat_of '.down.seen') >= under_way)); }
wait_for passed_on || fail "b does not send any more"
stop_counting up down
expect_report "nothing was lost from a to b" up '.lost == 0'
# b sends to the old port until the first record from the new port arrives.
expect_report "the $(report down .lost) datagrams that were lost from b to a are one outage" down \
  '(.outages | length) <= 1'
rebind "idle" 2
expect "a packet from b arrives at a" in_ns "$PRIV_B" ping -c 1 -W "$DEADLINE_S" 10.255.0.1
never_flapped "after two roams"

# --- a cut in one direction ---------------------------------------------------------------------

for way in up down; do
  tell "$way" drop 1
  for end in a b; do
    "$ROUTEVPN" show --run-dir "$DIR/$end" --wait down --timeout "$DEADLINE_S" >"$DIR/wait.out" 2>&1 ||
      fail "the path is cut $way, and $end does not go down"
  done
  tell clear
  wait_up a
  wait_up b
  ok "a path that is cut $way: both ends went down, and came up when it was mended"
done
stop_links
