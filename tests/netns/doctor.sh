#!/usr/bin/env bash
# `routevpn doctor` on a gateway without a fault, and with faults that this script makes. The commands
# that it prints mend them.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=dated_certificates.sh
source "$(dirname "${BASH_SOURCE[0]}")/dated_certificates.sh"

mkdir -p "$DIR/etc" "$DIR/b"
cat >"$DIR/etc/rv0.conf" <<END
listen = $PORT
public-netns = $PUB_B
netns = $PRIV_B
ifname = rv0
address = 10.255.0.2/30
peer-name = a
cert = $DIR/b.cert
key = $DIR/b.key
ca = $DIR/ca.cert
run-dir = $DIR/b
END

# examine: the findings in DIR/findings, but that of the clock, which is the machine's own; the exit status
# in STATUS.
examine() {
  STATUS=0
  "$ROUTEVPN" doctor --config-dir "$DIR/etc" --json >"$DIR/all" || STATUS=$?
  jq 'map(select(.check != "clock" and .severity == "fault"))' "$DIR/all" >"$DIR/findings"
}
found() { jq -er ".[] | select(.check == \"$1\") | .$2" "$DIR/findings"; } # CHECK MEMBER
checks() { jq -r 'map(.check) | unique | join(" ")' "$DIR/findings"; }
sees() { examine && [[ $(checks) == "$1" ]]; }
# mend CHECK: runs the command that doctor prints.
mend() { eval "$(found "$1" mend)" >"$DIR/mend.out" 2>&1 || fail "does not run: $(found "$1" mend)"; }

in_ns "$PRIV_B" sysctl -qw net.ipv4.ip_forward=1
start b "$PUB_B" "$ROUTEVPN" --config "$DIR/etc/rv0.conf"
wait_for has_socket b || fail "link b did not start"
sees peer || fail "wanted the finding of the peer, got: $(<"$DIR/findings")"
expect_equal "without its peer the link is a finding" "1" "$STATUS"
link_a
wait_up a
wait_up b
sees "" || fail "a finding without a fault: $(<"$DIR/findings")"
ok "a gateway without a fault has no finding"

in_ns "$PRIV_B" sysctl -qw net.ipv4.ip_forward=0
sees forwarding || fail "wanted forwarding, got: $(<"$DIR/findings")"
ok "forwarding that is off is found: $(found forwarding what)"
mend forwarding
sees "" || fail "it is not mended: $(<"$DIR/findings")"
ok "the command of the finding switches it on"

in_ns "$PUB_B" nft -f - <<END
table inet filter {
  chain input {
    type filter hook input priority 0; policy drop;
    tcp dport 22 accept
  }
}
END
wait_for sees "firewall peer" || fail "wanted firewall and peer, got: $(<"$DIR/findings")"
ok "a firewall that drops the port is found: $(found firewall what)"
mend firewall
wait_for sees "" || fail "it is not mended: $(<"$DIR/findings")"
ok "the command of the finding opens the port, and the link is up again"

cp "$DIR/b.cert" "$DIR/b.valid"
make_expired b "$DIR/b.expired"
cat "$DIR/b.expired" >"$DIR/b.cert"
sees certificate || fail "wanted certificate, got: $(<"$DIR/findings")"
expect_equal "an expired certificate is found" "the certificate has expired" "$(found certificate what)"
chmod 666 "$DIR/etc/rv0.conf"
sees "certificate configuration" || fail "wanted certificate and configuration, got: $(<"$DIR/findings")"
expect_equal "also if the link refuses its file" "the certificate has expired" "$(found certificate what)"
chmod 644 "$DIR/etc/rv0.conf"
cat "$DIR/b.valid" >"$DIR/b.cert"

sed "s/^netns = .*/netns = rv$$-none/" "$DIR/etc/rv0.conf" >"$DIR/etc/rv1.conf"
touch -d '-1 hour' "$DIR/etc/rv1.conf"
sees "namespace running" || fail "wanted namespace and running, got: $(<"$DIR/findings")"
expect_equal "a namespace that does not exist is found" "namespace rv$$-none: these links cannot start: rv1" \
  "$(found namespace 'where + ": " + .why')"
rm "$DIR/etc/rv1.conf"

touch -d '+1 hour' "$DIR/etc/rv0.conf"
sees running || fail "wanted running, got: $(<"$DIR/findings")"
ok "a file that is newer than the link is found"
stop_links
sees running || fail "wanted running, got: $(<"$DIR/findings")"
expect_equal "a link that does not run is found" "the link is not running" \
  "$(found running what | sed 's/: its unit is .*//')"

expect "the text has what, why and the command" grep -q '^  mend: ' \
  <("$ROUTEVPN" doctor --config-dir "$DIR/etc" || true)
status=0
"$ROUTEVPN" doctor --config-dir "$DIR/etc" rv9 2>"$DIR/usage.out" || status=$?
expect_equal "an unknown link is a usage fault" "2" "$status"
expect "which names the file" grep -q "there is no $DIR/etc/rv9.conf" "$DIR/usage.out"
