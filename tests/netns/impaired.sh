#!/usr/bin/env bash
# A path that loses, overtakes, repeats and damages, each way: the link stays up, and what comes out
# of it is what went in, at most once. A NAT that forgets the initiator: the link follows. A path
# that is silent one way only: both ends know, and come back by themselves.
# shellcheck source-path=SCRIPTDIR source=middle.sh
source "$(dirname "${BASH_SOURCE[0]}")/middle.sh"
# shellcheck source-path=SCRIPTDIR source=counting.sh
source "$(dirname "${BASH_SOURCE[0]}")/counting.sh"

# Of all datagrams, each way.
BAD=(--drop 5% --reorder 5% --late 5ms --duplicate 5% --corrupt 5%)
# Lost inside is what is dropped, and what is damaged without having come whole before: 0.05 + 0.95 *
# 0.05 * 0.95 = 9.5 %. Of 3000 the standard deviation is sqrt(0.095 * 0.905 / 3000) = 0.54 %: five of
# them on either side come by chance once in a million runs.
COUNT=3000 LEAST=0.068 MOST=0.122
TIMES=(--keepalive 500 --dead-after 1500)
FOLLOWS_MS=1000 # a probe interval, and what the machine is late

never_flapped() {
  local end
  for end in a b; do
    expect_equal "$1: $end is up and never was not" "up 0" "$(show $end '"\(.state) \(.flaps)"')"
  done
}

listening() { in_ns "$PRIV_B" ss -ltnH 'sport = :5201' | grep -q .; }

roamed() { [[ $(show b .roams) == "$1" ]]; }

# rebind TEXT N: so that b has seen N moves, in time.
rebind() {
  local began
  tell rebind
  began=$(now_cs)
  wait_for 5 roamed "$2" || fail "$1: b does not follow"
  LASTED=$((($(now_cs) - began) * 10))
  ((LASTED <= FOLLOWS_MS)) || fail "$1: b followed only after $LASTED ms"
  expect_equal "$1: b followed to a's new port after $LASTED ms" \
    "$(stat_of .source)" "$(show b .remote)"
}

# --- all of it, each way -----------------------------------------------------------------------

SEED=$RANDOM
begin_middle --seed "$SEED" "${BAD[@]}"
link_b
wait_for 5 has_socket b || fail "link b did not start"
link_a
wait_up a 30
wait_up b 30
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

# It fills each packet with a pattern of its own, and looks at what comes back.
in_ns "$PRIV_A" ping -q -c 100 -i 0.01 -W 1 2001:db8:ff::1 >"$DIR/ping.log" 2>&1 || true
expect "pings are answered" grep -E ' [1-9][0-9]* received' "$DIR/ping.log"
expect_not "none twice, none damaged" grep -E 'duplicates|wrong data|corrupted' "$DIR/ping.log"

start iperf_server "$PRIV_B" iperf3 --server --one-off
wait_for 5 listening || fail "iperf3 does not listen"
in_ns "$PRIV_A" timeout 20 iperf3 --json --client 10.255.0.2 --time 2 >"$DIR/iperf.json" ||
  fail "iperf3: $(jq -r .error "$DIR/iperf.json")"
expect "TCP: $(jq -r '.end.sum_received.bits_per_second / 1e6 * 10 | round / 10' \
  "$DIR/iperf.json") Mbit/s" jq -e '.end.sum_received.bytes > 0' "$DIR/iperf.json"
stop iperf_server || true
never_flapped "on a bad path"
stop_links
stop impair || true

# --- a NAT that forgets ------------------------------------------------------------------------

OUTER=6
begin_middle
two_links "${TIMES[@]}"
count up '[2001:db8:ff::1]:9000'
count down 10.255.0.1:9000
for way in up down; do wait_for 5 arrives "$way" || fail "$way: no stream"; done
rebind "under traffic" 1
under_way=$(($(stat_of '.down.seen') + 500))
passed_on() { (($(stat_of '.down.seen') >= under_way)); }
wait_for 5 passed_on || fail "nothing comes back any more"
stop_counting up down
expect_report "nothing was lost on the way from a" up '.lost == 0'
# b sends to the old port until the first record from the new one is here.
expect_report "only what was on its way to a was lost: $(report down .lost)" down \
  '.lost <= 100 and (.outages | length) <= 1'
rebind "idle" 2
expect "answers from b find a" in_ns "$PRIV_B" ping -c 1 -W 2 10.255.0.1
never_flapped "through two moves"

# --- silence one way ---------------------------------------------------------------------------

for way in up down; do
  tell "$way" drop 1
  for end in a b; do
    "$ROUTEVPN" show --run-dir "$DIR/$end" --wait down --timeout 5 >"$DIR/wait.out" 2>&1 ||
      fail "nothing comes $way, and $end does not mind"
  done
  tell clear
  wait_up a 15
  wait_up b 15
  ok "a path silent on its way $way: both went down, and came back when it spoke again"
done
stop_links
