#!/usr/bin/env bash
# Plain DTLS 1.2 peers: openssl s_client and s_server, gnutls-cli and gnutls-serv. Both ends have
# certificates, of each kind, and exchange real IP packets, one per record.
#
# plain_peer.py is an IP host behind a tool: it sends pings and answers pings. gnutls-serv only sends back
# what it receives: echo_peer.py makes packets that are valid in both directions.

HERE=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$HERE/lib.sh"

LARGEST=1400  # inside packet; the MTU of the link is 1435 with AES-GCM over IPv4

# certificates KIND ALGORITHM: certificates for both ends in DIR/KIND.
certificates() {
  local name
  mkdir -p "$DIR/$1"
  cp "$DIR"/ca.* "$DIR/$1"
  for name in a b; do
    "$ROUTEVPN" pki csr --dir "$DIR/$1" --name "$name" --algorithm "$2" >>"$DIR/pki.out"
    "$ROUTEVPN" pki sign --dir "$DIR/$1" --name "$name" >>"$DIR/pki.out"
  done
}

use_certificates() { cp "$DIR/$1"/[ab].{cert,key} "$DIR"; }

has_carrier() { in_ns "$1" cat /sys/class/net/rv0/carrier | grep -qx 1; }
has_no_carrier() { in_ns "$1" cat /sys/class/net/rv0/carrier | grep -qx 0; }
has_ended() { ! kill -0 "${PID[$1]}"; }
logged() { grep -q "$2" "$DIR/$1.log"; }
came_back() { [[ $(show a '.tx.packets - .rx.packets') == 0 ]]; }
reads() { [[ $(show "$1" "$2") == "$3" ]]; }

# tool_a, tool_b COMMAND...: a host behind COMMAND in the place of that end. The host at a sends first.
# The host at b waits for a packet, because its tool loses what it reads before the handshake.
tool_a() {
  : >"$DIR/tool.log"
  start tool "$PUB_A" python3 "$HERE/plain_peer.py" 10.255.0.1 10.255.0.2 2001:db8:ff:: \
    2001:db8:ff::1 "$LARGEST" first -- "$@"
}
tool_b() {
  : >"$DIR/tool.log"
  start tool "$PUB_B" python3 "$HERE/plain_peer.py" 10.255.0.2 10.255.0.1 2001:db8:ff::1 \
    2001:db8:ff:: "$LARGEST" second -- "$@"
}

# pings TEXT: from $space to $peer and $peer6, which exchanges() sets.
pings() {
  expect "$1: ping from the inside of the link, $LARGEST bytes" \
    in_ns "$space" ping -c 3 -i 0.01 -W "$DEADLINE_S" -s $((LARGEST - 28)) "$peer"
  expect "$1: the same over IPv6" \
    in_ns "$space" ping -c 3 -i 0.01 -W "$DEADLINE_S" -s $((LARGEST - 48)) "$peer6"
}

# expect_no_drops LINK TEXT: a slow machine can make either end retransmit its handshake; the answers to
# what was not lost are dropped.
expect_no_drops() {
  expect_equal "$2: no received record of data was dropped" 0 "$(show "$1" \
    '.rx.drops - ([.drops | to_entries[] | select(.key | startswith("handshake_")) | .value] | add // 0)')"
}

# exchanges LINK TEXT: packets pass in both directions, and the link counts no others.
exchanges() {
  local link=$1 text=$2 space sent peer=10.255.0.1 peer6=2001:db8:ff::
  space=$PRIV_B
  [[ $link == a ]] && space=$PRIV_A peer=10.255.0.2 peer6=2001:db8:ff::1
  [[ $link == b ]] || pings "$text"
  wait_for logged tool "^exchanged 10 " || fail "$text: no exchange"
  ok "$text: 10 packets of 28..$LARGEST bytes in both directions, IPv4 and IPv6"
  [[ $link == a ]] || pings "$text"
  sent=$(sed -n 's/^exchanged [0-9]* sent //p' "$DIR/tool.log")
  [[ $link == a ]] || sent=$((sent + 6))
  wait_for reads "$link" .rx.packets "$sent" ||
    fail "$text: the tool sent $sent packets, the link received $(show "$link" .rx.packets)"
  ok "$text: $sent records were $sent packets"
  expect_no_drops "$link" "$text"
}

# is_plain LINK TEXT CIPHER
is_plain() {
  expect_equal "$2: $3, no ALPN" "up true null $3 DTLSv1.2" \
    "$(show "$1" '[.state, .carrier, .alpn, .cipher, .version] | map(tostring) | join(" ")')"
}

TWICE=1  # each tool makes a second session after its first
# accepts TEXT CIPHER COMMAND...: the tool initiates, and ends with close_notify.
accepts() {
  local text=$1 cipher=$2
  shift 2
  link_b
  wait_for has_socket b || fail "$text: link b did not start"
  tool_a "$@"
  wait_up b
  exchanges b "$text"
  is_plain b "$text" "$cipher"
  expect "$text: the interface has carrier" has_carrier "$PRIV_B"
  stop tool || fail "$text: the tool ended with status $?"
  expect "$text: its close_notify takes the carrier off" wait_for has_no_carrier "$PRIV_B"
  expect_equal "$text: and is the reason" "down peer_closed" "$(show b '.state + " " + .reason')"
  if ((TWICE)); then
    tool_a "$@"
    wait_up b
    expect "$text: a second session" wait_for logged tool ^exchanged
    expect_equal "$text: two handshakes" 2 "$(show b .handshakes)"
    stop tool || true
  fi
  stop_links
}

