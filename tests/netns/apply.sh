#!/usr/bin/env bash
# `routevpn apply` with real links and real BIRDs: V1-1 (a) has a link to V2-1 and to V2-2 (b and c). Changed
# links are restarted one by one, each while the BGP session over the other link is established. `systemctl` is
# a fake one that starts and ends the processes of the units.

HERE=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$HERE/lib.sh"
# shellcheck source-path=SCRIPTDIR source=planned.sh
source "$HERE/planned.sh"

PRIV_C=rv$$-priv-c
ROOT=$DIR/root
UNITS=$DIR/units  # of the fake systemctl: NAME.pid of a running unit, NAME.enabled
namespace "$PRIV_C"
ip -n "$PUB_B" address add 192.0.2.3/24 dev eth0
mkdir -p "$ROOT/run/routevpn/bird" "$ROOT/sys/class/net" "$UNITS"

topology() { # LINE of [organisation]
  write_topology "$1" "{ name = \"V2-2\", address = \"192.0.2.3\", netns = \"$PRIV_C\" }"
  plan --out plan
  units_are V1-1 "routevpn-bird@$PRIV_A.service" routevpn@rv2-{1,2}.service
}

# The fake systemctl. A link reads its credentials below ROOT. Before a restart it notes which BGP sessions are
# established.
replace_systemctl <<'END'
#!/usr/bin/env bash
set -eu
command=$1
shift
[[ $1 != --now ]] || shift
pid_of() { cat "$UNITS/$1.pid" 2>/dev/null || echo none; }
runs() { [[ $(ps -o stat= -p "$(pid_of "$1")" 2>/dev/null) == [!Z]* ]]; }  # no zombie
start() {
  local name=${1#*@}
  name=${name%.service}
  if [[ $1 == routevpn-bird@* ]]; then
    ip netns exec "$PRIV_A" bird -f -c "$ROOT/etc/routevpn/bird/$name.conf" \
      -s "$ROOT/run/routevpn/bird/$name.ctl" >>"$DIR/bird-a.log" 2>&1 </dev/null &
  else
    ip netns exec "$PUB_A" "$ROUTEVPN" --config "$ROOT/etc/routevpn/$name.conf" \
      --cert "$ROOT/etc/routevpn/pki/V1-1.cert" --key "$ROOT/etc/routevpn/pki/V1-1.key" \
      --ca "$ROOT/etc/routevpn/pki/ca.cert" --crl "$ROOT/etc/routevpn/pki/ca.crl" \
      --psk "$ROOT/etc/routevpn/psk/$name.psk" --run-dir "$ROOT/run/routevpn" \
      >>"$DIR/$name.log" 2>&1 </dev/null &
  fi
  echo $! >"$UNITS/$1.pid"
}
stop() {
  kill "$(pid_of "$1")" 2>/dev/null || return 0
  for _ in {1..500}; do
    runs "$1" || return 0
    sleep 0.02
  done
  return 1
}
status=0
for unit in "$@"; do
  case $command in
    is-active) if runs "$unit"; then echo active; else echo inactive && status=3; fi ;;
    is-enabled) if [[ -e $UNITS/$unit.enabled ]]; then echo enabled; else echo disabled && status=1; fi ;;
    enable) touch "$UNITS/$unit.enabled" ;;
    disable) stop "$unit" && rm -f "$UNITS/$unit.enabled" ;;
    start) start "$unit" ;;
    restart)
      echo "$unit $(birdc -s "$ROOT/run/routevpn/bird/$PRIV_A.ctl" show protocols |
        awk '$6 == "Established" { printf "%s ", $1 }')" >>"$DIR/restarts"
      stop "$unit"
      start "$unit"
      ;;
    *) echo "no command $command" >&2 && exit 1 ;;
  esac
done
exit $status
END
export UNITS ROOT PRIV_A PUB_A ROUTEVPN

