#!/usr/bin/env bash
# Traffic through a link: ping, TCP in one and in both directions and in 50 streams, UDP; IPv4 and IPv6
# inside over IPv4 and IPv6 outside; each cipher suite and crypto backend; and during rekeys.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=flows.sh
source "$(dirname "${BASH_SOURCE[0]}")/flows.sh"
# shellcheck source-path=SCRIPTDIR source=counting.sh
source "$(dirname "${BASH_SOURCE[0]}")/counting.sh"

# answers TEXT ADDRESS
answers() {
  start_pings "$PRIV_A" "$2" 20 5
  pings_are "$1: 20 pings, 20 answers" "$ALL_ANSWERED and .sent == 20"
}

# tcp TEXT NETNS ADDRESS LEAST OPTION...: iperf3 from a to ADDRESS, until it has sent --bytes. The
# interface rv0 in NETNS receives at least LEAST bytes: what is in the socket buffers when iperf3 has sent
# the last byte, some MB for each stream, is discarded.
tcp() {
  local text=$1 space=$2 address=$3 least=$4 before
  shift 4
  before=$(received_bytes "$space")
  transfer "$text: TCP${*:+ $*}" "$PRIV_A" "$PRIV_B" "$address" "$@"
  (($(received_bytes "$space") - before >= least)) ||
    fail "$text: TCP${*:+ $*}: rv0 received fewer than $least bytes"
}

# udp TEXT up|down ADDRESS: 500 datagrams at 1 kHz, each of them arrives once and as it was sent.
udp() {
  count "$2" "$3:9000" --count 500 --bytes 1200
  counted "$2"
  expect_report "$1: UDP $2, nothing lost" "$2" \
    '.received == 500 and .duplicated + .corrupted + .foreign == 0'
}

# battery TEXT ADDRESS OWN: traffic of each kind. ADDRESS is that of b, OWN that of a.
battery() {
  local bracketed=$2 own=$3
  [[ $2 != *:* ]] || bracketed="[$2]" own="[$3]"
  answers "$1" "$2"
  tcp "$1" "$PRIV_B" "$2" 50000000 --bytes 100000000
  tcp "$1" "$PRIV_A" "$2" 50000000 --bytes 100000000 --reverse
  tcp "$1" "$PRIV_B" "$2" 1000000 --bytes 100000000 --parallel 50
  # iperf3 stops both directions when one of them has sent its bytes.
  tcp "$1" "$PRIV_B" "$2" 1000000 --bytes 50000000 --bidir
  udp "$1" up "$bracketed"
  udp "$1" down "$own"
}

kept_up() {
  local end
  for end in a b; do
    expect_equal "end $end stayed up" "up 0" "$(show $end '"\(.state) \(.flaps)"')"
  done
}

for OUTER in 4 6; do
  two_links
  battery "IPv4 over IPv$OUTER" 10.255.0.2 10.255.0.1
  battery "IPv6 over IPv$OUTER" 2001:db8:ff::1 2001:db8:ff::
  kept_up
  stop_links
done

# Only OpenSSL implements ChaCha20-Poly1305.
OUTER=4
for pair in AES128-GCM-SHA256:{openssl,auto} AES256-GCM-SHA384:{openssl,auto} \
  CHACHA20-POLY1305:auto; do
  suite=ECDHE-ECDSA-${pair%:*} crypto=${pair#*:}
  two_links --ciphers "$suite" --crypto "$crypto"
  expect_equal "cipher in use" "$suite" "$(show a .cipher)"
  [[ $crypto == auto ]] || expect_equal "crypto in use" openssl "$(show a .crypto)"
  answers "$suite, $crypto" 10.255.0.2
  tcp "$suite, $crypto" "$PRIV_B" 2001:db8:ff::1 25000000 --bytes 50000000
  tcp "$suite, $crypto" "$PRIV_A" 10.255.0.2 25000000 --bytes 50000000 --reverse
  stop_links
done

# Rekeys under a stream of pings.
two_links
rekeyed() { [[ $(show a .rekeys) == "$1" && $(show b .rekeys) == "$1" ]]; }
start_pings "$PRIV_A" 10.255.0.2 0 2
for rekeys in 1 2 3 4 5; do
  kill -HUP "${PID[a]}"
  wait_for rekeyed "$rekeys" || fail "no rekey $rekeys"
done
kill -TERM "${PID[pings]}"
pings_are "pings during 5 rekeys, all of them answered" "$ALL_ANSWERED and .sent > 0"
kept_up
