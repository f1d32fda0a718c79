#!/usr/bin/env bash
# `routevpn plan --new-psks` and `routevpn apply` replace the pre-shared key of a running link in three steps,
# twice, while pings pass: none is lost, and no handshake is refused. Each end applies a step at another time.
# A gateway is a root directory, whose /etc/routevpn its link sees as its own.

HERE=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$HERE/lib.sh"
# shellcheck source-path=SCRIPTDIR source=planned.sh
source "$HERE/planned.sh"

declare -A GATEWAY=([a]=V1-1 [b]=V2-1) LINK=([a]=rv2-1 [b]=rv1-1)

write_topology ''
plan_ends() { # OPTION...
  plan --out plan "$@"
  local end
  for end in a b; do
    units_are "${GATEWAY[$end]}" "routevpn@${LINK[$end]}.service"
    rm -rf "plan/${GATEWAY[$end]}/bird"
  done
}

# The fake systemctl: each unit runs and is enabled. A restart is not among its commands.
replace_systemctl <<'END'
#!/usr/bin/env bash
case $1 in
  is-active) for _ in "${@:2}"; do echo active; done ;;
  is-enabled) for _ in "${@:2}"; do echo enabled; done ;;
  enable) ;;
  *) echo "$*" >>"$DIR/wrong" && exit 1 ;;
esac
END

apply() { # END: its output in DIR/apply.out
  "$ROUTEVPN" apply "plan/${GATEWAY[$1]}" --root "$DIR/$1" >apply.out 2>&1 || fail "apply of $1: $(<apply.out)"
}

# run END NETNS: the link, in a mount namespace with the gateway's files below /etc/routevpn.
run() {
  # shellcheck disable=SC2016 # the inner shell expands them
  start "$1" "$2" unshare --mount bash -c '
    cp -a /etc "$1/etc.copy" && mkdir -p "$1/etc.copy/routevpn" && mount --bind "$1/etc.copy" /etc &&
      mount --bind "$1/etc/routevpn" /etc/routevpn &&
      exec "$2" --config "/etc/routevpn/$3.conf" --run-dir "$1/run/routevpn"' run \
    "$DIR/$1" "$ROUTEVPN" "${LINK[$1]}"
}

mkdir -p {a,b}/{run/routevpn,etc/routevpn/{pki,psk}}
plan_ends
for end in a b; do
  cp "plan/${GATEWAY[$end]}"/links/*.conf "$end/etc/routevpn/"
  cp -p "plan/${GATEWAY[$end]}"/pki/* "$end/etc/routevpn/pki/"
  cp -p "plan/${GATEWAY[$end]}"/psk/* "$end/etc/routevpn/psk/"
done
run a "$PUB_A"
run b "$PUB_B"
status_of() { "$ROUTEVPN" show "${LINK[$1]}" --run-dir "$DIR/$1/run/routevpn" --json | jq -r ".[0]$2"; }
is_up() { [[ $(status_of "$1" .state 2>/dev/null) == up ]]; }
for end in a b; do wait_for is_up "$end" || fail "the link of $end is not up"; done
apply a
apply b
ok "the planned link is up"

carrier_changes() { in_ns "$PRIV_A" cat "/sys/class/net/${LINK[a]}/carrier_changes"; }
changes=$(carrier_changes)
peer_address=$(sed -n 's|^address = \(.*\)/30|\1|p' b/etc/routevpn/rv1-1.conf)
start pings "$PRIV_A" ping -i 0.02 "$peer_address"
answered() { grep -c 'bytes from' "$DIR/pings.log"; }
answers_more_than() { (($(answered) > $1)); }
wait_for answers_more_than 5 || fail "no ping passes"

keys_of() { # END: the files that the link uses, in their order
  sed -n 's|^psk = /etc/routevpn/psk/||p' "$1/etc/routevpn/${LINK[$1]}.conf" | tr '\n' ' '
}
handshakes_more_than() { (($(status_of "$1" .handshakes) > $2)); }
first_key=$(<a/etc/routevpn/psk/rv2-1.psk)
for round in 1 2; do
  for step in 1 2 3; do
    plan_ends --new-psks
    grep -q "^plan: new pre-shared keys, step $step of 3: " plan.out || fail "wrong step: $(<plan.out)"
    ends=(a b)
    ((step != 2)) || ends=(b a)
    for end in "${ends[@]}"; do
      handshakes=$(status_of "$end" .handshakes)
      apply "$end"
      grep -q "^done: reload routevpn@${LINK[$end]}.service" apply.out || fail "no reload: $(<apply.out)"
      wait_for handshakes_more_than "$end" "$handshakes" ||
        fail "round $round, step $step, $end: no handshake with the keys $(keys_of "$end")"
      before=$(answered)
      wait_for answers_more_than $((before + 5)) || fail "round $round, step $step, $end: pings do not pass"
    done
    ok "round $round, step $step: both ends have $(keys_of a)"
  done
done
expect_equal "the name of the key is the first again" "rv2-1.psk " "$(keys_of a)"
[[ $(<a/etc/routevpn/psk/rv2-1.psk) != "$first_key" ]] || fail "the key is the first one"
expect "the key is a new one, the same at both ends" cmp a/etc/routevpn/psk/rv2-1.psk b/etc/routevpn/psk/rv1-1.psk
expect_equal "no other key is on the gateways" "2" "$(find a/etc/routevpn b/etc/routevpn -name '*.psk' | wc -l)"
for end in a b; do
  expect_equal "$end has refused no handshake" "0" "$(status_of "$end" '.drops.psk_mismatch // 0')"
done
expect_equal "the carrier has not changed" "$changes" "$(carrier_changes)"
[[ ! -e wrong ]] || fail "apply called: systemctl $(<wrong)"
stop pings INT || true
expect_equal "no ping was lost" 0 "$(unanswered pings)"
