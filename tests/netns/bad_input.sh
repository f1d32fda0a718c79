#!/usr/bin/env bash
# Starts that fail. Each prints one line that names the option, the file or the line, and what is allowed.
# The status is 2 for a wrong option or file. It is 1 for a failure of the system, and for a fault that ends
# without a change of the options: then the service manager starts the link again. Nothing is left behind.

HERE=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$HERE/lib.sh"
# shellcheck source-path=SCRIPTDIR source=dated_certificates.sh
source "$HERE/dated_certificates.sh"

cd "$DIR"
FIRST=()  # a command that runs the program, such as setpriv

# Everything that a start can leave behind.
traces() {
  ip -n "$PUB_A" -o link
  ip -n "$PUB_A" rule
  ip -n "$PRIV_A" -o link
  in_ns "$PRIV_A" nft list ruleset
  ip netns pids "$PUB_A"
  ip netns pids "$PRIV_A"
  ls run 2>/dev/null || true
}

# refused STATUS WANTED COMMAND...: ends with STATUS and the one line "routevpn: WANTED", a pattern.
# Before it there can be a warning about the size of the socket buffers.
refused() {
  local status=0 wanted=$2 line
  local -i expected=$1
  shift 2
  timeout "$DEADLINE_S" ip netns exec "$PUB_A" "${FIRST[@]}" "$@" >refused.out 2>refused.err || status=$?
  line=$(grep -v '^warning: the UDP socket' refused.err || true)
  # shellcheck disable=SC2053 # it is a pattern
  [[ $line == routevpn:\ $wanted && $line != *$'\n'* ]] ||
    fail "wanted: routevpn: $wanted"$'\n'"got: $line"
  [[ $status == "$expected" && ! -s refused.out ]] ||
    fail "wanted status $expected, got $status: $line$(<refused.out)"
  diff traces.before <(traces) >refused.diff || fail "left behind: $(<refused.diff)"
  ok "$expected ${line#routevpn: }"
}

# start_is STATUS WANTED OPTION...: `refused` for a link whose other options are good. An option that is
# given replaces the good one.
good_option() {
  case $1 in
    --peer) echo 192.0.2.2 ;;
    --peer-name) echo b ;;
    --ifname) echo rv0 ;;
    --netns) echo "$PRIV_A" ;;
    --address) echo 10.255.0.1/30 ;;
    --cert) echo a.cert ;;
    --key) echo a.key ;;
    --ca) echo ca.cert ;;
    --run-dir) echo run ;;
  esac
}
start_is() {
  local status=$1 wanted=$2 option
  local -a options=()
  shift 2
  for option in --peer --peer-name --ifname --netns --address --cert --key --ca --run-dir; do
    [[ " $* " == *" $option "* || ($option == --peer && " $* " =~ \ --(listen|server)\ ) ]] ||
      options+=("$option" "$(good_option "$option")")
  done
  refused "$status" "$wanted" "$ROUTEVPN" "${options[@]}" "$@"
}

# config_is WANTED LINE: `refused` for a configuration file whose third line is LINE and whose other lines
# are good.
config_is() {
  cat >link.conf <<END
peer-name = b
netns = $PRIV_A
$2
cert = a.cert
key = a.key
ca = ca.cert
run-dir = run
END
  [[ $2 == *peer\ =* ]] || echo "peer = 192.0.2.2" >>link.conf
  refused 2 "link.conf:3: $1" "$ROUTEVPN" --config link.conf
  refused 2 "link.conf:3: $1" "$ROUTEVPN" check --config link.conf
}

# --- the files that the checks use --------------------------------------------------------------

chmod 755 "$DIR"  # some starts run without root
mkdir run run.d other
touch run/file
(umask 077 && echo "no certificate, no key" >noise.pem)
head -n 3 a.cert >torn.pem
cp a.key open.key
chmod 644 open.key
openssl pkey -in a.key -aes256 -passout pass:secret -out locked.key
openssl req -x509 -newkey rsa:1024 -nodes -subj /CN=weak -keyout weak.key -out weak.cert \
  >pki.out 2>&1
