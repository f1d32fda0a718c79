#!/usr/bin/env bash
# A link under attack: bad records with the forged address and port of the peer, and handshakes of
# strangers. Each datagram is dropped or refused and counted under its reason. The link does not change.
#
#   PRIV_A       PUB_A                      PUB_B                  PUB_C: strangers
#   rv0 ......... eth0 --- 192.0.2.0/24 --- eth0   eth1 ---------- eth0
#                  .1                        .2      198.51.100.1   198.51.100.2  allowed
#                                                                   203.0.113.2   not allowed
#
# PUB_B accepts any source address from eth1, so that PUB_C can send with the address of PUB_A.

HERE=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=stranger.sh
source "$HERE/stranger.sh"
# shellcheck source-path=SCRIPTDIR source=dated_certificates.sh
source "$HERE/dated_certificates.sh"
# shellcheck source-path=SCRIPTDIR source=flows.sh
source "$HERE/flows.sh"

ALLOW=(--allow 192.0.2.0/24 --allow 198.51.100.0/24)
TIMES=(--dead-after 60000) # longer than the records of a are held back below
GATEWAY=(192.0.2.2 "$PORT")
FLOOD=20000
MOST_GROWTH_KIB=256

ip -n "$PUB_B" route add 203.0.113.2/32 dev eth1
ip -n "$PUB_C" address add 203.0.113.2/32 dev eth0

# Each record of a is a datagram of its own on the wire.
ip -n "$PUB_A" link set eth0 gso_max_segs 1

from_c() { in_ns "$PUB_C" python3 "$HERE/strangers.py" "$@"; }

# --- counting -----------------------------------------------------------------------------------


COUNTED_DROPS='(.drops | del(.handshake_timed_out))'