# initiates TEXT CIPHER COMMAND...: the link initiates, and ends with close_notify, which ends the tool.
initiates() {
  local text=$1 cipher=$2
  shift 2
  tool_b "$@"
  link_a --ciphers "$cipher"
  wait_up a
  exchanges a "$text"
  is_plain a "$text" "$cipher"
  expect "$text: the interface has carrier" has_carrier "$PRIV_A"
  stop_links
  expect "$text: it takes the close_notify of the link" wait_for has_ended tool
  ((TWICE)) || return 0
  tool_b "$@"
  link_a --ciphers "$cipher"
  wait_up a
  expect "$text: a second session" in_ns "$PRIV_A" ping -c 1 -W "$DEADLINE_S" 10.255.0.2
  stop_links
  stop tool || true
}

# -quiet: no text among the packets. -no_ign_eof: the end of the input sends a close_notify.
s_client=(openssl s_client -dtls1_2 -connect "192.0.2.2:$PORT" -verify_hostname b -quiet -no_ign_eof
  -cert "$DIR/a.cert" -key "$DIR/a.key" -CAfile "$DIR/ca.cert" -verify_return_error)
gnutls_cli=(gnutls-cli --udp --mtu 1500 --port "$PORT" --verify-hostname b --sni-hostname b
  --x509cafile "$DIR/ca.cert" --x509certfile "$DIR/a.cert" --x509keyfile "$DIR/a.key"
  --logfile "$DIR/gnutls-cli.log" 192.0.2.2)
s_server=(openssl s_server -dtls1_2 -naccept 1 -accept "192.0.2.2:$PORT" -listen -Verify 1 -quiet
  -cert "$DIR/b.cert" -key "$DIR/b.key" -CAfile "$DIR/ca.cert" -verify_return_error)

# gnutls-serv sends every record back in parts of 254 bytes, the size of its buffer.
SERV_LARGEST=254
start_gnutls_serv() {
  : >"$DIR/tool.log"
  start tool "$PUB_B" stdbuf -oL gnutls-serv --udp --mtu 1500 --port "$PORT" --require-client-cert \
    --verify-client-cert --x509cafile "$DIR/ca.cert" --x509certfile "$DIR/b.cert" \
    --x509keyfile "$DIR/b.key"
}

# echoes TEXT CIPHER
echoes() {
  local text=$1 cipher=$2
  start_gnutls_serv
  link_a --ciphers "$cipher"
  wait_up a
  expect "$text: packets of 28..$SERV_LARGEST bytes in both directions, IPv4 and IPv6" \
    in_ns "$PRIV_A" python3 "$HERE/echo_peer.py" 10.255.0.1 10.255.0.2 2001:db8:ff:: \
      2001:db8:ff::1 "$SERV_LARGEST"
  is_plain a "$text" "$cipher"
  expect "$text: the interface has carrier" has_carrier "$PRIV_A"
  expect_no_drops a "$text"
  expect "$text: as many packets were received as sent" wait_for came_back
  stop_links
  expect "$text: it takes the close_notify of the link" wait_for logged tool EOF
  stop tool || true
}

certificates p256 p256
certificates rsa rsa3072
certificates ed25519 ed25519

use_certificates p256
accepts "s_client, ECDSA" ECDHE-ECDSA-CHACHA20-POLY1305 \
  "${s_client[@]}" -cipher ECDHE-ECDSA-CHACHA20-POLY1305
accepts "gnutls-cli, ECDSA" ECDHE-ECDSA-AES256-GCM-SHA384 "${gnutls_cli[@]}"
initiates "s_server, ECDSA" ECDHE-ECDSA-AES128-GCM-SHA256 "${s_server[@]}"
echoes "gnutls-serv, ECDSA" ECDHE-ECDSA-CHACHA20-POLY1305

TWICE=0
use_certificates rsa
accepts "s_client, RSA" ECDHE-RSA-AES256-GCM-SHA384 "${s_client[@]}"
accepts "gnutls-cli, RSA" ECDHE-RSA-AES256-GCM-SHA384 "${gnutls_cli[@]}"
initiates "s_server, RSA" ECDHE-RSA-CHACHA20-POLY1305 "${s_server[@]}"
echoes "gnutls-serv, RSA" ECDHE-RSA-AES128-GCM-SHA256

use_certificates ed25519
accepts "s_client, Ed25519" ECDHE-ECDSA-AES256-GCM-SHA384 "${s_client[@]}"
accepts "gnutls-cli, Ed25519" ECDHE-ECDSA-AES256-GCM-SHA384 "${gnutls_cli[@]}"
echoes "gnutls-serv, Ed25519" ECDHE-ECDSA-AES256-GCM-SHA384
# With an Ed25519 certificate of its own s_server finds no suite in DTLS 1.2. It accepts one of its peer.
cp "$DIR"/p256/b.{cert,key} "$DIR"
initiates "s_server, Ed25519 at the link" ECDHE-ECDSA-AES256-GCM-SHA384 "${s_server[@]}"