make_expired a expired.cert
{
  "$ROUTEVPN" pki ca --dir other --name "another CA"
  "$ROUTEVPN" pki csr --dir other --name x
  "$ROUTEVPN" pki sign --dir other --name x
  "$ROUTEVPN" pki revoke --dir other --name x
} >pki.out
chmod 640 other/ca.key
cat ca.cert other/ca.cert >two.cert
"$ROUTEVPN" pki revoke --dir . >>pki.out
printf '#!/bin/sh\n' >hook
chmod 757 hook
mkdir open.d foreign.d
for option in cert:a.cert key:a.key ca:ca.cert crl:ca.crl; do
  for place in open.d/ foreign.d/ foreign. shared.; do cp -p "${option#*:}" "$place${option%:*}"; done
done
chmod 777 open.d
chown 65534 foreign.d foreign.{cert,key,ca,crl}
chmod 664 shared.*
cp a.key foreign.key
chown 65534 foreign.key
start holder "$PUB_A" python3 -c '
import signal, socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("192.0.2.1", 7001))
signal.pause()'
holds_port() { in_ns "$PUB_A" ss -lunH "sport = :7001" | grep -q .; }
wait_for holds_port || fail "port 7001 is not in use"
traces >traces.before

# --- the command line ---------------------------------------------------------------------------

refused 2 "unknown command 'star'; the commands are show, check, reload, doctor, pki, plan, apply and completion*" "$ROUTEVPN" star
start_is 2 "unknown option --dead-affter*--dead-after*" --dead-affter 5000
start_is 2 "unknown option -x" -x
start_is 2 "unexpected argument 'extra'" extra
start_is 2 "--nat takes no value" --nat=1
start_is 2 "--mtu needs a value: N|auto" --mtu
start_is 2 "--fwmark is given more than once" --fwmark 1 --fwmark 2

start_is 2 "--client: excludes --server" --server --client --host 192.0.2.1
start_is 2 "--listen: has the same meaning as --server; give one of them" --server --listen 7000
start_is 2 "--port: needs --client or --server" --port 7000
start_is 2 "--allow: needs a link that waits for its peer*" --allow 192.0.2.0/24
start_is 2 "--table: needs --route" --table 51
start_is 2 "--dead-after: 500 must be greater than keepalive, 1000 milliseconds" --dead-after 500
start_is 2 "--listen: 2001:db8::1 cannot reach the peer 192.0.2.2, *other IP version" \
  --peer 192.0.2.2 --listen "[2001:db8::1]:7000"
start_is 2 "--mtu: 1000 is too small for IPv6 (2001:db8:ff::/127), which needs at least 1280" \
  --mtu 1000 --address 2001:db8:ff::/127

start_is 2 "--peer 192.0.2.300: is not an IPv4 address" --peer 192.0.2.300
start_is 2 "--peer 192.0.2.2:0: port must be 1 to 65535" --peer 192.0.2.2:0
start_is 2 "--peer 2001:db8::2:7754: needs its IPv6 address in brackets*" --peer 2001:db8::2:7754
start_is 2 "--listen 65536: port must be 1 to 65535" --listen 65536
start_is 2 "--address 10.255.0.1: must be ADDRESS/LENGTH*" --address 10.255.0.1
start_is 2 "--address 10.255.0.1/33: must be ADDRESS/LENGTH*" --address 10.255.0.1/33
start_is 2 "--address 2001:db8:ff::g/127: must be ADDRESS/LENGTH*" --address 2001:db8:ff::g/127
start_is 2 "--address 224.0.0.1/30: cannot be the address of an interface: it is a multicast *" --address 224.0.0.1/30
start_is 2 "--address 10.255.0.0/30: cannot be the address of an interface: it is the address of its network" \
  --address 10.255.0.0/30
start_is 2 "--address 10.255.0.3/30: cannot be the address of an interface: it is the broadcast address of its network" \
  --address 10.255.0.3/30
start_is 2 "--address 2001:db8:ff::/64: cannot be the address of an interface: it is the subnet-router anycast *" \
  --address 2001:db8:ff::/64
