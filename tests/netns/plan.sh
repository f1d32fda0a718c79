#!/usr/bin/env bash
# `routevpn plan`: its output, its exit statuses, and a plan of a hundred sites of two gateways. It needs no
# network. tests/bench/plan_time.sh measures its time.

set -euo pipefail
umask 022  # the program refuses directories that the group can write to

ROUTEVPN=$(command -v "${ROUTEVPN:-routevpn}") || { echo "ROUTEVPN is not a program" >&2; exit 1; }
DIR=$(mktemp -d "${TMPDIR:-/tmp}/routevpn-$$-XXXXXX")
trap 'rm -rf "$DIR"' EXIT
cd "$DIR"

ok() { echo "ok - $*"; }
fail() {
  echo "not ok - $*" >&2
  exit 1
}

# prints TEXT STATUS OUTPUT COMMAND...: the status, and a pattern for all output on both streams.
prints() {
  local text=$1 wanted_status=$2 wanted=$3 status=0 got
  shift 3
  got=$("$@" 2>&1) || status=$?
  # shellcheck disable=SC2053 # it is a pattern
  [[ $got == $wanted && $status == "$wanted_status" ]] ||
    fail "$text"$'\n'"  wanted $wanted_status: $wanted"$'\n'"  got $status: $got"
  ok "$text"
}

topology() { # SITES
  local i
  printf '%s\n' '[organisation]' 'as = 65000' 'interconnect4 = "10.240.0.0/12"' \
    'interconnect6 = "2001:db8:ff::/64"'
  for ((i = 1; i <= $1; i++)); do
    printf '[[site]]\nname = "%d"\nprefixes = ["10.0.%d.0/24", "2001:db8:a%d::/64"]\n' $i $i $i
    printf 'gateway = [{ name = "V%d-1", address = "2001:db8:%d::1" },\n' $i $i
    printf '  { name = "V%d-2", address = "2001:db8:%d::2" }]\n' $i $i
  done
}

# All planned files that are the same in each new directory.
planned() {
  find "$1" -type f ! -name '*.key' ! -name '*.cert' ! -name '*.psk' -print0 | sort -z | xargs -0 sha256sum
}

{
  topology 3
  # `routevpn check` needs existing files and a namespace.
  printf '%s\n' '[defaults]' 'netns = "/proc/self/ns/net"' "cert = \"$DIR/out/{name}/pki/{name}.cert\"" \
    "key = \"$DIR/out/{name}/pki/{name}.key\"" "ca = \"$DIR/out/{name}/pki/ca.cert\"" \
    "crl = \"$DIR/out/{name}/pki/ca.crl\"" \
    "psk-dir = \"$DIR/out/{name}/psk\""
} >topology.toml
prints "--check before the first plan" 1 'would write topology.lock*would create V1-1/links/rv2-1.conf*' \
  "$ROUTEVPN" plan topology.toml --out out --pki pki --check
[[ ! -e out && ! -e pki && ! -e topology.lock ]] || fail "--check has written files"
prints "a plan" 0 'out: 3 sites, 6 gateways, 12 links; 96 files created, 0 changed, 0 removed' \
  "$ROUTEVPN" plan topology.toml --out out --pki pki
prints "the same plan again" 0 '*; 0 files created, 0 changed, 0 removed' \
  "$ROUTEVPN" plan topology.toml --out out --pki pki
prints "--check that the system refuses" 2 "routevpn: *File name too long" \
  "$ROUTEVPN" plan topology.toml --out "$(printf 'x%.0s' {1..300})" --check
prints "--check after it" 0 '' "$ROUTEVPN" plan topology.toml --out out --pki pki --check
for conf in out/*/links/*.conf; do
  "$ROUTEVPN" check --config "$conf" >check.out 2>&1 || fail "$conf: $(<check.out)"
done
ok "check accepts every planned link, with its certificate"

planned out >before
echo 'colour = "red"' >>topology.toml
prints "a fault in the topology" 2 \
  "routevpn: topology.toml:27: unknown key 'colour' in \\[defaults\\]*" \
  "$ROUTEVPN" plan topology.toml --out out --pki pki
planned out | cmp before - || fail "a plan with a fault has written files"
ok "and nothing is written"
sed -i '$d' topology.toml

for mask in 000 022 777; do
  (umask "$mask" && "$ROUTEVPN" plan topology.toml --out "made-$mask" --pki "made-$mask-pki" --new-ca >/dev/null)
  wrong=$(find "made-$mask" "made-$mask-pki" \
    \( -type d ! -name '*pki' ! -name psk ! -perm 755 -o -type d \( -name '*pki' -o -name psk \) ! -perm 700 -o \
    -type f ! -name '*.key' ! -name '*.psk' ! -perm 644 -o \( -name '*.key' -o -name '*.psk' \) ! -perm 600 \) \
    -printf '%m %p ')
  [[ -z $wrong ]] || fail "umask $mask made $wrong"
  ok "umask $mask: only the owner can read secrets, and write"
done
for directory in made-022 made-022/V1-1 made-022/V1-1/links made-022-pki; do
  mode=$(stat -c %a "$directory")
  chmod 777 "$directory"
  prints "a plan into $directory, which all can write to" 2 \
    "routevpn: *$directory: mode is 0777; must be writable by its owner alone (chmod go-w *$directory)" \
    "$ROUTEVPN" plan topology.toml --out made-022 --pki made-022-pki --new-ca
  chmod "$mode" "$directory"
done
prints "a topology file that does not exist" 2 'routevpn: none.toml: cannot be read: No such file or directory' \
  "$ROUTEVPN" plan none.toml --out out
prints "no --out" 2 'routevpn: --out DIR is required: where the files go' \
  "$ROUTEVPN" plan topology.toml

# In memory where /dev/shm is: 160,000 files take a disk long.
LARGE=$DIR
if [[ -w /dev/shm ]]; then
  LARGE=$(mktemp -d /dev/shm/routevpn-$$-XXXXXX)
  trap 'rm -rf "$DIR" "$LARGE"' EXIT
fi

topology 100 >large.toml
for i in 1 2; do
  prints "100 sites of 2 gateways" 0 \
    '*: 100 sites, 200 gateways, 19800 links; 80400 files created, 0 changed, 0 removed' \
    "$ROUTEVPN" plan large.toml --out "$LARGE/$i"
done
for gateway in V1-1 V100-2; do
  links=("$LARGE/1/$gateway"/links/*.conf)
  [[ ${#links[@]} == 198 ]] || fail "$gateway has ${#links[@]} links, not 198"
done
ok "each gateway has a link to each gateway of the 99 other sites"
prints "the same plan of 100 sites again" 0 '*; 0 files created, 0 changed, 0 removed' \
  "$ROUTEVPN" plan large.toml --out "$LARGE/1"
cmp <(cd "$LARGE/1" && planned .) <(cd "$LARGE/2" && planned .) || fail "two plans differ"
ok "two plans of the same topology are equal"
