#!/usr/bin/env bash
# ECN through a link as in RFC 6040, and the DSCP of outer packets. A router on the path marks packets.
# The outer addresses are those of lib.sh, with the router between them:
#
#   PUB_A eth0 -------- to-a  ROUTER  to-b -------- eth0 PUB_B
#   192.0.2.1/32, 2001:db8::1/128       192.0.2.2/32, 2001:db8::2/128
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=flows.sh
source "$(dirname "${BASH_SOURCE[0]}")/flows.sh"

HERE=$(dirname "${BASH_SOURCE[0]}")
ROUTER=rv$$-router
EF=46
BURSTS=5
EACH=$((BURSTS * 40)) # packets of each codepoint, as ecn_marks.py sends them
NOT_ECT=0 ECT_1=1 ECT_0=2 CE=3
ALL=("$NOT_ECT" "$ECT_1" "$ECT_0" "$CE")

# leg NETNS IFNAME NUMBER OWN PEER OWN6 PEER6: from a gateway to the router.
leg() {
  wire "$1" eth0 "$ROUTER" "$2"
  ip -n "$1" address add "10.77.$3.1/24" dev eth0
  ip -n "$ROUTER" address add "10.77.$3.2/24" dev "$2"
  ip -n "$1" address add "fd77:$3::1/64" dev eth0 nodad
  ip -n "$ROUTER" address add "fd77:$3::2/64" dev "$2" nodad
  ip -n "$1" address add "$4/32" dev lo
  ip -n "$1" address add "$6/128" dev lo nodad
  ip -n "$ROUTER" route add "$4" via "10.77.$3.1"
  ip -n "$ROUTER" route add "$6" via "fd77:$3::1"
  ip -n "$1" route add "$5" via "10.77.$3.2" src "$4"
  ip -n "$1" route add "$7" via "fd77:$3::2" src "$6"
  # Each datagram is a packet of its own on the wire, and the receiving veth merges them (GRO), because
  # the sending veth does not segment.
  ip -n "$1" link set eth0 gso_max_segs 1
  in_ns "$1" ethtool -K eth0 gro on
  in_ns "$ROUTER" ethtool -K "$2" tso off
}

ip -n "$PUB_A" link delete eth0
namespace "$ROUTER"
in_ns "$ROUTER" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
leg "$PUB_A" to-a 1 192.0.2.1 192.0.2.2 2001:db8::1 2001:db8::2
leg "$PUB_B" to-b 2 192.0.2.2 192.0.2.1 2001:db8::2 2001:db8::1

# router RULE...: the rules of the router for datagrams from A to the port of B.
router() {
  in_ns "$ROUTER" nft -f - <<END
table inet way
delete table inet way
table inet way {
  counter passed { }
  counter marked { }
  counter of_default_class { }
  counter of_ef { }
  counter ect { }
  chain forwarded {
    type filter hook forward priority 0;
    iifname != "to-a" return
    udp dport != $PORT return
    counter name passed
    ip dscp 0 counter name of_default_class
    ip6 dscp 0 counter name of_default_class
    ip dscp ef counter name of_ef
    ip6 dscp ef counter name of_ef
    ip ecn != not-ect counter name ect
    ip6 ecn != not-ect counter name ect
    $(printf '    %s\n' "$@")
  }
}
END
}
# counted COUNTER...: packets since the router got its rules, all read at one moment.
counted() {
  in_ns "$ROUTER" nft -j list counters table inet way |
    jq -r '[.nftables[].counter? // empty | {(.name): .packets}] | add |
      [.[$ARGS.positional[]]] | join(" ")' --args "$@"
}

# marks VERSION BURSTS CODEPOINT...: from a to b over this IP version. MARKS is the report.
marks() {
  local -A own=([4]=10.255.0.1 [6]=2001:db8:ff::) peer=([4]=10.255.0.2 [6]=2001:db8:ff::1)
  MARKS=$(python3 "$HERE/ecn_marks.py" "$PRIV_A" "${own[$1]}" "$PRIV_B" "${peer[$1]}" \
    "$EF" "${@:2}") || fail "ecn_marks.py failed"
}

# expect_marks TEXT VERSION TABLE: a row for each codepoint that is sent, in the order of ALL, with the
# number of packets that arrive with each codepoint. n stands for EACH.
expect_marks() {
  marks "$2" "$BURSTS" "${ALL[@]}"
  expect_equal "$1" "${3//n/$EACH}" "$(jq -c .ecn <<<"$MARKS")"
  expect_equal "$1: the DSCP inside stays" "[$EF]" "$(jq -c .dscp <<<"$MARKS")"
}

not_ect_drops() { show b '.drops.payload_not_ect // 0'; }
tcp_marks_received() { in_ns "$PRIV_A" nstat -asz TcpExtTCPDeliveredCE | awk '/CE/ { print $2 }'; }
datagrams_received() { in_ns "$PUB_B" cat /proc/net/snmp | awk '/^Udp: [0-9]/ { print $2 }'; }
# shellcheck disable=SC2016  # the variables are awk's
datagrams6_received() { in_ns "$PUB_B" awk '/^Udp6InDatagrams/ { print $2 }' /proc/net/snmp6; }

