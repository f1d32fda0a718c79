#!/usr/bin/env bash
# A link apart from its packets: several peers and names, reload, hook, service notification, log
# formats, show --wait, the control socket.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# /etc/hosts of one namespace, which `ip netns exec` mounts.
hosts_of() { # NETNS TEXT
  mkdir -p "/etc/netns/$1"
  echo "$2" >"/etc/netns/$1/hosts"
}
trap 'rm -rf "/etc/netns/$PUB_A"; clean_up' EXIT

log_has() { grep -qE "$2" "$DIR/$1.log"; }

# Several peers, by name -------------------------------------------------------------------------
hosts_of "$PUB_A" "192.0.2.2 b.example"
link_b
wait_for has_socket b || fail "link b did not start"
start_a() { # OPTION...: --peer is among them
  mkdir -p "$DIR/a"
  start a "$PUB_A" "$ROUTEVPN" --peer-name b --ifname rv0 --netns "$PRIV_A" -a 10.255.0.1/30 \
    --cert "$DIR/a.cert" --key "$DIR/a.key" --ca "$DIR/ca.cert" --run-dir "$DIR/a" "$@"
}
start_a --peer 192.0.2.99 --peer nowhere.invalid --peer b.example
wait_up a
ok "an address that does not answer and a name that does not resolve are skipped"
expect_equal "the peer is the address that answers" 192.0.2.2:7754 "$(show a .remote)"
expect "the name that did not resolve is in the log" log_has a nowhere.invalid
stop a || fail "link a ended with status $?"

# Reload -----------------------------------------------------------------------------------------
start_a --peer b.example
wait_up a
flaps=$(show b .flaps)
"$ROUTEVPN" pki sign --dir "$DIR" --name a --force >"$DIR/sign.out"
kill -HUP "${PID[a]}"
rekeyed() { [[ $(show a .rekeys) == 1 && $(show b .rekeys) -ge 1 ]]; }
expect "SIGHUP to the initiator starts a rekey" wait_for rekeyed
fingerprint() {
  openssl x509 -noout -fingerprint -sha256 -in "$DIR/a.cert" | tr -d : | tr A-F a-f | sed 's/.*=//'
}
expect_equal "with the new certificate" "$(fingerprint)" "$(show b .peer.fingerprint)"
expect "the command reload does the same" "$ROUTEVPN" reload rv0 --run-dir "$DIR/b"
expect "it returns when the link has the certificates" log_has b "certificates were loaded again"
rekeyed_again() { [[ $(show a .rekeys) == 2 ]]; }
expect "a reload of the acceptor makes the initiator rekey" wait_for rekeyed_again
cp "$DIR/a.key" "$DIR/a.key.good"
echo broken >"$DIR/a.key"
kill -HUP "${PID[a]}"
expect "a failed reload is in the log" wait_for log_has a "reload failed"
reload_fails() { ! "$ROUTEVPN" reload --run-dir "$DIR/a" 2>"$DIR/reload.err"; }
expect "the command reload fails, too" reload_fails
expect "it names the file" grep -q "^routevpn: rv0: .*a\.key: .*; the old certificates stay in force" "$DIR/reload.err"
expect_not "another user cannot reload the link" setpriv --reuid 65534 --clear-groups \
  "$ROUTEVPN" reload rv0 --run-dir "$DIR/a"
cp "$DIR/a.key.good" "$DIR/a.key"
expect_equal "the old certificates stay in force" up "$(show a .state)"
expect_equal "no carrier changed meanwhile" "$flaps 0" "$(show b .flaps) $(show a .flaps)"
stop a || fail "link a ended with status $?"

# A revoked certificate --------------------------------------------------------------------------
pki() { "$ROUTEVPN" pki "$@" >>"$DIR/pki.out"; }
pki revoke --dir "$DIR"
start_a --peer b.example --crl "$DIR/ca.crl"
wait_up a
pki revoke --dir "$DIR" --name b
kill -HUP "${PID[a]}"
expect "SIGHUP with a revocation list that has the peer takes the link down" wait_for \
  log_has a "certificate of b refused: revoked"
is_refused() { [[ $(show a '.state + " " + .reason') == "connecting certificate_refused" ]]; }
expect "and the peer is refused" wait_for is_refused
pki sign --dir "$DIR" --name b --force
kill -HUP "${PID[b]}"
wait_up a
ok "with another certificate the peer comes back"
stop a || fail "link a ended with status $?"

# A stranger's names in the log --------------------------------------------------------------------
stranger_certificate() { # FILE OPTION...
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -keyout "$DIR/$1.key" \
    -out "$DIR/$1.cert" "${@:2}" 2>"$DIR/openssl.err"
}
# The log takes one line per second, so a stranger tries until its line is there.
stranger_logs() { # FILE TEXT
  in_ns "$PUB_A" timeout 2 openssl s_client -dtls1_2 -connect "192.0.2.2:$PORT" -cert "$DIR/$1.cert" \
    -key "$DIR/$1.key" </dev/null >"$DIR/s_client.out" 2>&1 || true
  log_has b "$2"
}
stranger_certificate forger -subj "/CN=x reason=connected peer=V9"
expect "a common name with blanks and '=' forges no field of the log" wait_for stranger_logs forger \
  'reason="certificate of x reason=connected peer=V9 refused: not signed by our CA" others'