start_is 2 "--address: 10.255.0.1 is given twice" --address 10.255.0.1/30 --address 10.255.0.1/24
start_is 2 "--route 10.1.2.3/8: has bits behind its length; the network is 10.0.0.0/8" \
  --route 10.1.2.3/8
start_is 2 "--mtu 100: must be 576 to * bytes, or auto" --mtu 100
start_is 2 "--keepalive soon: must be 10 to 600000 milliseconds" --keepalive soon
start_is 2 "--rekey 1: must be 10 to 86400 seconds" --rekey 1
start_is 2 "--crypto rot13: must be auto, openssl or ipsec-mb" --crypto rot13
start_is 2 "--ciphers: 'AES128-SHA' is not allowed; allowed are *GCM*" --ciphers AES128-SHA
start_is 2 "--log-level loud: must be error, warning, info or debug" --log-level loud
start_is 2 "--ifname tun/0: must be 1 to 15 letters, digits, '_', '.' and '-'*" --ifname tun/0
start_is 2 "--ifname sixteen-letters.: must be 1 to 15 letters*" --ifname sixteen-letters.
start_is 2 "--peer-name : must not be empty" --peer-name ""
start_is 2 "--run-dir: together with the link's name it must not be longer than * characters*" \
  --run-dir "$(printf 'x%.0s' {1..100})"

# --- files --------------------------------------------------------------------------------------

for option in cert key ca crl; do
  start_is 2 "--$option none.pem: cannot be read: No such file or directory" "--$option" none.pem
  start_is 2 "--$option run.d: not a regular file" "--$option" run.d
  start_is 2 "--$option noise.pem: not PEM: it must hold -----BEGIN *-----" "--$option" noise.pem
done
start_is 2 "--cert torn.pem: damaged after -----BEGIN CERTIFICATE-----" --cert torn.pem
start_is 2 "--key b.key: not the key of the certificate a.cert" --key b.key
start_is 2 "--key open.key: mode is 0644; must be readable by its owner alone (chmod 600 open.key)" \
  --key open.key
start_is 2 "--key locked.key: encrypted keys are not supported*" --key locked.key
start_is 1 "--cert expired.cert: expired on 2020-02-01" --cert expired.cert --key a.key
start_is 2 "--cert weak.cert: has an RSA key of 1024 bits; links accept *" \
  --cert weak.cert --key weak.key
start_is 2 "--cert other/x.cert: not issued by a CA of --ca ca.cert: its issuer is CN=another CA" \
  --cert other/x.cert --key other/x.key
start_is 2 "--peer-name a: is the name of our own certificate, a.cert; it must be the peer's" --peer-name a
start_is 2 "--ca b.cert: holds no CA certificate (basicConstraints must say CA:TRUE)" --ca b.cert
start_is 2 "--crl other/ca.crl: not signed by a CA of --ca*" --crl other/ca.crl
start_is 2 "--crl other/ca.crl: has no CRL of the CA CN=*; it must hold one of each CA of --ca" \
  --ca two.cert --crl other/ca.crl

# Files that another user can change. The mode of open.d is 0777, and user 65534 owns foreign.d.
for option in cert key ca crl; do
  start_is 2 "--$option foreign.d/$option: in */foreign.d/: owner is user 65534; must be root (chown)" \
    "--$option" "foreign.d/$option"
  start_is 2 "--$option open.d/$option: in */open.d/: mode is 0777; must be writable by its owner alone (chmod go-w */open.d/)" \
    "--$option" "open.d/$option"
  start_is 2 "--$option foreign.$option: owner is user 65534; must be root (chown)" \
    "--$option" "foreign.$option"
done
for option in cert ca crl; do
  start_is 2 "--$option shared.$option: mode is 0664; must be writable by its owner alone (chmod go-w shared.$option)" \
    "--$option" "shared.$option"
done
start_is 2 "--on-state ./hook: mode is 0757; must be writable by its owner alone (chmod go-w ./hook)" \
  --on-state "./hook up"
refused 2 "other/ca.key: mode is 0640; must be readable by its owner alone (chmod 600 other/ca.key)" \
  "$ROUTEVPN" pki sign --dir other --name x --force
refused 2 "--dir open.d: mode is 0777; must be writable by its owner alone (chmod go-w open.d)" \
  "$ROUTEVPN" pki list --dir open.d

