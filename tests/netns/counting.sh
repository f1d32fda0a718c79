# shellcheck shell=bash
# Streams of numbered datagrams through the link of lib.sh, in the background. Source this after lib.sh.
#
#   COUNTED   the program `counted` (counted of PATH)

COUNTED=$(command -v "${COUNTED:-counted}") || fail "COUNTED is not a program"

declare -A PID # lib.sh's

# count up|down ADDRESS:PORT OPTION...: inside, from a to b (up) or from b to a (down).
count() {
  local way=$1 address=$2 from=$PRIV_A to=$PRIV_B
  [[ $way == up ]] || { from=$PRIV_B; to=$PRIV_A; }
  shift 2
  "$COUNTED" --from "$from" --to "$to" "$@" "$address" >"$DIR/count-$way.json" \
    2>"$DIR/count-$way.log" </dev/null &
  PID[count-$way]=$!
}

arrives() { grep -q arrived "$DIR/count-$1.log"; }

# stop_counting WAY...: ends the streams. Each gets SIGTERM before the first wait.
stop_counting() {
  local way
  for way in "$@"; do kill -TERM "${PID[count-$way]}"; done
  for way in "$@"; do counted "$way"; done
}

# counted up|down: waits until that stream has ended.
counted() {
  wait "${PID[count-$1]}" || fail "counted failed: $(<"$DIR/count-$1.log")"
  unset "PID[count-$1]"
}

# report up|down FILTER: its report, through a jq filter.
report() { jq -r "$2" "$DIR/count-$1.json"; }

# expect_report TEXT up|down FILTER: the filter gives true.
expect_report() {
  jq -e "$3" "$DIR/count-$2.json" >"$DIR/count.out" ||
    fail "$1: not $3"$'\n'"$(jq '.outages |= .[:10]' "$DIR/count-$2.json")"
  ok "$1"
}
