#!/usr/bin/env bash
# The round trips that `routevpn show` prints lie between those of pings outside and inside the link, on an
# idle link and on one that carries as much as it can.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=flows.sh
source "$(dirname "${BASH_SOURCE[0]}")/flows.sh"

# ping_us NETNS ADDRESS: prints the least and the mean round trip of 50 pings in microseconds.
ping_us() {
  in_ns "$1" ping -q -n -c 50 -i 0.02 "$2" |
    awk -F'[ /]' '/^rtt/ { printf "%d %d\n", $7 * 1000, $8 * 1000; found = 1 } END { exit !found }'
}

# A request takes one path through both kernels, as a ping outside does, and is answered by the peer's lane.
# A ping inside takes that path, too, and passes both interfaces.
least_is_between() { # TEXT FLOOR CEILING
  local end least
  for end in a b; do
    least=$(show $end '.rtt_us.min | floor')
    ((least > $2 && least < $3)) || fail "$1: $end: least $least us, not within $2 and $3"
  done
  ok "$1: the least round trips are within $2 and $3 us"
}

measured() { [[ $(show a '.rtt_us.smoothed > 0') == true && $(show b '.rtt_us.smoothed > 0') == true ]]; }

read -r outside _ < <(ping_us "$PUB_A" 192.0.2.2)
two_links --keepalive 10 --dead-after 30000
wait_for measured || fail "no round trip was measured"
read -r _ inside < <(ping_us "$PRIV_A" 10.255.0.2)
least_is_between "idle" $((outside / 3)) "$inside"
transfer "beside TCP in both directions" "$PRIV_A" "$PRIV_B" 10.255.0.2 --bidir --time 4
least_is_between "busy" $((outside / 3)) "$inside"
