#!/usr/bin/env bash
# routevpn-exporter beside a real link and a real BIRD: its figures are those of `show --json`, what does not
# answer is down, strangers get nothing, and Prometheus raises an alert when the link is cut.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=exporter_bird.sh
source "$(dirname "${BASH_SOURCE[0]}")/exporter_bird.sh"

EXPORTER=$(command -v "${EXPORTER:-$ROUTEVPN-exporter}") || fail "EXPORTER is not a program"
tools=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
rules=$tools/../../src/exporter/prometheus/alerts.yml
PAGE=http://127.0.0.1:9586

get() { in_ns "$PUB_A" curl -sS --max-time 10 "${@:2}" "$PAGE$1"; } # PATH [OPTION...]
status_of() { get "$@" -o "$DIR/answer" -w '%{http_code}'; }
# value SAMPLE: the value of the sample with this name and these labels.
value() { get /metrics >"$DIR/metrics" && grep -F "$1 " "$DIR/metrics" | sed 's/.* //'; }
value_is() { [[ $(value "$1") == "$2" ]]; }
has_line() { get /metrics >"$DIR/metrics" && grep "$1" "$DIR/metrics"; }
# soon TEXT COMMAND...: a check that may wait. On a busy machine a link may need more than the 100 ms after which
# it counts as down.
soon() {
  wait_for "${@:2}" || fail "$1: $(<"$DIR/metrics")"
  ok "$1"
}
names_of() { sed -n 's/^# TYPE //p' "$1" | sort; }

two_links --detection normal
bird a "$PRIV_A" 10.255.0.2 10.255.0.1 10.1.0.0/24
bird b "$PRIV_B" 10.255.0.1 10.255.0.2 10.2.0.0/24
start exporter "$PUB_A" "$EXPORTER" --run-dir "$DIR/a" --host gw.example.net
wait_for get /-/healthy || fail "the exporter does not answer"
ok "the exporter answers"

# --- figures --------------------------------------------------------------------------------------

soon "the link is up" value_is 'routevpn_link_up{link="rv0"}' 1
in_ns "$PRIV_A" ping -q -c 3 -i 0.2 10.255.0.2 >"$DIR/ping.out"
soon "the MTU is that of show" value_is 'routevpn_link_mtu_bytes{link="rv0"}' "$(show a .mtu)"
counts_agree() { # BIRD may send between the two answers
  local before after
  before=$(show a .tx.packets)
  after=$(value 'routevpn_link_packets_total{link="rv0",direction="tx"}')
  [[ $before == "$after" ]]
}
soon "the packets are those of show" counts_agree
soon "the peer is named" has_line '^routevpn_link_info{link="rv0",ifname="rv0",.*peer="b",.*state="up"'
soon "the end of our certificate is there" \
  has_line '^routevpn_certificate_not_after_timestamp_seconds{link="rv0",subject=".*a",role="own"} [0-9.e+]*$'
soon "BIRD's session is up, and belongs to the link" \
  value_is 'routevpn_bgp_session_up{bird="private",protocol="PEER",link="rv0"}' 1
soon "the route through the link is counted" value_is 'routevpn_routes{link="rv0",family="ipv4"}' 1
expect "promtool accepts the text" promtool check metrics <"$DIR/metrics"
in_json() { get /api/v1/status | jq -e '.links[0].link == "rv0" and .birds[0].sessions[0].state == "Established"'; }
soon "the JSON has the link and the session" in_json
has_event() { get /api/v1/events -N --max-time 2 >"$DIR/events" 2>"$DIR/events.log" || true; grep -c '^event: status' "$DIR/events"; }
expect "the stream has the status at once, and each second" [ "$(has_event)" -ge 2 ]
has_route() {
  get /api/v1/routes?prefix="$1" | jq -e '.birds[0].routes[0] | .network == "10.2.0.0/24" and .best and
    .protocol == "PEER" and .next_hops[0] == {"address": "10.255.0.2", "interface": "rv0", "weight": null, "link": "rv0"}'
}
soon "the looking glass has the route to an address, with its link" has_route 10.2.0.9
soon "and to a prefix" has_route 10.2.0.0%2F25
expect_equal "what is no prefix never comes to BIRD" 400 "$(status_of '/api/v1/routes?prefix=10.2.0.9%0Aconfigure')"
same_names() {
  get /metrics >"$DIR/metrics"
  "$ROUTEVPN" show --run-dir "$DIR/a" --prometheus >"$DIR/once"
  [[ $(names_of "$DIR/metrics") == "$(names_of "$DIR/once")" ]] && grep -q '^# TYPE routevpn_routes ' "$DIR/once"
}
soon "show --prometheus prints the same metrics" same_names
expect_not "a named link that does not run is an error" \
  "$ROUTEVPN" show none --run-dir "$DIR/a" --prometheus

# --- what does not answer -------------------------------------------------------------------------

worker=$(show a .pid)
kill -STOP "$worker"
soon "a hung worker is down" has_line 'link="rv0".*state="unknown",reason="no_answer"'
soon "BIRD is still seen" value_is 'routevpn_bird_up{bird="private"}' 1
kill -CONT "$worker"
soon "the worker runs again, and the link is up" value_is 'routevpn_link_up{link="rv0"}' 1

