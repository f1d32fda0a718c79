#!/usr/bin/env bash
# A second initiator c, with a's certificate and at another address, takes the link from a. Both ends log
# and count it, and b names the certificate after three takeovers. A restart of a is no takeover.
#
#   PUB_C 198.51.100.2 is the public namespace of c, see stranger.sh.
# shellcheck source-path=SCRIPTDIR source=stranger.sh
source "$(dirname "${BASH_SOURCE[0]}")/stranger.sh"

PRIV_C=rv$$-priv-c
OPTIONS=(--log-format json)
namespace "$PRIV_C"

link_c() {
  mkdir -p "$DIR/c"
  start c "$PUB_C" "$ROUTEVPN" --peer "${PEER[4]}" --peer-name b --ifname rv0 --netns "$PRIV_C" \
    -a 10.255.0.1/30 --cert "$DIR/a.cert" --key "$DIR/a.key" --ca "$DIR/ca.cert" \
    --run-dir "$DIR/c" "${OPTIONS[@]}"
}

# logged a|b FILTER: prints the entries of that log for which the filter of jq is true.
logged() {
  local found
  found=$(jq -c "select($2)" "$DIR/$1.log")
  [[ -n $found ]] && echo "$found"
}
has_takeovers() { (($(show "$1" .takeovers) >= $2)); }
is_up() { [[ $(show "$1" .state) == up ]]; }

two_links "${OPTIONS[@]}"
expect_equal "without a second initiator there is no takeover" "0 0" \
  "$(show a .takeovers) $(show b .takeovers)"
link_c
wait_for has_takeovers a 1 || fail "a does not see that it lost the link"
expect "a logs that it lost the link" logged a \
  '.message == "another gateway with this end'"'"'s certificate took over the link"
   and .certificate == "a"'
expect "a says so as its state" logged a '.reason == "another gateway with the same certificate took over the link"'
expect "b logs both addresses" logged b \
  '.message == "another address took over the link" and .certificate == "a"
   and (.from | startswith("192.0.2.1:")) and (.to | startswith("198.51.100.2:"))'
expect_not "a single takeover is no warning" logged b '.message | startswith("two gateways share")'
wait_for logged b '.message == "two gateways share a certificate: each takes the link from the other"
  and .certificate == "a"' >/dev/null || fail "b does not warn after $(show b .takeovers) takeovers"
expect "b warned after three takeovers" has_takeovers b 3
expect "b stayed up" test "$(show b '"\(.state) \(.flaps)"')" = "up 0"

stop c || fail "c ended with status $?"
wait_for is_up a || fail "a does not come back"
wait_for is_up b || fail "b does not come back"
before=$(show b .takeovers)
stop a KILL || true
link_a "${OPTIONS[@]}"
wait_up a
expect_equal "a restart of a is no takeover" "$before 0" "$(show b .takeovers) $(show a .takeovers)"
stop_links
