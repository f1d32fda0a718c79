#!/usr/bin/env bash
# Credentials over their life: a link takes new files by itself, keeps its carrier while the CA is replaced,
# and uses an expired CRL for the time of --crl-grace.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=dated_certificates.sh
source "$(dirname "${BASH_SOURCE[0]}")/dated_certificates.sh"

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
declare -A OTHER=([a]=b [b]=a)
pki() { "$ROUTEVPN" pki "$@" >>"$DIR/pki.out"; }
log_has() { grep -qE "$2" "$DIR/$1.log"; }
times_in_log() { grep -cE "$2" "$DIR/$1.log" || true; } # a|b PATTERN
file_of() { echo "$DIR/etc-$1/$2"; }                   # a|b cert|key|ca|crl
# put a|b FILE SOURCE...: replaces the file as a whole, as tools that renew certificates do.
put() {
  local file
  file=$(file_of "$1" "$2")
  (umask 077 && cat "${@:3}" >"$file.new")
  mv "$file.new" "$file"
}
start_end() { # a|b OPTION...
  local name=$1 peer=(--listen "192.0.2.2:$PORT") space=$PUB_B private=$PRIV_B address=10.255.0.2/30
  shift
  if [[ $name == a ]]; then
    peer=(--peer 192.0.2.2) space=$PUB_A private=$PRIV_A address=10.255.0.1/30
  fi
  mkdir -p "$DIR/$name"
  start "$name" "$space" "$ROUTEVPN" "${peer[@]}" --peer-name "${OTHER[$name]}" --ifname rv0 \
    --netns "$private" -a "$address" --cert "$(file_of "$name" cert)" --key "$(file_of "$name" key)" \
    --ca "$(file_of "$name" ca)" --run-dir "$DIR/$name" "$@"
}
fingerprint() { # FILE
  openssl x509 -noout -fingerprint -sha256 -in "$1" | tr -d : | tr A-F a-f | sed 's/.*=//'
}
peer_is() { [[ $(show "$1" .peer.fingerprint) == "$(fingerprint "$2")" ]]; } # a|b FILE
carrier_changes() {
  echo "$(in_ns "$PRIV_A" cat /sys/class/net/rv0/carrier_changes)" \
    "$(in_ns "$PRIV_B" cat /sys/class/net/rv0/carrier_changes)"
}

for name in a b; do
  mkdir "$DIR/etc-$name"
  put "$name" cert "$DIR/$name.cert"
  put "$name" key "$DIR/$name.key"
  put "$name" ca "$DIR/ca.cert"
done
start_end b
wait_for has_socket b || fail "link b did not start"
start_end a --log-level debug
wait_up a
wait_up b
changes=$(carrier_changes)
start pinging "$PRIV_A" ping -n -i 0.05 10.255.0.2

# Files are taken by themselves --------------------------------------------------------------------
pki sign --dir "$DIR" --name a --force
put a cert "$DIR/a.cert"
expect "a link takes a new certificate by itself, and its peer gets it" wait_for peer_is b "$DIR/a.cert"
pki csr --dir "$DIR" --name next
pki sign --dir "$DIR" --name next
echo broken >"$(file_of a key)"
refused='new files of the credentials are not taken, the old stay in force.*etc-a/key'
expect "a broken file is in the log" wait_for log_has a "$refused"
put a key "$DIR/next.key"
expect "and another fault in place of it, too" wait_for log_has a "$refused: not the key of the certificate"
put a key "$DIR/a.key"
expect_equal "the link is up" up "$(show a .state)"
make_dated a "$DIR/early.cert" "$(in_utc "5 seconds")" "$(in_utc "300 days")"
put a cert "$DIR/early.cert"
expect "a certificate that is not valid yet is in the log" wait_for log_has a \
  'are not taken.*etc-a/cert: not valid before'
expect "and is taken when it is valid" wait_for peer_is b "$DIR/early.cert"
put a cert "$DIR/early.cert"
expect "a file that is written again with the same content is noticed" wait_for log_has a \
  "written again with the same content"
mkdir "$DIR/1"
pki sign --dir "$DIR" --name b --force
cp "$DIR/b.cert" "$DIR/1/cert"
ln -s "$DIR/1/cert" "$(file_of b cert).new"
mv "$(file_of b cert).new" "$(file_of b cert)"
expect "a symbolic link in place of a file is followed" wait_for peer_is a "$DIR/b.cert"

# The CA is replaced --------------------------------------------------------------------------------
# Both CAs have the same name.
mkdir "$DIR/new"
pki ca --dir "$DIR/new"
for name in a b; do
  cp "$DIR/$name.csr" "$DIR/new/"
  pki sign --dir "$DIR/new" --name "$name"
done
has_authorities() { [[ $(show "$1" '.credentials.authorities | length') == "$2" ]]; } # a|b NUMBER
put a cert "$DIR/new/a.cert"
expect "a certificate of a CA that --ca lacks is not taken" wait_for log_has a \
  'are not taken.*etc-a/cert: not issued by a CA of --ca'
