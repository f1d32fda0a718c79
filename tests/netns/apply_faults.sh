#!/usr/bin/env bash
# `routevpn apply` on a machine with a fault: it prints one line, and leaves nothing half done.

HERE=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$HERE/lib.sh"
# shellcheck source-path=SCRIPTDIR source=planned.sh
source "$HERE/planned.sh"

ROOT=$DIR/root
UNIT=rv$$-unit
remove_unit() {
  local status=$?
  set +e
  ip netns del "$UNIT" 2>/dev/null
  (exit "$status")
  clean_up
}
trap remove_unit EXIT
write_topology ''
plan --out plan
units_are V1-1 routevpn@rv2-1.service

# No unit runs, and each command that would change one is noted.
replace_systemctl <<'END'
#!/bin/sh
command=$1
shift
case $command in
  is-active) for unit; do echo inactive; done; exit 3 ;;
  is-enabled) for unit; do echo disabled; done; exit 1 ;;
  *) echo "$command $*" >>"$DIR/commands" ;;
esac
END

apply() { "$ROUTEVPN" apply plan/V1-1 --root "$ROOT" "$@"; }
# ends STATUS TEXT COMMAND...: its exit status, and the one line that it prints as a fault.
ends() {
  local wanted=$1 text=$2 status=0
  shift 2
  "$@" >ends.out 2>ends.err || status=$?
  [[ $status == "$wanted" && $(head -n 1 ends.err) == "routevpn: $text"* ]] ||
    fail "status $wanted and '$text' wanted, got $status: $(<ends.err)"
  ok "status $wanted: $text"
}
is_untouched() { [[ ! -e commands && -z $(find "$ROOT" -path "$ROOT/etc/*" -type f) ]]; }

# The capability lets another user start a program in root's directory.
ends 2 "apply: must run as root" setpriv --reuid=65534 --clear-groups --inh-caps=+dac_override \
  --ambient-caps=+dac_override "$ROUTEVPN" apply plan/V1-1
expect_equal "in one line" 1 "$(wc -l <ends.err)"
mkdir -p "$ROOT/var/lib/routevpn"
ends 1 "another routevpn apply runs on this machine" flock "$ROOT/var/lib/routevpn" "$ROUTEVPN" apply plan/V1-1 --root "$ROOT"
expect "nothing has changed" is_untouched
mv plan/V1-1/links links
echo text >plan/V1-1/links
ends 2 "plan/V1-1/links: cannot be read: Not a directory" apply
expect_equal "in one line" 1 "$(wc -l <ends.err)"
rm plan/V1-1/links
ends 2 "plan/V1-1: is not the planned directory of a gateway: it has no links" apply
mv links plan/V1-1/links

# full DIRECTORY KIB: apply with a file system of this size there. `find` lists what it has left.
full() {
  # shellcheck disable=SC2016 # the inner shell expands them
  unshare -m sh -c 'mkdir -p "$1" && mount -t tmpfs -o "size=${2}k,mode=755" none "$1" || exit 9
    [ "$2" != 4 ] || head -c 4096 /dev/zero >"$1/page"
    shift 2
    "$@"
    status=$?
    find "$ROOT/etc" "$ROOT/var" -type f ! -name page >left
    exit $status' sh "$ROOT/$1" "$2" "$ROUTEVPN" apply plan/V1-1 --root "$ROOT"
}
export ROOT
ends 1 "stopped at: install /etc/routevpn/pki/V1-1.cert: write $ROOT/etc/" full etc 8
grep -q 'No space left on device' ends.err || fail "wrong text: $(<ends.err)"
expect_equal "a full disk leaves no file" "" "$(<left)"
ends 1 "stopped at: install /etc/routevpn/pki/V1-1.cert: write $ROOT/var/lib/routevpn/applied" full var/lib/routevpn 4
expect_equal "as does a full disk for the state" "" "$(<left)"
expect "no unit was changed" is_untouched

# Two programs read the file of a namespace: apply, and the unit's own. An interface that is missing is no
# fault of the file for the latter, and none of its syntax for apply.
unit_refuses() {
  local status=0
  ROUTEVPN_NETNS_DIR=$DIR/plan/V1-1/netns ROUTEVPN_NETNS_STATE=$DIR/netns-state \
    "$HERE/../../src/systemd/netns" up "$UNIT" >/dev/null 2>&1 || status=$?
  ((status == 2))
}
apply_refuses() {
  local faults
  faults=$(apply --dry-run 2>&1 >/dev/null || true)
  [[ $faults =~ netns/[^$'\n']*conf:[0-9] ]]
}
mkdir -p plan/V1-1/netns
echo "routevpn-netns@$UNIT.service" >>plan/V1-1/units
answers=
while read -r line; do
  printf 'interface = none\n%b\n' "$line" >"plan/V1-1/netns/$UNIT.conf"
  if unit_refuses; then by_unit=refused; else by_unit=taken; fi
  if apply_refuses; then by_apply=refused; else by_apply=taken; fi
  [[ $by_unit == "$by_apply" ]] || fail "'$line': $by_unit by the unit, $by_apply by apply"
  answers+="$by_unit "
done <<'END'
\tinterface=none2\r
address = 10.0.1.11/24 # the site
address = 2001:db8::11/64#the site\r\r
# "quoted"
interface = "none"
interface = none two
interface = no\rne
interface = none=two
interface none
interface =
interface = lo
interface = a/b
interface = -x
interface = all
interface = ..
interface = n\xc3\xb6ne
interface = sixteencharacter
address = "10.0.1.11/24"
address = 10.0.1.11
address = 10.0.1.11/33
address = 10.0.1/24
address = 256.0.1.11/24
address = 2001:db8::11/129
mtu = 9000
END
ROUTEVPN_NETNS_DIR=$DIR/plan/V1-1/netns ROUTEVPN_NETNS_STATE=$DIR/netns-state \
  "$HERE/../../src/systemd/netns" down "$UNIT" || fail "the namespace $UNIT stays"
expect_equal "apply and the unit agree about the lines of a namespace's file" "4 20" \
  "$(tr ' ' '\n' <<<"$answers" | grep -c taken) $(tr ' ' '\n' <<<"$answers" | grep -c refused)"

# What is in the namespace's way on the machine.
echo "interface = none" >"plan/V1-1/netns/$UNIT.conf"
mkdir -p "$ROOT/run/netns"
touch "$ROOT/run/netns/$UNIT"
ends 2 "the network namespace $UNIT exists, and routevpn-netns@$UNIT.service did not make it" apply
rm "$ROOT/run/netns/$UNIT"
ends 2 "plan/V1-1/netns/$UNIT.conf: interface = none: does not exist on this machine" apply
expect "nothing has changed at all" is_untouched
