#!/usr/bin/env bash
# The session of the first proof-of-concept, word for word, and what is left after either end has stopped.
#
#   vpnc                      "host"                          internet
#   tun0 ......... link ........ tun0
#   10.1.2.230/30                10.1.2.229/30
#   ethc --- 172.30.2.4/30 --- vethc     uplink --- 203.0.113.0/24 --- 45.33.32.156
#   .6                         .5        .1
#
# Its names could be in use on this machine. So the script runs in mount, network and pid namespaces of its
# own. "host" is the network namespace that it starts in.

if [[ -z ${ROUTEVPN_POC_INSIDE:-} ]]; then
  ROUTEVPN_POC_INSIDE=1 exec unshare --mount --net --pid --fork --mount-proc --kill-child \
    bash "$0" "$@"
fi
mount -t tmpfs tmpfs /run

HERE=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$HERE/lib.sh"

mkdir "$DIR/path" "$DIR/poc"
ln -s "$ROUTEVPN" "$DIR/path/routevpn"
PATH=$DIR/path:$PATH
cd "$DIR/poc"

# background NAME COMMAND...: like start(), in this namespace and in a session of its own, as at a terminal.
background() {
  local name=$1
  shift
  setsid "$@" >>"$DIR/$name.log" 2>&1 </dev/null &
  PID[$name]=$!
}

# has_link_locals N [-n NETNS]: N interfaces have a link-local address.
has_link_locals() {
  [[ $(ip "${@:2}" -6 route show table local type local | grep -c '^local fe80:') == "$1" ]]
}

# traces [-n NETNS]: everything that a link can change there.
traces() {
  local -a enter=()
  (($# == 0)) || enter=(ip netns exec "$2")
  ip "$@" -o link
  ip "$@" -4 route show table all
  ip "$@" -6 route show table all
  ip "$@" -4 rule
  ip "$@" -6 rule
  "${enter[@]}" nft list ruleset
  "${enter[@]}" cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding
}
host_is_as_before() { diff "$DIR/host.before" <(traces); }
vpnc_is_as_before() { diff "$DIR/vpnc.before" <(traces -n vpnc); }
runs() { [[ $(pgrep -c -x "$1") == "$2" ]]; }
nothing_runs() { ! pgrep -l -x 'routevpn|routevpn-guard|nft'; }

# --- the session --------------------------------------------------------------------------------

{
  routevpn pki ca
  routevpn pki csr --name 1
  routevpn pki sign --name 1
  routevpn pki csr --name 2
  routevpn pki sign --name 2
} >"$DIR/pki.log"
ok "routevpn pki makes a CA and two certificates"

ip link set lo up
ip netns add vpnc
ip link add vethc type veth peer name ethc
ip link set ethc netns vpnc
ip netns exec vpnc ip a a 172.30.2.6/30 dev ethc
ip netns exec vpnc ip link set ethc up
ip a a 172.30.2.5/30 dev vethc
ip link set vethc up

mkdir bin && cd bin

client() {
  background client ip netns exec vpnc routevpn -c \
    -C ../2.cert \
    -K ../2.key \
    -A ../ca.cert \
    -h 172.30.2.5 \
    -p 3456 \
    -n tun0 \
    -a 10.1.2.230/30
}

server() {
  background server routevpn -s \
    -C ../1.cert \
    -K ../1.key \
    -A ../ca.cert \
    -h 172.30.2.5 \
    -p 3456 \
    -n tun0 \
    -a 10.1.2.229/30
}

route() { ip netns exec vpnc ip route add 45.33.0.0/17 dev tun0; }

# --- a host behind the server -------------------------------------------------------------------

namespace internet
ip link add uplink type veth peer name eth0 netns internet
ip a a 203.0.113.1/24 dev uplink
ip link set uplink up
ip -n internet link set eth0 up
ip -n internet a a 203.0.113.2/24 dev eth0
ip -n internet a a 45.33.32.156/32 dev lo
ip route add default via 203.0.113.2

# Answers each datagram with the source address of it.
start mirror internet python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("45.33.32.156", 7))
while True:
    _, source = s.recvfrom(100)
    s.sendto(source[0].encode(), source)'
seen_as() {
  ip netns exec vpnc python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(0.5)
s.sendto(b"address?", ("45.33.32.156", 7))
print(s.recv(100).decode())'
}
mirrored() { [[ $(seen_as) == "$1" ]]; }

# --- checks -------------------------------------------------------------------------------------

client_is_up() { routevpn show tun0 tun0-2 --wait up --timeout "$DEADLINE_S"; }

# begin TEXT: starts both ends and waits until they are up.
begin() {
  client
  wait_for ip -n vpnc link show tun0 || fail "the client did not start"
  server
  expect "$1: client and server are up" client_is_up
  route
}

# ends client|server SIGNAL STATUS: sends that end the signal: SIGINT to its process group, as a terminal
# does.
ends() {
  local pid=${PID[$1]} status=0
  unset "PID[$1]"
  if [[ $2 == INT ]]; then kill -INT -- "-$pid"; else kill "-$2" "$pid"; fi
  wait "$pid" 2>/dev/null || status=$?
  expect_equal "SIG$2 ends the $1 with $3" "$3" "$status"
}

wait_for has_link_locals 2 || fail "the host's interfaces have no link-local addresses"
wait_for has_link_locals 1 -n vpnc || fail "the client's interface has no link-local address"
traces >"$DIR/host.before"
traces -n vpnc >"$DIR/vpnc.before"
expect_equal "forwarding is off" 0 "$(cat /proc/sys/net/ipv4/ip_forward)"

begin "word for word"
expect "the client pings the server" ip netns exec vpnc ping -c 2 -i 0.1 -W "$DEADLINE_S" 10.1.2.229
expect "the server pings the client" ping -c 2 -i 0.1 -W "$DEADLINE_S" 10.1.2.230
expect "the client warns that any certificate of the CA is accepted" \
  grep -q "any certificate of the CA" "$DIR/client.log"
expect_equal "forwarding is on" 1 "$(cat /proc/sys/net/ipv4/ip_forward)"
expect "the server's nftables table belongs to its process" \
  grep -q 'flags owner' <(nft list table inet routevpn-tun0)
expect "the client reaches a host behind the server" \
  ip netns exec vpnc ping -c 2 -i 0.1 -W "$DEADLINE_S" 45.33.32.156
expect "to which the server's address is the source" wait_for mirrored 203.0.113.1

for signal in TERM INT KILL; do
  [[ $signal == TERM ]] || begin "once more"
  expect "packets are masqueraded" wait_for mirrored 203.0.113.1
  status=0
  [[ $signal != KILL ]] || status=137
  ends server "$signal" "$status"
  expect "nothing of the server is left" wait_for host_is_as_before
  expect "and none of its processes" wait_for runs 'routevpn|routevpn-guard|nft' 1
  ends client "$signal" "$status"
  expect "nothing of the client is left" wait_for vpnc_is_as_before
  expect "no process is left" wait_for nothing_runs
done