# costs a|b NETNS ATTACK...: the drops that the attack announces are all drops at that end. Half-open
# handshakes of an earlier attack can time out meanwhile.
costs() {
  local link=$1 space=$2 wanted reason number what
  shift 2
  wanted=$(show "$link" "$COUNTED_DROPS | tojson")
  in_ns "$space" python3 "$HERE/strangers.py" "$@" >"$DIR/attack.out"
  # shellcheck disable=SC2016 # the variables are jq's
  wanted=$(jq -cnR --argjson wanted "$wanted" 'reduce (inputs | split(" ")) as [$reason, $number]
    ($wanted; .[$reason] += ($number | tonumber))' "$DIR/attack.out")
  wait_for show_is "$link" "$COUNTED_DROPS == $wanted" ||
    fail "$link: wanted $wanted, got $(show "$link" "$COUNTED_DROPS | tojson")"
  while read -r reason number what; do ok "$link: $number $what: $reason"; done <"$DIR/attack.out"
}
show_is() { show "$1" "$2" | grep -qx true; }

# What an attack must not change.
state_of() {
  show "$1" '[.state, .carrier, .handshakes, .rekeys, .flaps, .roams, .remote] | tojson'
  in_ns "$2" cat /sys/class/net/rv0/carrier_changes
}
state() { state_of a "$PRIV_A"; state_of b "$PRIV_B"; }
untouched() { expect_equal "the link has not changed: $1" "$STATE" "$(state)"; }

rss_kib() { awk '/^VmRSS/ { print $2 }' "/proc/${PID[$1]}/status"; }
fds() { find "/proc/${PID[$1]}/fd" -mindepth 1 | wc -l; }

# record COUNT BYTES: writes the next COUNT records of a with BYTES bytes (0: any) to DIR/records.
record() {
  : >"$DIR/record.err"
  in_ns "$PUB_A" python3 "$HERE/strangers.py" record eth0 "$PORT" "$@" \
    >"$DIR/records" 2>"$DIR/record.err" &
  PID[recorder]=$!
  wait_for grep -q ready "$DIR/record.err" || fail "the recorder does not start"
}
recorded() {
  local status=0
  wait "${PID[recorder]}" || status=$?
  unset "PID[recorder]"
  ((status == 0)) || fail "the recorder: $(<"$DIR/record.err")"
}

# pings_lost_nothing: stops the pings, after their last answers.
pings_lost_nothing() {
  kill -TERM "${PID[pings]}"
  pings_are "no ping was lost meanwhile" "$ALL_ANSWERED and .sent > 0"
}

# --- a live link --------------------------------------------------------------------------------

link_b "${ALLOW[@]}" "${TIMES[@]}"
wait_for has_socket b || fail "link b did not start"
link_a "${TIMES[@]}"
wait_up a
wait_up b
peer_port=$(show b '.remote | split(":")[1]')
AS_A=(192.0.2.1 "$peer_port" "${GATEWAY[@]}")
AS_B=("${GATEWAY[@]}" 192.0.2.1 "$peer_port")
STATE=$(state)
start_pings "$PRIV_A" 10.255.0.2 0 20

# --- bad records, from the peer's address -------------------------------------------------------

attack_with_records() {
  record 40 0
  recorded
  costs b "$PUB_C" records "${AS_A[@]}" 50 "$DIR/records"
  costs a "$PUB_B" records "${AS_B[@]}" 50 /dev/null
  costs b "$PUB_C" huge 198.51.100.2 "${GATEWAY[@]}" 5
  costs b "$PUB_C" cut "${AS_A[@]}" 16
}
attack_with_records
untouched "bad records from the peer's own address"

# --- strangers' handshakes ----------------------------------------------------------------------

expect_equal "a stranger with an allowed address gets a HelloVerifyRequest" answered \
  "$(from_c ask 198.51.100.2 "${GATEWAY[@]}" "$DEADLINE_S")"
costs b "$PUB_C" hellos 203.0.113.2 4000 "${GATEWAY[@]}" 16
expect_equal "a stranger with another address gets no answer" silence \
  "$(from_c ask 203.0.113.2 "${GATEWAY[@]}" 0.5)"

flood() {
  from_c flood 198.51.100.2 "${GATEWAY[@]}" "$FLOOD"
  expect "after $FLOOD ClientHellos without cookie the acceptor answers" wait_for is_answered
}
is_answered() { [[ $(from_c ask 198.51.100.2 "${GATEWAY[@]}" 0.5) == answered ]]; }
flood
untouched "a flood of ClientHellos"
before=$(drops a handshake_unexpected)
from_c hellos "${AS_A[@]}" 16 >"$DIR/attack.out"
expect "16 ClientHellos with the address of the peer: the peer drops the answers" \
  wait_for drops_are a handshake_unexpected $((before + 16))
untouched "ClientHellos with the address of the peer"

# refuses TEXT OPTION...: the acceptor refuses the certificate of s_client.
refuses() {
  local text=$1 before
  shift
  before=$(drops b certificate_refused)
  if in_ns "$PUB_C" timeout "$DEADLINE_S" openssl s_client -dtls1_2 -connect "192.0.2.2:$PORT" "$@" \
    -CAfile "$DIR/ca.cert" -quiet </dev/null >"$DIR/s_client.out" 2>&1; then
    fail "$text: accepted"
  fi
  wait_for drops_are b certificate_refused $((before + 1)) ||
    fail "$text: not counted; output of s_client: $(<"$DIR/s_client.out")"
  ok "$text: certificate_refused"
}
mkdir "$DIR/other"
{
  "$ROUTEVPN" pki ca --dir "$DIR/other" --name "another CA"
  "$ROUTEVPN" pki csr --dir "$DIR/other" --name a
  "$ROUTEVPN" pki sign --dir "$DIR/other" --name a
} >"$DIR/pki.out"
make_certificates c
make_expired a "$DIR/expired.cert"
refuses "a certificate of another CA" -cert "$DIR/other/a.cert" -key "$DIR/other/a.key"
refuses "a certificate of another name" -cert "$DIR/c.cert" -key "$DIR/c.key"
refuses "an expired certificate" -cert "$DIR/expired.cert" -key "$DIR/a.key"
refuses "no certificate"
untouched "strangers with certificates"

# Half-open handshakes: the rate of one source is limited, then the number of one network.
limited_before=$(drops b handshake_rate_limited)
refused_before=$((limited_before + $(drops b handshake_half_open)))
timed_out_before=$(drops b handshake_timed_out)
from_c half 198.51.100.2 "${GATEWAY[@]}" 60 0
is_limited() { (($(drops b handshake_rate_limited) > limited_before)); }
expect "60 handshakes at once: most are too many from one source" wait_for is_limited
from_c half 198.51.100.2 "${GATEWAY[@]}" 20 0.06
keeps_four() {
  (($(drops b handshake_rate_limited) + $(drops b handshake_half_open) == refused_before + 80 - 4)) &&
    (($(drops b handshake_half_open) > 0))
}
expect "of 80 half-open handshakes of one network 4 are kept" wait_for keeps_four
untouched "half-open handshakes"

# --- reordered and duplicated records: each is accepted once ------------------------------------

pings_lost_nothing

pings=10
# An AES-GCM record with a ping: record header, explicit nonce, IP header, ICMP header, data, tag.
ping_bytes=$((13 + 8 + 20 + 8 + 56 + 16))
# PUB_B drops all datagrams of a, and counts those with the record of a ping.
in_ns "$PUB_B" nft -f - <<END
table inet hold {
  counter held { }
  chain incoming {
    type filter hook input priority 0
    iifname "eth0" udp dport $PORT udp length $((8 + ping_bytes)) counter name held
    iifname "eth0" udp dport $PORT drop
  }
}
END
holds_all() {
  in_ns "$PUB_B" nft -j list counter inet hold held |
    jq -e ".nftables[].counter? // empty | .packets >= $pings"
}
record "$pings" "$ping_bytes"
start_pings "$PRIV_A" 10.255.0.2 "$pings" 0
recorded
wait_for holds_all || fail "not all pings arrived at b"
in_ns "$PUB_B" nft delete table inet hold
packets=$(show b .rx.packets)
costs b "$PUB_C" flipped "${AS_A[@]}" "$DIR/records"
costs b "$PUB_C" again "${AS_A[@]}" "$DIR/records"
has_accepted() { (($(show b .rx.packets) == packets + pings)); }
expect "each of the records was accepted once" wait_for has_accepted
pings_are "every ping was answered, none twice" "$ALL_ANSWERED and .sent == $pings"
untouched "reordered and duplicated records"

# --- nothing grows ------------------------------------------------------------------------------

start_pings "$PRIV_A" 10.255.0.2 0 20
memory=$(rss_kib b) files=$(fds b)
attack_with_records
flood
grown=$(($(rss_kib b) - memory))
((grown <= MOST_GROWTH_KIB)) || fail "the process has grown by $grown KiB, from $memory"
ok "the process has grown by $grown KiB since the first attacks"
expect_equal "and has as many file descriptors" "$files" "$(fds b)"
pings_lost_nothing
expect "half-open handshakes time out" \
  wait_for drops_are b handshake_timed_out $((timed_out_before + 4))
untouched "all attacks"
stop_links