# --- resources of the system --------------------------------------------------------------------

start_is 1 "--netns none: no such network namespace*" --netns none
start_is 1 "--netns /dev/null: no such network namespace*" --netns /dev/null
start_is 1 "--public-netns none: no such network namespace*" --public-netns none
start_is 2 "interface lo: the name is taken" --ifname lo
start_is 2 "--listen 192.0.2.1:7001: port 7001 is in use" --listen 192.0.2.1:7001
start_is 1 "--listen 192.0.2.9:7000: 192.0.2.9 is not an address of this network namespace, or is still tentative" \
  --listen 192.0.2.9:7000
start_is 2 "route 10.7.0.0/16*" --route 10.7.0.0/16 --route 10.7.0.0/16
start_is 1 "--run-dir run/file: Not a directory" --run-dir run/file

FIRST=(setpriv --bounding-set=-net_admin)
start_is 1 "interface rv0: making it needs CAP_NET_ADMIN*"
FIRST=(setpriv --reuid=65534 --regid=65534 --clear-groups)
start_is 2 "--key a.key: cannot be read: Permission denied"
start_is 1 "entering a network namespace (needs CAP_SYS_ADMIN)*" --key foreign.key
start_is 1 "@(/dev/net/tun: Permission denied|interface rv0: making it needs CAP_NET_ADMIN*)" \
  --key foreign.key --netns /proc/self/ns/net
FIRST=()

# --- configuration files ------------------------------------------------------------------------

config_is "unknown option 'keepalve'*keepalive*" "keepalve = 500"
config_is "expected 'name = value'" "nat"
config_is "nat = true: must be yes or no" "nat = true"
config_is "mtu = big: must be 576 to * bytes, or auto" "mtu = big"
config_is "address = 10.255.0.1: must be ADDRESS/LENGTH*" "address = 10.255.0.1"
config_is "peer = 192.0.2.2:99999: port must be 1 to 65535" "peer = 192.0.2.2:99999"
config_is "on-state has no closing quote" 'on-state = "logger'
config_is "netns is set already in line 2" "netns = x"
config_is "config belongs on the command line" "config = other.conf"
config_is "table: needs --route" "table = 51"
chmod 664 link.conf
refused 2 "link.conf: mode is 0664; must be writable by its owner alone (chmod go-w link.conf)" \
  "$ROUTEVPN" --config link.conf
chmod 644 link.conf
chown 65534 link.conf
refused 2 "link.conf: owner is user 65534; must be root (chown)" "$ROUTEVPN" --config link.conf
chown 0 link.conf
refused 2 "none.conf: cannot be read: No such file or directory" "$ROUTEVPN" --config none.conf
refused 2 "none.conf: cannot be read: No such file or directory" "$ROUTEVPN" check --config none.conf

# --- routevpn check -----------------------------------------------------------------------------

cat >link.conf <<END
peer = 192.0.2.2
peer-name = b
netns = $PRIV_A
address = 10.255.0.1/30
cert = a.cert
key = a.key
ca = ca.cert
END
expect "check prints what would run" \
  grep -q "^address = 10.255.0.1/30$" <(in_ns "$PUB_A" "$ROUTEVPN" check --config link.conf)
expect_equal "and changes nothing" "" "$(traces | diff traces.before -)"
status=0
in_ns "$PUB_A" "$ROUTEVPN" check --config link.conf --key open.key --ca noise.pem >check.out 2>&1 || status=$?
expect_equal "check has one line per wrong file, and status 2" "2 2" "$status $(wc -l <check.out)"
status=0
in_ns "$PUB_A" "$ROUTEVPN" --config link.conf --key open.key --ca noise.pem >check.out 2>&1 || status=$?
expect_equal "and so has the start of the link" "2 2" "$status $(wc -l <check.out)"
printf 'mtu = 1\nnonsense\n' >>link.conf
status=0
in_ns "$PUB_A" "$ROUTEVPN" check --config link.conf >check.out 2>&1 || status=$?
expect_equal "check has one line per fault, and status 2" "2 2" "$status $(wc -l <check.out)"
