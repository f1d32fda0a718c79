#!/usr/bin/env bash
# The program of routevpn-netns@NAME.service: a namespace follows its file, and ends with the unit.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

netns=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../src/systemd" && pwd)/netns
name=rv$$-unit
lan=rv$$a
file=$DIR/$name.conf
export ROUTEVPN_NETNS_DIR=$DIR ROUTEVPN_NETNS_STATE=$DIR/state
remove_unit() {
  local status=$?
  set +e
  "$netns" down "$name"
  ip netns del "$name" 2>/dev/null
  ip link del "$lan" 2>/dev/null
  return "$status"
}
trap 'remove_unit; clean_up' EXIT
ip link add "$lan" type veth peer name "rv$$b"

inside() { ip netns exec "$name" "$@"; }
addresses() { inside ip -o address show dev "$lan" scope global | awk '{ print $4 }' | sort | paste -sd ' '; }
is_status() { # STATUS TEXT COMMAND...: the exit status, and a part of the output
  local wanted=$1 text=$2 status=0 output
  shift 2
  output=$("$@" 2>&1) || status=$?
  [[ $status == "$wanted" && $output == *"$text"* ]] ||
    fail "status $wanted and '$text' wanted, got $status: $output"
  ok "status $wanted: $text"
}

is_status 2 "$file: does not exist" "$netns" up "$name"
printf 'address = 10.9.1.1/24\ninterface = a/b\nmtu = 9000\ninterface = -x\ninterface = lo\n' >"$file"
is_status 2 "$file:1: an address needs an interface above it" "$netns" up "$name"
is_status 2 "$file:2: interface \"a/b\" is not a name" "$netns" up "$name"
is_status 2 "$file:4: interface \"-x\" is not a name" "$netns" up "$name"
is_status 2 "$file:5: interface lo cannot be moved" "$netns" up "$name"
is_status 2 "$file:3: \"interface = NAME\" and \"address = PREFIX\" lines are allowed" "$netns" up "$name"
expect_not "a wrong file makes no namespace" test -e "/run/netns/$name"

printf '# the site\r\ninterface = %s # here\naddress = 10.9.1.11/24\naddress = 2001:DB8:A1::0011/64\r\n' "$lan" >"$file"
ip netns add "$name"
is_status 2 "the network namespace $name exists, and this unit did not make it" "$netns" up "$name"
expect "a namespace of something else stays" "$netns" down "$name"
expect "also when the unit ends" ip netns exec "$name" true
ip netns del "$name"
expect "the namespace is made" "$netns" up "$name"
expect_equal "the interface has its addresses" "10.9.1.11/24 2001:db8:a1::11/64" "$(addresses)"
expect_equal "packets are forwarded" "1 1" \
  "$(inside cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding | paste -sd ' ')"
inside ip -o monitor address >"$DIR/monitor.out" 2>&1 &
# shellcheck disable=SC2034,SC2154 # lib.sh ends it
PID[monitor]=$!
sees() { # ADDRESS: changes it on lo. The monitor has printed that.
  inside ip address del "$1" dev lo 2>/dev/null || true
  inside ip address add "$1" dev lo
  grep -q "${1%/*}" "$DIR/monitor.out"
}
expect "the monitor of addresses runs" wait_for sees 127.0.0.8/32
expect "a second time changes nothing" "$netns" up "$name"
expect "the monitor has all changes" wait_for sees 127.0.0.9/32
expect_not "no address is removed meanwhile" grep "Deleted.*$lan" "$DIR/monitor.out"
expect_equal "and the addresses are the same" "10.9.1.11/24 2001:db8:a1::11/64" "$(addresses)"

# With the first address of a network, the kernel removes the others.
sed -i 's|10.9.1.11/24|10.9.1.12/24|' "$file"
expect "a changed file is applied" "$netns" up "$name"
expect_equal "to the addresses" "10.9.1.12/24 2001:db8:a1::11/64" "$(addresses)"
echo "interface = rv$$c" >>"$file"
is_status 1 "no interface rv$$c" "$netns" up "$name"
expect_equal "an interface that is missing does not stop the others" "10.9.1.12/24 2001:db8:a1::11/64" "$(addresses)"
: >"$file"
expect "an empty file is applied" "$netns" up "$name"
expect "the interface is back on the host" ip link show dev "$lan"

printf 'interface = %s\n' "$lan" >"$file"
"$netns" up "$name"
ip link add "$lan" type veth peer name "rv$$d"
is_status 1 "$lan cannot be moved back to the host" "$netns" down "$name"
ip link del "$lan"
expect "the unit ends" "$netns" down "$name"
expect "and the interface is back" ip link show dev "$lan"
expect_not "the namespace is gone" test -e "/run/netns/$name"

# The host's namespace, here that of PUB_A: only what the unit has added is removed.
public() { ip netns exec "$PUB_A" env ROUTEVPN_NETNS_DIR="$DIR" ROUTEVPN_NETNS_STATE="$DIR/state" "$netns" "$1" public; }
printf 'interface = eth0\naddress = 192.0.2.1/24\naddress = 192.0.2.9/32\n' >"$DIR/public.conf"
expect "addresses of the host are added" public up
has() { [[ $(ip -n "$PUB_A" -o address show dev eth0) == *" $1 "* ]]; }
expect "the new one is there" has 192.0.2.9/32
expect "a second time" public up
expect "the unit of the host ends" public down
expect_not "its address is gone" has 192.0.2.9/32
expect "the host's own address stays" has 192.0.2.1/24
