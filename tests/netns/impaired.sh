#!/usr/bin/env bash
# A path that loses, overtakes, repeats and damages, each way: the link stays up, and what comes out
# of it is what went in, at most once. A NAT that forgets the initiator: the link follows. A path
# that is silent one way only: both ends know, and come back by themselves.
# shellcheck source-path=SCRIPTDIR source=middle.sh
source "$(dirname "${BASH_SOURCE[0]}")/middle.sh"
# shellcheck source-path=SCRIPTDIR source=counting.sh
source "$(dirname "${BASH_SOURCE[0]}")/counting.sh"
# shellcheck source-path=SCRIPTDIR source=flows.sh
source "$(dirname "${BASH_SOURCE[0]}")/flows.sh"

# Of all datagrams, each way.
BAD=(--drop 5% --reorder 5% --late 5ms --duplicate 5% --corrupt 5%)
# Lost inside is what is dropped, and what is damaged without having come whole before: 0.05 + 0.95 *
# 0.05 * 0.95 = 9.5 %. Of 3000 the standard deviation is sqrt(0.095 * 0.905 / 3000) = 0.54 %: five of
# them on either side come by chance once in a million runs.
COUNT=3000 LEAST=0.068 MOST=0.122
TIMES=(--keepalive 500 --dead-after 1500)

never_flapped() {
  local end
  for end in a b; do
    expect_equal "$1: $end is up and never was not" "up 0" "$(show $end '"\(.state) \(.flaps)"')"
  done
}

roamed() { [[ $(show b .roams) == "$1" ]]; }

# rebind TEXT N: another port of the NAT. b follows: it has seen N moves.
rebind() {
  local began lasted
  tell rebind
  began=$(now_cs)
  wait_for roamed "$2" || fail "$1: b does not follow"
  lasted=$((($(now_cs) - began) * 10))
  expect_equal "$1: b followed to a's new port after $lasted ms" \
    "$(stat_of .source)" "$(show b .remote)"
}

# --- all of it, each way -----------------------------------------------------------------------

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
  expect_report "$way: nothing came damaged, twice or from nowhere" "$way" \
    '.corrupted + .duplicated + .foreign == 0'
  expect_report "$way: $(report $way '"\(.lost) of \(.sent) lost"')" "$way" \
    ".lost / .sent | . >= $LEAST and . <= $MOST"
  expect_report "$way: $(report $way .reordered) overtaken" "$way" '.reordered > 0'
done
for end in a b; do
  expect "$end counted records that were replayed and that were forged" \
    test "$(show "$end" '.drops | .record_replayed > 0 and .record_forged > 0')" = true
done

start_pings "$PRIV_A" 2001:db8:ff::1 100 10 2
pings_are "pings are answered, none twice, none damaged" \
  '.answered > 0 and .duplicates + .altered == 0'

transfer "1 MB of TCP" "$PRIV_A" "$PRIV_B" 10.255.0.2 --bytes 1000000
never_flapped "on a bad path"
stop_links
stop impair || true

# --- a NAT that forgets ------------------------------------------------------------------------

OUTER=6
begin_middle
two_links "${TIMES[@]}"
count up '[2001:db8:ff::1]:9000'
count down 10.255.0.1:9000
for way in up down; do wait_for arrives "$way" || fail "$way: no stream"; done
rebind "under traffic" 1
under_way=$(($(stat_of '.down.seen') + 500))
passed_on() { (($(stat_of '.down.seen') >= under_way)); }
wait_for passed_on || fail "nothing comes back any more"
stop_counting up down
expect_report "nothing was lost on the way from a" up '.lost == 0'
# b sends to the old port until the first record from the new port arrives.
expect_report "what was lost on the way to a, $(report down .lost), is one outage" down \
  '(.outages | length) <= 1'
rebind "idle" 2
expect "answers from b find a" in_ns "$PRIV_B" ping -c 1 -W "$DEADLINE_S" 10.255.0.1
never_flapped "through two moves"

# --- silence one way ---------------------------------------------------------------------------

for way in up down; do
  tell "$way" drop 1
  for end in a b; do
    "$ROUTEVPN" show --run-dir "$DIR/$end" --wait down --timeout "$DEADLINE_S" >"$DIR/wait.out" 2>&1 ||
      fail "nothing comes $way, and $end does not mind"
  done
  tell clear
  wait_up a
  wait_up b
  ok "a path silent on its way $way: both went down, and came back when it spoke again"
done
stop_links