label=$(printf 'n%.0s' {1..61})
stranger_certificate long -subj /CN=x -addext "subjectAltName=DNS:$label$(printf ".$label%.0s" {1..150})"
expect "a name of 9,000 characters is cut" wait_for stranger_logs long "certificate of ${label}[.]{3} refused"
expect_equal "and fills no line of the log" "" "$(awk 'length > 400' "$DIR/b.log")"

# Hook, notification, log ------------------------------------------------------------------------
receive_notifications
NOTIFY_SOCKET=$DIR/notify start_a --peer b.example --log-format json --log-level debug \
  --on-state "echo \$ROUTEVPN_LINK \$ROUTEVPN_STATE \$ROUTEVPN_REASON \$ROUTEVPN_PEER >>$DIR/hook"
wait_up a
expect "READY=1 is sent" wait_for grep -qx READY=1 "$DIR/notify.out"
expect "STATUS= follows the state" wait_for grep -q "STATUS=up" "$DIR/notify.out"
expect "the hook runs for connecting" wait_for grep -q "^rv0 connecting" "$DIR/hook"
expect "and then for up, with the endpoint of the peer" \
  wait_for grep -qx "rv0 up connected 192.0.2.2:7754" "$DIR/hook"
stop a || fail "link a ended with status $?"
expect "STOPPING=1 is sent" grep -qx STOPPING=1 "$DIR/notify.out"
json_log=$(grep '^{' "$DIR/a.log")
expect "every line of the JSON log is an object with time, level and message" \
  jq -es 'length > 3 and all(.time and .level and .message)' <<<"$json_log"

# Waiting and the control socket -----------------------------------------------------------------
"$ROUTEVPN" show --run-dir "$DIR/b" --wait down --timeout "$DEADLINE_S" || fail "b did not go down"
ok "show --wait down returns when the link is down"
expect_not "show --wait up gives up at its timeout" \
  "$ROUTEVPN" show --run-dir "$DIR/b" --wait up --timeout 0.3
"$ROUTEVPN" show --run-dir "$DIR/b" --wait up --timeout "$DEADLINE_S" &
waiting=$!
start_a --peer b.example
wait "$waiting" || fail "b did not come up"
ok "show --wait up returns when the link is up"
wait_up a
expect_equal "the control socket is for owner and group" 660 "$(stat -c %a "$DIR/a/rv0.sock")"
expect_equal "the command socket is for the owner alone" 600 "$(stat -c %a "$DIR/a/rv0.ctl")"
expect_equal "the acceptor keeps the peer's address in a file for its owner" 600 \
  "$(stat -c %a "$DIR/b/rv0.peers")"
expect "and the file has the address" grep -Eq '^(192\.0\.2\.1|2001:db8::1)$' "$DIR/b/rv0.peers"
stop a || fail "link a ended with status $?"
expect_not "and it is removed with the link" test -e "$DIR/a/rv0.sock"
expect_not "as is the command socket" test -e "$DIR/a/rv0.ctl"

# Signals ----------------------------------------------------------------------------------------
start_a --peer b.example
wait_up a
stop a INT || fail "SIGINT: ended with status $?"
ok "SIGINT stops with status 0"
start_a --peer 192.0.2.99
wait_for has_socket a || fail "link a did not start"
stop a || fail "SIGTERM while connecting: ended with status $?"
ok "SIGTERM while connecting stops with status 0"

# The acceptor is killed and restarted -----------------------------------------------------------
start_a --peer b.example
wait_up a
start pinging "$PRIV_A" ping -i 0.05 10.255.0.2
flaps=$(show a .flaps)
stop b KILL || true
link_b
wait_up b
expect_equal "b, killed and restarted, sent a hint to a" 1 "$(show b .restart_hints.given)"
expect_equal "and a took the hint" "1 2" "$(show a '[.restart_hints.taken, .handshakes] | join(" ")')"
expect "traffic passes" in_ns "$PRIV_A" ping -c 1 -W "$DEADLINE_S" 10.255.0.2
expect_equal "a never lost the carrier" "$flaps" "$(show a .flaps)"
stop pinging || true
stop a || fail "link a ended with status $?"

# Flap damping -----------------------------------------------------------------------------------
start_a --peer b.example --up-delay 1500
wait_up a
expect_equal "the first carrier is not delayed" null "$(show a .damping)"
stop b || fail "link b ended with status $?"
link_b
is_damped() { [[ $(show a .reason) == damped ]]; }
expect "after a flap the carrier of a is delayed" wait_for is_damped
expect_equal "and the status has the reason and the end of the delay" "connecting false 1 1500" \
  "$(show a '[.state, .carrier, .damping.flaps,
    ([.damping.until, .damping.since] | map(capture("(?<s>.*)[.](?<ms>[0-9]+)Z") |
      (.s + "Z" | fromdate) * 1000 + (.ms | tonumber)) | .[0] - .[1])] | join(" ")')"
wait_up a
expect_equal "and then the carrier comes" "connected null" "$(show a '.reason + " " + (.damping | tostring)')"
stop a || fail "link a ended with status $?"

# The interface of a link is deleted -------------------------------------------------------------
start_a --peer b.example
wait_up a
ip -n "$PRIV_A" link delete rv0
expect_end "a link whose interface is deleted ends with status 1" a 1
expect "and logs it" log_has a "the interface is gone"
