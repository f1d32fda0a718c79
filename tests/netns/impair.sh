#!/usr/bin/env bash
# The tools themselves: what `impair` says it did to a stream is what `counted` sees of it.
# shellcheck source-path=SCRIPTDIR source=middle.sh
source "$(dirname "${BASH_SOURCE[0]}")/middle.sh"
COUNTED=$(command -v "${COUNTED:-counted}") || fail "COUNTED names no program"

COUNT=2000

# stream OPTION...: COUNT datagrams through impair; SAID is its report, DID what impair did.
stream() {
  local target=192.0.2.2
  [[ $OUTER == 6 ]] && target='[2001:db8::2]'
  local before
  before=$(tell stats)
  SAID=$("$COUNTED" --from "$PUB_A" --to "$PUB_B" --via "${PEER[$OUTER]}:$PORT" --count "$COUNT" \
    --interval 100us --grace 1s "$@" "$target:$PORT" 2>"$DIR/counted.log") ||
    fail "counted: $(<"$DIR/counted.log")"
  # What was counted since.
  DID=$(jq -cn --argjson a "$before" --argjson b "$(tell stats)" \
    '$b.up | with_entries(.value -= $a.up[.key])')
}

# shellcheck disable=SC2016 # the variables are jq's
UNTOUCHED='($said | .duplicated + .corrupted + .foreign + .reordered) == 0'

# holds TEXT FILTER: of $said and $did.
holds() {
  jq -en --argjson said "$SAID" --argjson did "$DID" "$2" >"$DIR/holds.out" ||
    fail "IPv$OUTER, $1: not $2"$'\n'"$(jq -c '.outages |= length' <<<"$SAID")"$'\n'"$DID"
  ok "IPv$OUTER, $1"
}

# impaired SETTING...: those and no others, on the way up.
impaired() { tell up clear "$@"; }

for OUTER in 4 6; do
  begin_middle --seed 17
  stream
  holds "no impairment" "\$said.received == $COUNT and $UNTOUCHED and \$did.seen == $COUNT"
  impaired drop 20%
  stream
  holds "loss" "\$said.lost == \$did.dropped and \$said.lost > 300 and $UNTOUCHED"
  impaired duplicate 10%
  stream
  holds "duplication" "\$said.duplicated == \$did.duplicated and \$said.duplicated > 100 and
    \$said.received == $COUNT"
  impaired corrupt 10%
  stream
  holds "corruption" "\$said.lost == \$did.corrupted and \$said.lost > 100 and
    (\$said | .corrupted + .foreign == .lost)"
  impaired truncate 10%
  stream
  holds "truncation" "\$said.lost == \$did.truncated and \$said.lost > 100 and
    (\$said | .corrupted + .foreign == .lost)"
  impaired reorder 10% late 5ms
  stream
  holds "reordering" "\$said.received == $COUNT and \$said.reordered > \$did.reordered / 2 and
    \$said.reordered <= \$did.reordered"
  impaired delay 20ms jitter 5ms
  stream
  holds "delay and jitter" "\$said.received == $COUNT and $UNTOUCHED and
    \$said.delay_ms.min >= 20"
  # 64 bytes are 2 ms of the rate: all of them are 4 s of it, and are sent in 0.2 s. A datagram is
  # dropped when it would wait longer than 20 ms, so that the one before it waited at least 18 ms.
  impaired rate 256k queue 20ms
  stream
  holds "rate" "\$said.lost == \$did.overflowed and $UNTOUCHED and
    \$said.lost > 0 and \$said.received > 0 and \$said.delay_ms.max >= 18"
  impaired mtu 1300
  payload=$((1300 - 8 - (OUTER == 4 ? 20 : 40)))
  stream --bytes "$payload"
  holds "as large as the MTU" "\$said.received == $COUNT"
  stream --bytes $((payload + 1))
  holds "larger" "\$said.lost == $COUNT and \$did.too_big == $COUNT"
  impaired
  former=$(stat_of .source)
  tell rebind
  [[ $former != "$(stat_of .source)" ]] || fail "the port did not change"
  stream
  holds "rebind" "\$said.received == $COUNT and $UNTOUCHED"
  stop impair || true
done

# lost SEED: LOST is which of the datagrams were.
lost() {
  begin_middle --seed "$1" --up-drop 50%
  stream --count 150
  LOST=$(jq -c '.outages | map(.lost)' <<<"$SAID")
  stop impair || true
}
lost 5
first=$LOST
lost 5
expect_equal "a seed loses the same datagrams each time" "$first" "$LOST"
lost 6
[[ $first != "$LOST" ]] || fail "every seed loses the same"
ok "another seed loses others"

begin_middle
while IFS='|' read -r wrong why; do
  # shellcheck disable=SC2086 # words
  answer=$(tell $wrong 2>&1) && fail "'$wrong' was taken"
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
holds "what is refused changes nothing" "\$said.received == $COUNT"
