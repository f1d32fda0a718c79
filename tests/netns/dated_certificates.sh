# shellcheck shell=bash
# Certificates that are not valid now, and CRLs that have expired, with the CA in DIR. Source this file after
# lib.sh, or define DIR and fail. lab/lifecycle.sh uses it, too.

in_utc() { date -u -d "$1" +%Y%m%d%H%M%SZ; } # TIME, as date(1) reads it

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

# make_crl CA FILE DAYS NAME...: a CRL of CA/ca.cert that ended DAYS ago and lists these certificates in CA.
make_crl() {
  local from=$1 ca=$1/crl-ca file=$2 ended=$3 name
  shift 3
  rm -rf "$ca"
  mkdir "$ca"
  : >"$ca/index"
  echo 01 >"$ca/number"
  cat >"$ca/config" <<END
[ca]
default_ca = crl
[crl]
database = $ca/index
crlnumber = $ca/number
default_md = sha256
crl_extensions = extensions
[extensions]
authorityKeyIdentifier = keyid:always
END
  for name in "$@"; do
    openssl ca -config "$ca/config" -cert "$from/ca.cert" -keyfile "$from/ca.key" \
      -revoke "$from/$name.cert" >"$DIR/openssl.out" 2>&1 || fail "revoke: $(<"$DIR/openssl.out")"
  done
  openssl ca -gencrl -config "$ca/config" -cert "$from/ca.cert" -keyfile "$from/ca.key" \
    -crl_lastupdate 20200101000000Z -crl_nextupdate "$(in_utc "$ended days ago 1 hour ago")" \
    -out "$file" >"$DIR/openssl.out" 2>&1 || fail "no CRL: $(<"$DIR/openssl.out")"
}
