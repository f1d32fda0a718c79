#!/usr/bin/env bash
# The tools: `counted` measures the impairments that `impair` reports.
# shellcheck source-path=SCRIPTDIR source=middle.sh
source "$(dirname "${BASH_SOURCE[0]}")/middle.sh"
COUNTED=$(command -v "${COUNTED:-counted}") || fail "COUNTED is not a program"

COUNT=2000

# stream OPTION...: COUNT datagrams through impair. REPORT is the report of counted, MADE the growth of
# impair's counters.
stream() {
  local target=192.0.2.2
  [[ $OUTER == 6 ]] && target='[2001:db8::2]'
  local before
  before=$(tell stats)
  REPORT=$("$COUNTED" --from "$PUB_A" --to "$PUB_B" --via "${PEER[$OUTER]}:$PORT" --count "$COUNT" \
    --interval 100us --grace 1s "$@" "$target:$PORT" 2>"$DIR/counted.log") ||
    fail "counted: $(<"$DIR/counted.log")"
  MADE=$(jq -cn --argjson a "$before" --argjson b "$(tell stats)" \
    '$b.up | with_entries(.value -= $a.up[.key])')
}

# shellcheck disable=SC2016 # the variables are jq's
UNTOUCHED='($counted | .duplicated + .corrupted + .foreign + .reordered) == 0'

# holds TEXT FILTER: the jq filter over $counted and $made gives true.
holds() {
  jq -en --argjson counted "$REPORT" --argjson made "$MADE" "$2" >"$DIR/holds.out" ||
    fail "IPv$OUTER, $1: not $2"$'\n'"$(jq -c '.outages |= length' <<<"$REPORT")"$'\n'"$MADE"
  ok "IPv$OUTER, $1"
}

# impaired SETTING...: only these impairments, on the path up.
impaired() { tell up clear "$@"; }

for OUTER in 4 6; do
  begin_middle --seed 17
  stream
  holds "no impairment" "\$counted.received == $COUNT and $UNTOUCHED and \$made.seen == $COUNT"
  impaired drop 20%
  stream
  holds "loss" "\$counted.lost == \$made.dropped and \$counted.lost > 300 and $UNTOUCHED"
  impaired duplicate 10%
  stream
  holds "duplication" "\$counted.duplicated == \$made.duplicated and \$counted.duplicated > 100 and
    \$counted.received == $COUNT"
  impaired corrupt 10%
  stream
  holds "corruption" "\$counted.lost == \$made.corrupted and \$counted.lost > 100 and
    (\$counted | .corrupted + .foreign == .lost)"
  impaired truncate 10%
  stream
  holds "truncation" "\$counted.lost == \$made.truncated and \$counted.lost > 100 and
    (\$counted | .corrupted + .foreign == .lost)"
  impaired reorder 10% late 5ms
  stream
  holds "reordering" "\$counted.received == $COUNT and \$counted.reordered > \$made.reordered / 2 and
    \$counted.reordered <= \$made.reordered"
  impaired delay 20ms jitter 5ms
  stream
  holds "delay and jitter" "\$counted.received == $COUNT and $UNTOUCHED and
    \$counted.delay_ms.median >= 20"
  # At this rate a datagram of 64 bytes takes 2 ms and all of them take 4 s, but they are sent in 0.2 s.
  # A datagram is dropped when it would wait longer than 20 ms. Then the one before it waited 18 ms.
  impaired rate 256k queue 20ms
  stream
  holds "rate" "\$counted.lost == \$made.overflowed and $UNTOUCHED and
    \$counted.lost > 0 and \$counted.received > 0 and \$counted.delay_ms.max >= 18"
  impaired mtu 1300
  payload=$((1300 - 8 - (OUTER == 4 ? 20 : 40)))
  stream --bytes "$payload"
  holds "datagrams as large as the MTU" "\$counted.received == $COUNT"
  stream --bytes $((payload + 1))
  holds "datagrams larger than the MTU" "\$counted.lost == $COUNT and \$made.too_big == $COUNT"
  impaired
  former=$(stat_of .source)
  tell rebind
  [[ $former != "$(stat_of .source)" ]] || fail "the port did not change"
  stream
  holds "rebind" "\$counted.received == $COUNT and $UNTOUCHED"
  stop impair || true
done

# lost SEED: LOST is the list of losses with this seed.
lost() {
  begin_middle --seed "$1" --up-drop 50%
  stream --count 150
  LOST=$(jq -c '.outages | map(.lost)' <<<"$REPORT")
  stop impair || true
}
lost 5
first=$LOST
lost 5
expect_equal "a seed loses the same datagrams each time" "$first" "$LOST"
lost 6
[[ $first != "$LOST" ]] || fail "two seeds lose the same datagrams"
ok "another seed loses other datagrams"

begin_middle
while IFS='|' read -r wrong why; do
  # shellcheck disable=SC2086 # words
  answer=$(tell $wrong 2>&1) && fail "'$wrong' was accepted"
  [[ $answer == *"$why"* ]] || fail "'$wrong': $answer"
done <<'END'
drop 2|drop: '2' is not a share
loss 1%|there is no setting 'loss'
drop|'drop' needs a value
up|a command is missing
|a command is missing
drop 50% mtu 10|mtu: 0 or 
END
stream
holds "a refused command changes nothing" "\$counted.received == $COUNT"