for OUTER in 4 6; do
  ip=ip
  [[ $OUTER == 4 ]] || ip=ip6
  router
  two_links
  for inner in 4 6; do
    text="IPv$inner over IPv$OUTER"
    router
    expect_marks "$text: without marks every packet keeps its codepoint" "$inner" \
      '[[n,0,0,0],[0,n,0,0],[0,0,n,0],[0,0,0,n]]'
    expect_equal "$text: the outer packets have the ECN of the inner ones" $((3 * EACH)) \
      "$(counted ect)"
    expect_equal "$text: but not their DSCP" 0 "$(counted of_ef)"
    router "$ip ecn != not-ect $ip ecn set ce"
    expect_marks "$text: ECN-capable packets get the congestion mark" "$inner" \
      '[[n,0,0,0],[0,0,0,n],[0,0,0,n],[0,0,0,n]]'
    router "$ip ecn ect0 $ip ecn set ect1"
    expect_marks "$text: ECT(1) passes as the second level of a mark" "$inner" \
      '[[n,0,0,0],[0,n,0,0],[0,n,0,0],[0,0,0,n]]'
  done

  # A mark belongs to one datagram, also when the kernel receives several datagrams at once.
  router "$ip ecn ect0 numgen random mod 3 == 0 counter name marked $ip ecn set ce"
  marks 4 25 "$ECT_0"
  marked=$(counted marked)
  ok "$marked of $((25 * 40)) packets were marked"
  expect_equal "over IPv$OUTER: each marked datagram gives one marked packet" \
    "[[0,0,$((25 * 40 - marked)),$marked]]" "$(jq -c .ecn <<<"$MARKS")"

  router
  before=$(($(datagrams_received) + $(datagrams6_received)))
  marks 4 25 "$ECT_0"
  receives=$(($(datagrams_received) + $(datagrams6_received) - before))
  ((receives * 4 < 25 * 40)) || fail "$receives receives for $((25 * 40)) equal datagrams"
  ok "over IPv$OUTER: $((25 * 40)) equal datagrams arrived in $receives receives"

  expect_equal "over IPv$OUTER: nothing was dropped so far" 0 "$(not_ect_drops)"
  router "$ip ecn set ce"
  expect_marks "over IPv$OUTER: a congestion mark drops packets that are not ECN-capable" 4 \
    '[[0,0,0,0],[0,0,0,n],[0,0,0,n],[0,0,0,n]]'
  expect_equal "over IPv$OUTER: and the drops are counted" "$EACH" "$(not_ect_drops)"
  expect_equal "over IPv$OUTER: the link stays up" "up 0" "$(show b '"\(.state) \(.flaps)"')"
  stop_links
done

# The TCP receiver reports the marks to the sender (RFC 3168).
OUTER=4
for space in "$PRIV_A" "$PRIV_B"; do in_ns "$space" sysctl -qw net.ipv4.tcp_ecn=1; done
two_links
router "ip ecn ect0 numgen random mod 100 == 0 counter name marked ip ecn set ce"
transfer "20 MB of TCP" "$PRIV_A" "$PRIV_B" 10.255.0.2 --bytes 20000000
(($(counted marked) > 0)) || fail "the router marked nothing"
(($(tcp_marks_received) > 0)) || fail "of $(counted marked) marks none reached the sender"
ok "the router marked $(counted marked) packets of a TCP stream, and marks reached the sender"
stop_links

# --dscp ------------------------------------------------------------------------------------------
for OUTER in 4 6; do
  router
  two_links --dscp "$EF"
  marks 4 1 "$NOT_ECT" "$ECT_0"
  read -r passed ef default < <(counted passed of_ef of_default_class)
  expect_equal "--dscp $EF over IPv$OUTER: all packets have it, also those of the handshake" \
    "$passed 0" "$ef $default"
  expect_equal "--dscp $EF over IPv$OUTER: they keep their ECN" 40 "$(counted ect)"
  stop_links
  router
  two_links --dscp copy
  marks 4 1 "$NOT_ECT" "$ECT_0"
  read -r passed ef default < <(counted passed of_ef of_default_class)
  expect_equal "--dscp copy over IPv$OUTER: outer packets have the DSCP of the inner one, others have 0" \
    "80 $((passed - 80))" "$ef $default"
  stop_links
done
expect_equal "a value out of range is refused" 2 "$(
  "$ROUTEVPN" --listen 1 --peer-name b --dscp 64 >"$DIR/refused" 2>&1
  echo $?
)"
expect "and the error names the allowed values" grep -qx 'routevpn: --dscp 64: must be 0 to 63, or copy' \
  "$DIR/refused"