stop_units() {
  local status=$? file
  for file in "$UNITS"/*.pid; do
    kill "$(<"$file")" 2>/dev/null || true
  done
  set +e
  (exit "$status")
  clean_up
}
trap stop_units EXIT

# The other ends, with their own planned files: b is V2-1, c is V2-2.
peer() { # b|c GATEWAY
  mkdir -p "$DIR/$1"
  start "$1" "$PUB_B" "$ROUTEVPN" --config "plan/$2/links/rv1-1.conf" --cert "plan/$2/pki/$2.cert" \
    --key "plan/$2/pki/$2.key" --ca "plan/$2/pki/ca.cert" --crl "plan/$2/pki/ca.crl" \
    --psk "plan/$2/psk/rv1-1.psk" --run-dir "$DIR/$1"
}
peer_bird() { # NETNS GATEWAY
  start "bird-$2" "$1" bird -f -c "plan/$2/bird/private.conf" -s "$DIR/$2.ctl"
}

apply() { "$ROUTEVPN" apply plan/V1-1 --root "$ROOT" "$@"; }
sessions() { birdc -s "$ROOT/run/routevpn/bird/$PRIV_A.ctl" show protocols | grep -c Established; }
sessions_are() { [[ $(sessions) == "$1" ]]; }

topology ''
peer b V2-1
peer c V2-2
peer_bird "$PRIV_B" V2-1
peer_bird "$PRIV_C" V2-2

apply --dry-run >dry.out
[[ ! -e $ROOT/etc && ! -e $ROOT/var ]] || fail "--dry-run has made files"
apply >apply.out
expect_equal "the first run does what --dry-run prints" "$(<dry.out)" "$(grep '^to do' apply.out)"
expect_equal "and does all of it" "$(sed 's/^to do/done/' dry.out)" "$(grep '^done' apply.out)"
wait_for sessions_are 2 || fail "no BGP sessions over both links"
ok "BGP over both links"
expect_equal "a second run has nothing to do" "V1-1: nothing to do" "$(apply)"

topology 'detection = "fast"'
apply >apply.out || fail "apply: $(<apply.out)"
expect_equal "changed links are restarted one by one, each while the other has its BGP session" \
  "routevpn@rv2-1.service IBGP_V2_1 IBGP_V2_2 
routevpn@rv2-2.service IBGP_V2_1 IBGP_V2_2 " "$(<restarts)"
expect_equal "both sessions are established at the end" 2 "$(sessions)"
expect_equal "and nothing is left to do" "V1-1: nothing to do" "$(apply)"

rm restarts
stop c || fail "link c ended with status $?"
wait_for sessions_are 1 || fail "the session over a stopped link stays"
topology 'detection = "patient"'
status=0
"$ROUTEVPN" apply plan/V1-1 --root "$ROOT" >apply.out 2>apply.err &
PID[apply]=$!
# All steps before the restart are done, and the program has slept some times since: it looks again and again.
restart_is_next() { (($(grep -c '^done' apply.out) == $(grep -n '^to do: restart' apply.out | head -n 1 | cut -d: -f1) - 1)); }
sleeps() { sed -n 's/^voluntary_ctxt_switches:[[:space:]]*//p' "/proc/${PID[apply]}/status"; }
has_slept() { (($(sleeps) > $1)); } # more often than so many times
wait_for restart_is_next || fail "apply does not come to the restart: $(<apply.out)"
wait_for has_slept $(($(sleeps) + 10)) || fail "apply does not wait"
kill -TERM "${PID[apply]}"
wait "${PID[apply]}" || status=$?
unset 'PID[apply]'
expect_equal "SIGTERM ends the wait for a link" \
  "1 routevpn: stopped at: restart routevpn@rv2-1.service: rv2-1 is the only link with traffic, and is not \
restarted: no other link was up with its BGP session established before SIGTERM" "$status $(head -n 1 apply.err)"
status=0
apply --timeout 1 >apply.out 2>apply.err || status=$?
expect_equal "the only link with traffic is not restarted" 1 "$status"
grep -q '^routevpn: stopped at: restart routevpn@rv2-1.service: rv2-1 is the only link with traffic' apply.err ||
  fail "wrong text: $(<apply.err)"
grep -q '^routevpn: not done: restart routevpn@rv2-2.service' apply.err || fail "wrong text: $(<apply.err)"
[[ ! -e restarts ]] || fail "restarted: $(<restarts)"
ok "and apply says so, and what is not done"

peer c V2-2
{ apply --timeout 0 || fail "apply ended with status $?"; } | true # the reader of standard output has gone
expect_equal "the next run continues, and --timeout 0 does not wait" \
  "routevpn@rv2-1.service routevpn@rv2-2.service " "$(awk '{ printf "%s ", $1 }' restarts)"
for name in b c; do stop "$name" || fail "link $name ended with status $?"; done
ok "the other ends stop"
