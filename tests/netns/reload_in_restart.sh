#!/usr/bin/env bash
# A reload that comes while the service restarts: the new worker has its files, and still waits for the state of
# the old one.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=services.sh
source "$(dirname "${BASH_SOURCE[0]}")/services.sh"

configure_both
serve_both
mkdir "$DIR/renewed"
cp "$DIR"/ca.* "$DIR/renewed"
"$ROUTEVPN" pki csr --dir "$DIR/renewed" --name a >"$DIR/pki.out"
"$ROUTEVPN" pki sign --dir "$DIR/renewed" --name a >"$DIR/pki.out"
old=$(show a .pid)
echo "$old" >"$DIR/stop"
ready=$(readies a)
kill -USR1 "${PID[a]}"
two_workers() { (($(ip netns pids "$PUB_A" | xargs -rn 1 ps -o comm= -p | grep -c '^routevpn-worker') == 2)); }
wait_for two_workers || fail "no new worker starts beside the old one"
cp "$DIR"/renewed/a.{cert,key} "$DIR"
"$ROUTEVPN" reload --run-dir "$DIR/a" >"$DIR/reload.out" 2>&1 &
PID[reload]=$!
is_connected() { [[ $(ps -o stat= -p "${PID[reload]}") == S* ]] && find "/proc/${PID[reload]}/fd" -lname 'socket:*' | grep .; }
wait_for is_connected || fail "the reload does not run: $(<"$DIR/reload.out")"
kill -CONT "$old"
expect_end "a reload while the worker is replaced succeeds" reload 0
wait_for is_ready a "$ready" || fail "a is not ready after its restart"
fingerprint() { openssl x509 -in "$1" -noout -fingerprint -sha256 | sed 's/.*=//; s/://g' | tr A-F a-f; }
expect_equal "and the new worker has the new certificate" "$(fingerprint "$DIR/renewed/a.cert")" \
  "$(show a .credentials.certificate.fingerprint)"
expect_equal "without a change of the carrier" "true 0" "$(show a '"\(.carrier) \(.flaps)"')"
stop_services
