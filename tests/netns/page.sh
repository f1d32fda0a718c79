#!/usr/bin/env bash
# The exporter's page in headless Chromium, beside a real link and a real BIRD: page.py has the checks.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=exporter_bird.sh
source "$(dirname "${BASH_SOURCE[0]}")/exporter_bird.sh"

EXPORTER=$(command -v "${EXPORTER:-$ROUTEVPN-exporter}") || fail "EXPORTER is not a program"
tools=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
answers() { in_ns "$PUB_A" curl -sS --max-time 10 -o "$DIR/answer" http://127.0.0.1:9586/-/healthy; }
has_route() { birdc -s "$DIR/a/bird/private.ctl" show route 10.2.0.0/24 | grep PEER; }

two_links --detection fast
bird a "$PRIV_A" 10.255.0.2 10.255.0.1 10.1.0.0/24
bird b "$PRIV_B" 10.255.0.1 10.255.0.2 10.2.0.0/24
start exporter "$PUB_A" "$EXPORTER" --run-dir "$DIR/a"
wait_for answers || fail "the exporter does not answer"
wait_for has_route || fail "BIRD does not learn the route: $(<"$DIR/wait_for.out")"
in_ns "$PRIV_A" ping -q -c 3 -i 0.2 10.255.0.2 >"$DIR/ping.out"

# For page.py.
AXE=$(bash "$tools/../../scripts/axe.sh" 2>"$DIR/axe.log") || echo "skipped: axe-core, $(<"$DIR/axe.log")"
export AXE

# python3-selenium belongs to Debian's Python. Chromium keeps files in HOME.
mkdir "$DIR/home"
HOME=$DIR/home in_ns "$PUB_A" /usr/bin/python3 "$tools/page.py" http://127.0.0.1:9586/ "$ROUTEVPN" "$DIR" "$PUB_A" \
  "$PUB_B" 2>"$DIR/browser.log"
# The limits of a machine with other work; large_map.py has those of an idle one.
HOME=$DIR/home in_ns "$PUB_A" /usr/bin/python3 "$tools/large_map.py" 5000 5 2>>"$DIR/browser.log"
stop exporter || fail "the exporter does not end with status 0"
ok "the exporter ends with status 0, with the page open a moment before"