put a cert "$DIR/early.cert"
for name in a b; do put "$name" ca "$DIR/ca.cert" "$DIR/new/ca.cert"; done
expect "both ends take the bundle of the old and the new CA" wait_for has_authorities a 2
wait_for has_authorities b 2 || fail "b has not taken the bundle"
put a cert "$DIR/new/a.cert"
expect "a gets its certificate of the new CA" wait_for peer_is b "$DIR/new/a.cert"
expect "b still has the old one" peer_is a "$DIR/b.cert"
put b cert "$DIR/new/b.cert"
expect "b gets its certificate of the new CA" wait_for peer_is a "$DIR/new/b.cert"
for name in a b; do put "$name" ca "$DIR/new/ca.cert"; done
expect "both ends drop the old CA" wait_for has_authorities a 1
wait_for has_authorities b 1 || fail "b has not dropped the old CA"
expect "traffic passes" in_ns "$PRIV_A" ping -c 1 -W "$DEADLINE_S" 10.255.0.2
expect_equal "each set of files was loaded once, and files whose content was in force were not" 5 \
  "$(times_in_log a "certificates were loaded again")"
expect_equal "each fault was logged once" 2 "$(times_in_log a "$refused")"
expect_equal "the carrier has not moved on either side" "$changes" "$(carrier_changes)"
stop pinging INT || fail "ping has failed"
expect_equal "no ping was lost" 0 "$(unanswered pinging)"

# What show has of the credentials -----------------------------------------------------------------
expect_equal "show has our certificate, the CA and no warning" "a CN=routevpn CA null 0" \
  "$(show a '[.credentials.certificate.name, .credentials.authorities[0].subject,
    (.credentials.crl | tostring), (.credentials.warnings | length)] | join(" ")')"
stop a || fail "link a ended with status $?"

# --crl-grace --------------------------------------------------------------------------------------
make_crl "$DIR/new" "$DIR/in-grace.crl" 5
make_crl "$DIR/new" "$DIR/revoked.crl" 5 b
make_crl "$DIR/new" "$DIR/ended.crl" 40
pki crl --dir "$DIR/new"
with_crl() { start_end a --crl "$(file_of a crl)" "$@"; }
state_is() { [[ $(show a '.state + " " + .reason') == "$1" ]]; }

put a crl "$DIR/in-grace.crl"
with_crl
wait_up a
ok "a link with a CRL that ended 5 days ago comes up"
warning='the CRL .*etc-a/crl has expired: it stays in force for 24 days more, then every peer is refused'
expect "it logs a warning at the start" log_has a "$warning"
expect "show prints the warning" grep -qE "warning: $warning" <("$ROUTEVPN" show --run-dir "$DIR/a")
expect_equal "and --json has it, with the end of the grace" "1 30" "$(show a '.credentials |
  [(.warnings | length), ((.crl.in_force_until, .crl.next_update) | .[0:10] + "T00:00:00Z" | fromdate)] |
  "\(.[0]) \((.[1] - .[2]) / 86400)"')"
put a crl "$DIR/revoked.crl"
expect "what an expired CRL revokes is refused" wait_for state_is "connecting certificate_refused"
put a crl "$DIR/in-grace.crl"
wait_up a
put a crl "$DIR/ended.crl"
expect "a CRL after its grace is not taken by a running link" wait_for log_has a \
  'are not taken.*etc-a/crl: expired on .*, more than --crl-grace \(30 days\) ago'
expect_equal "the link stays up" up "$(show a .state)"
stop a || fail "link a ended with status $?"

with_crl
wait_for has_socket a || fail "link a did not start"
expect "a link with such a CRL starts, and refuses its peer" wait_for state_is "connecting certificate_refused"
expect "it logs the reason" log_has a 'the CRL .* has expired: every peer is refused'
put a crl "$DIR/new/ca.crl"
wait_up a
ok "and comes up by itself when a new CRL is there"
stop a || fail "link a ended with status $?"

put a crl "$DIR/in-grace.crl"
with_crl --crl-grace 3
expect "--crl-grace sets the time" wait_for state_is "connecting certificate_refused"
stop a || fail "link a ended with status $?"
status=0
cat >"$DIR/link.conf" <<END
peer = 192.0.2.2
peer-name = b
cert = $(file_of a cert)
key = $(file_of a key)
ca = $(file_of a ca)
crl = $(file_of a crl)
crl-grace = 0
END
"$ROUTEVPN" check --config "$DIR/link.conf" >"$DIR/check.out" 2>&1 || status=$?
expect_equal "check reports an expired CRL with status 1" 1 "$status"
expect "in one line" grep -qE "^routevpn: --crl .*etc-a/crl: expired on [-0-9]*: the CA must issue" "$DIR/check.out"

# The program of the timer -------------------------------------------------------------------------
renew() { ROUTEVPN_ETC=$DIR/etc ROUTEVPN_CA=$DIR/$1 ROUTEVPN_PATH=${ROUTEVPN%/*} "$HERE/../../src/systemd/renew"; }
mkdir "$DIR/etc"
ln -s /nonexistent "$DIR/etc/renew-command"
expect_not "a link to a command that is missing is refused" renew new
rm "$DIR/etc/renew-command"
expect_equal "without a CA and a command nothing happens" "" "$(renew none)"
expect "with a CA its certificates are renewed" grep -q "^nothing is due before " <(renew new)
printf '#!/bin/sh\necho renewed by hand\n' >"$DIR/etc/renew-command"
expect_not "a command that is not executable is refused" renew new
chmod 757 "$DIR/etc/renew-command"
expect_not "as is one that others can write to" renew new
chmod 755 "$DIR/etc/renew-command"
expect_equal "renew-command goes before the CA" "renewed by hand" "$(renew new)"