show a . >"$DIR/a/status.json"
start sockets "$PUB_A" python3 "$tools/sockets.py" links "$DIR/a"
wait_for grep -q ready "$DIR/sockets.log" || fail "no sockets"
soon "a link beside links that misbehave is up" value_is 'routevpn_link_up{link="sound"}' 1
for name in garbage:bad_answer silent:no_answer stale:not_running; do
  soon "a link with ${name#*:} is down" has_line "link=\"${name%:*}\".*reason=\"${name#*:}\""
done
expect "promtool accepts the text" promtool check metrics <"$DIR/metrics"
stop sockets || true
rm "$DIR"/a/{sound,garbage,silent,stale}.sock
stop bird_a KILL || true
soon "a killed BIRD is down" value_is 'routevpn_bird_up{bird="private"}' 0

# --- strangers ------------------------------------------------------------------------------------

expect_equal "a foreign name is refused" 421 "$(status_of /metrics -H 'Host: evil.example')"
expect_equal "the name of --host is answered" 200 "$(status_of /metrics -H 'Host: gw.example.net:9586')"
expect_equal "a request that would change something is refused" 405 "$(status_of /metrics -d x=1)"
expect_equal "another path is not there" 404 "$(status_of /../etc/passwd --path-as-is)"
mkfifo "$DIR/held"
# crowd TEXT [PATH]: 1,000 clients that send nothing, or a request for the path, and a scrape beside them.
crowd() {
  local told
  in_ns "$PUB_A" python3 "$tools/sockets.py" clients 9586 1000 "${@:2}" <"$DIR/held" >"$DIR/clients.out" \
    2>"$DIR/clients.log" &
  PID[clients]=$!
  exec 9>"$DIR/held"
  wait_for grep -q ready "$DIR/clients.out" || fail "the clients do not connect: $(<"$DIR/clients.log")"
  expect_equal "beside 1,000 $1 a scrape is answered" 200 "$(status_of /metrics)"
  exec 9>&-
  wait "${PID[clients]}"
  unset "PID[clients]"
  told=$(tail -n 1 "$DIR/clients.out")
  ((told >= 900)) || fail "only $told of the $1 were told to come back"
  ok "the $1 were told to come back: $told"
}
crowd "silent clients"
crowd "clients of the stream" /api/v1/events
resident_kib=$(awk '/^VmHWM/ { print $2 }' "/proc/${PID[exporter]}/status")
((resident_kib < 20480)) || fail "the exporter took $resident_kib KiB"
ok "the exporter took $resident_kib KiB at most"

# Only a member of the sockets' group may read them.
install -m 755 "$EXPORTER" "$DIR/exporter"
chmod 711 "$DIR"
chgrp 12345 "$DIR/a/rv0.sock"
once_as() { # GROUP SAMPLE
  in_ns "$PUB_A" setpriv --reuid 65534 --regid 65534 --groups "$1" "$DIR/exporter" --once --run-dir "$DIR/a" >"$DIR/metrics"
  grep "$2" "$DIR/metrics"
}
soon "a member of the group reads the link" once_as 12345 '^routevpn_link_up{link="rv0"} 1'
soon "another user does not" once_as 12346 'link="rv0".*reason="inaccessible"'

# --- services -------------------------------------------------------------------------------------

start passed "$PUB_A" python3 "$tools/sockets.py" pass 9600 "$EXPORTER" --run-dir "$DIR/a" --listen 9586
PAGE=http://127.0.0.1:9600
soon "a socket that the service manager passes is served" value_is 'routevpn_link_up{link="rv0"}' 1
stop passed || fail "the exporter does not end with status 0"
PAGE=http://127.0.0.1:9586
start second "$PUB_A" "$EXPORTER" --run-dir "$DIR/a"
expect_end "a second exporter on the port ends, so that systemd tries again" second 1

cat >"$DIR/prometheus.yml" <<END
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [$DIR/alerts.yml]
scrape_configs:
  - job_name: routevpn
    static_configs: [{targets: ['127.0.0.1:9586']}]
END
sed 's/for: .*/for: 1s/' "$rules" >"$DIR/alerts.yml"
start prometheus "$PUB_A" prometheus --config.file="$DIR/prometheus.yml" --storage.tsdb.path="$DIR/tsdb" \
  --web.listen-address=127.0.0.1:9090 --log.level=warn
api() { in_ns "$PUB_A" curl -sS --max-time 10 "http://127.0.0.1:9090/api/v1/$1"; }
scraped() { api 'query?query=routevpn_link_up' | jq -e '.data.result[0].value[1] == "1"'; }
fires() { api alerts | jq -e --arg alert "$1" '.data.alerts[] | select(.labels.alertname == $alert and .state == "firing")'; }
soon "Prometheus scrapes the exporter" scraped
ip -n "$PUB_A" link set eth0 down
wait_for fires RoutevpnLinkDown || fail "the alert does not fire: $(api alerts)"
ok "an alert fires when the link is cut"
stop prometheus || true
stop exporter || fail "the exporter does not end with status 0"
ok "the exporter ends with status 0"
