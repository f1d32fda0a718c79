# shellcheck shell=bash
# Certificates that are not valid now, with the CA of make_certificates. Source this file after lib.sh.

# make_expired NAME FILE: a certificate that was valid in January 2020.
make_expired() { make_dated "$1" "$2" 20200101000000Z 20200201000000Z; }

# make_dated NAME FILE BEGIN END: a certificate that is valid between these times, signed by DIR/ca.cert for
# the request NAME.csr that make_certificates has left.
make_dated() {
  local ca=$DIR/expired-ca
  mkdir -p "$ca"
  : >"$ca/index"
  cat >"$ca/config" <<END
[ca]
default_ca = expired
[expired]
database = $ca/index
new_certs_dir = $ca
rand_serial = yes
default_md = sha256
policy = any
x509_extensions = gateway
[any]
commonName = supplied
[gateway]
subjectAltName = DNS:$1
keyUsage = digitalSignature
extendedKeyUsage = clientAuth, serverAuth
END
  openssl ca -batch -notext -config "$ca/config" -cert "$DIR/ca.cert" -keyfile "$DIR/ca.key" \
    -startdate "$3" -enddate "$4" -in "$DIR/$1.csr" -out "$2" \
    >"$DIR/openssl.out" 2>&1 || fail "no certificate of $3 to $4: $(<"$DIR/openssl.out")"
}
