#!/usr/bin/env bash
# A short run of compare.py: every metric has a figure, and no namespace, process or file remains,
# also after a SIGTERM in the middle of a run. Needs root.
#
#   ROUTEVPN, UDP_RATE, DETOUR    the programs
set -euo pipefail
: "${ROUTEVPN:?}" "${UDP_RATE:?}" "${DETOUR:?}"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=$(mktemp -d)
comparing=''
export PYTHONDONTWRITEBYTECODE=1

clean_up() {
  if [[ $comparing ]]; then
    kill -TERM "$comparing" 2>/dev/null || true
    wait "$comparing" || true
  fi
  rm -rf "$out"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

fail() {
  echo "not ok - $*" >&2
  cat "$out/log" >&2
  exit 1
}

# compare OPTION...: starts compare.py in the background; $comparing is its pid.
compare() {
  rm -f "$out/log"
  python3 "$here/compare.py" --routevpn "$ROUTEVPN" --udp-rate "$UDP_RATE" --detour "$DETOUR" \
    --peers routevpn --rounds 1 --seconds 1 --out "$out" "$@" >"$out/log" 2>&1 &
  comparing=$!
}

left_over() { ip netns list | grep "^rvbench$1-" || compgen -G "${TMPDIR:-/tmp}/rvbench$1-*"; }

# measured FILE KEY...: the file has a positive figure for each key.
measured() {
  python3 - "$out/$1" "${@:2}" <<'END'
import json, sys
with open(sys.argv[1], encoding="utf-8") as file:
    data = json.load(file)
figures = data["rounds"][0]["routevpn"]
missing = [key for key in sys.argv[2:] if not figures.get(key, 0) > 0]
sys.exit(f"no figure for {missing}" if missing or data["faults"] else 0)
END
}

compare
pid=$comparing
wait "$pid" || fail "compare.py ended with $?"
comparing=''
measured comparison.json tcp1 tcp4 bidir cpu1 udp64 udp1200 idle loaded rss pss rss_peak pss_peak \
  start || fail "a figure is missing"
for file in comparison{,-brief}.{md,svg}; do
  [[ -s $out/$file ]] || fail "$file is missing or empty"
done
! left_over "$pid" || fail "the run left something behind"
echo "ok - every metric has a figure, and the run leaves nothing behind"

compare --impaired
pid=$comparing
wait "$pid" || fail "compare.py --impaired ended with $?"
comparing=''
measured impaired.json tcp1 tcp4 bidir idle loaded lost late || fail "a figure is missing"
! left_over "$pid" || fail "the run left something behind"
echo "ok - an impaired path loses and reorders datagrams"

compare --rounds 9
pid=$comparing
deadline=$((SECONDS + 20))
until grep -qs ': 1 stream: ' "$out/log"; do
  kill -0 "$pid" || fail "compare.py ended before SIGTERM"
  ((SECONDS < deadline)) || fail "nothing measured after 20 s"
  sleep 0.05
done
kill -TERM "$pid"
status=0
wait "$pid" || status=$?
comparing=''
[[ $status == 130 ]] || fail "ended with $status, not 130"
! left_over "$pid" || fail "the terminated run left something behind"
echo "ok - a terminated run leaves nothing behind"
