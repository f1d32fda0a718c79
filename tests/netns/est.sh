#!/usr/bin/env bash
# The renew-command of the manual page for EST (RFC 7030) renews a certificate with `pki --est` of strongSwan.
# Debian has no server of EST, so est_server.py is one, with the CA of `routevpn pki`.

HERE=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$HERE/lib.sh"

ETC=$DIR/etc
mkdir -p "$ETC/pki" "$DIR"/{server,ours,other}
for ca in ours other; do "$ROUTEVPN" pki ca --dir "$DIR/$ca" >>"$DIR/pki.out"; done
"$ROUTEVPN" pki csr --dir "$ETC/pki" --name V1-1 >>"$DIR/pki.out"
for ca in ours other; do
  cp "$ETC/pki/V1-1.csr" "$DIR/$ca/"
  "$ROUTEVPN" pki sign --dir "$DIR/$ca" --name V1-1 --days 100 >>"$DIR/pki.out"
done
cp "$DIR"/ours/{V1-1.cert,ca.cert} "$ETC/pki/"

# The server's certificate has a CA of its own.
(
  cd "$DIR/server"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.cert \
    -subj "/CN=EST CA" -days 30
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout est.key -out est.csr \
    -subj "/CN=localhost"
  openssl x509 -req -in est.csr -CA ca.cert -CAkey ca.key -days 30 -out est.cert \
    -extfile <(echo "subjectAltName = DNS:localhost")
) >"$DIR/openssl.out" 2>&1
cp "$DIR/server/ca.cert" "$ETC/pki/est-ca.cert"

start_server() { # CA: signs with it; waits for the server
  start "est-$1" "$PUB_A" python3 "$HERE/est_server.py" 8443 "$DIR/server/est.cert" "$DIR/server/est.key" \
    "$DIR/ours/ca.cert" "'$ROUTEVPN' pki sign --dir '$DIR/$1' --name V1-1 --force >&2 && cat '$DIR/$1/V1-1.cert'"
  wait_for grep -q '^listening$' "$DIR/est-$1.log" || fail "no server of EST"
}

# The lines of the manual page, with the paths and the server of this test.
awk '/^pki --est/ { is = 1 } /^\.Bd/ { text = "" } /^\.Ed/ && is { printf "%s", text; exit }
  !/^\.Bd/ { text = text $0 "\n" }' "$HERE/../../src/man/routevpn.7" |
  sed -e 's/\\e$/\\/' -e "s|/etc/routevpn|$ETC|" -e 's|https://est.example.org|https://localhost:8443|' \
    >"$ETC/renew-command"
chmod 755 "$ETC/renew-command"
expect "the manual page has the command" grep -qF -- "pki --est --url https://localhost:8443" "$ETC/renew-command"

serial() { openssl x509 -noout -serial -in "$ETC/pki/V1-1.cert"; }
renew() { in_ns "$PUB_A" env ROUTEVPN_ETC="$ETC" ROUTEVPN_CA="$DIR/none" "$HERE/../../src/systemd/renew"; }
old=$(serial)
expect_not "without the server the command fails" renew
expect_equal "and the old certificate stays" "$old" "$(serial)"

start_server other
expect_not "a certificate of another CA is refused" renew
expect_equal "and the old certificate stays again" "$old" "$(serial)"
stop est-other || true

start_server ours
expect "the certificate is renewed" renew
expect_equal "with a new serial number" "$(openssl x509 -noout -serial -in "$DIR/ours/V1-1.cert")" "$(serial)"
expect "the key fits" cmp <(openssl x509 -noout -pubkey -in "$ETC/pki/V1-1.cert") \
  <(openssl pkey -pubout -in "$ETC/pki/V1-1.key")
expect_not "it is another one" test "$(serial)" = "$old"
new=$(serial)
expect "a certificate that is not due" renew
expect_equal "stays" "$new" "$(serial)"
stop est-ours || true
