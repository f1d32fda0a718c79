# shellcheck shell=bash
# The two links as services that can be restarted. service_manager.py takes the place of systemd. lib.sh comes
# first. The configuration file of a link is DIR/NAME/rv0.conf, with the lines OPTIONS beside those that every
# link has.

OPTIONS=()
declare -A SPACE=([a]=$PUB_A [b]=$PUB_B) PRIVATE=([a]=$PRIV_A [b]=$PRIV_B)

# The service's command. The options of strace in DIR/strace make a fault in the next monitor. DIR/stop has the
# pid of a worker that is stopped before the next monitor adopts it.
cat >"$DIR/command" <<END
#!/bin/sh
if [ -e "$DIR/stop" ]; then
  kill -STOP "\$(cat "$DIR/stop")"
  rm "$DIR/stop"
fi
if [ -e "$DIR/strace" ]; then
  read -r fault <"$DIR/strace"
  rm "$DIR/strace"
  exec strace -D -o /dev/null \$fault "\$@"
fi
exec "\$@"
END
chmod +x "$DIR/command"

# serve a|b: that link under a service manager, configured by DIR/NAME/rv0.conf.
serve() {
  local name=$1
  start "$name" "${SPACE[$name]}" python3 "$(dirname "${BASH_SOURCE[0]}")/service_manager.py" "$DIR/$name.manager" \
    "$DIR/command" "$ROUTEVPN" --config "$DIR/$name/rv0.conf"
  wait_for has_socket "$name" || fail "link $name did not start"
}

configure() { # a|b LINE...: beside what every link has
  local name=$1
  shift
  mkdir -p "$DIR/$name"
  {
    printf '%s\n' "ifname = rv0" "netns = ${PRIVATE[$name]}" "cert = $DIR/$name.cert" \
      "key = $DIR/$name.key" "ca = $DIR/ca.cert" "run-dir = $DIR/$name" "${OPTIONS[@]}" "$@"
  } >"$DIR/$name/rv0.conf"
}

configure_both() {
  configure a "peer = 192.0.2.2" "peer-name = b" "address = 10.255.0.1/30" \
    "address = 2001:db8:ff::/127"
  configure b "listen = 192.0.2.2:$PORT" "peer-name = a" "address = 10.255.0.2/30" \
    "address = 2001:db8:ff::1/127"
}

readies() { grep -c '^ready$' "$DIR/$1.log" || true; }
is_ready() { (($(readies "$1") > $2)); }

# restart a|b: as `systemctl restart`, which returns when the service is ready.
restart() {
  local before
  before=$(readies "$1")
  kill -USR1 "${PID[$1]}"
  wait_for is_ready "$1" "$before" || fail "$1 is not ready after its restart"
}

serve_both() {
  serve b
  serve a
  wait_up a
  wait_up b
}

stop_services() {
  local name
  for name in a b; do stop "$name" || fail "the service $name ended with status $?"; done
}
