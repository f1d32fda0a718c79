#!/usr/bin/env bash
# BIRD with the plans of `routevpn plan` for route reflectors and for hubs: three sites of two gateways.
# veth pairs with the names and addresses of the links take the place of the links.

HERE=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$HERE/lib.sh"

cd "$DIR"
GATEWAYS=(V1-1 V1-2 V2-1 V2-2 V3-1 V3-2)
CONSTANT=$HERE/../../bird

topology() { # LINE...
  printf '%s\n' '[organisation]' 'as = 65000' 'interconnect4 = "10.255.0.0/24"' \
    'interconnect6 = "2001:db8:ff::/64"' "$@" '[defaults]' "include = \"$CONSTANT\""
  local site
  for site in 1 2 3; do
    cat <<END
[[site]]
name = "$site"
prefixes = ["10.0.$site.0/24", "2001:db8:a$site::/64"]
gateway = [
  { name = "V$site-1", address = "2001:db8:$site::1" },
  { name = "V$site-2", address = "2001:db8:$site::2" },
]
END
  done
}

space() { echo "rv$$-$1"; }

# A veth pair in the place of a link, with the addresses of the planned files.
make_link() { # GATEWAY GATEWAY
  local own=$1 peer=$2 end file address
  wire "$(space "$own")" "rv${peer#V}" "$(space "$peer")" "rv${own#V}"
  for end in "$own ${peer#V}" "$peer ${own#V}"; do
    file=plan/${end% *}/links/rv${end#* }.conf
    while read -r address; do
      ip -n "$(space "${end% *}")" address add "$address" dev "rv${end#* }" nodad 2>/dev/null ||
        ip -n "$(space "${end% *}")" address add "$address" dev "rv${end#* }"
    done < <(sed -n 's/^address = //p' "$file")
  done
}

make_gateway() { # NAME
  local site=${1#V} space
  space=$(space "$1")
  namespace "$space"
  # A link keeps its addresses when it is down, as the interfaces of routevpn do.
  in_ns "$space" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
    net.ipv6.conf.all.keep_addr_on_down=1
  # The second gateway of a site makes the network between both.
  [[ $site == *-1 ]] || wire "$space" lan "$(space "V${site%-*}-1")" lan
}

address_lan() { # NAME
  local site=${1#V} space
  space=$(space "$1")
  ip -n "$space" address add "10.0.${site%-*}.${site#*-}/24" dev lan
  ip -n "$space" address add "2001:db8:a${site%-*}::${site#*-}/64" dev lan nodad
}

bird_up() { # GATEWAY
  start "bird-$1" "$(space "$1")" bird -f -c "plan/$1/bird/private.conf" -s "$DIR/$1.ctl" \
    -P "$DIR/$1.pid"
}

up() { # LINE...: more lines of [organisation]
  local gateway own peer
  topology "$@" >topology.toml
  "$ROUTEVPN" plan topology.toml --out plan >plan.out
  for gateway in "${GATEWAYS[@]}"; do make_gateway "$gateway"; done
  for gateway in "${GATEWAYS[@]}"; do address_lan "$gateway"; done
  while read -r own peer; do make_link "$own" "$peer"; done \
    < <(sed -n 's/^link [0-9]* //p' topology.lock)
  for gateway in "${GATEWAYS[@]}"; do bird_up "$gateway"; done
}

down() {
  local gateway
  for gateway in "${GATEWAYS[@]}"; do
    [[ -z ${PID[bird-$gateway]:-} ]] || stop "bird-$gateway" || true
    ip netns delete "$(space "$gateway")"
  done
  SPACES=("${SPACES[@]:0:4}")
  rm -rf plan topology.*
}

# The interfaces of a gateway's routes to a prefix, in alphabetical order.
next_hops() { # GATEWAY PREFIX
  local family=-4
  [[ $2 == *:* ]] && family=-6
  ip -n "$(space "$1")" "$family" route show "$2" | grep -o 'dev [^ ]*' | cut -d' ' -f2 | sort -u |
    xargs
}
next_hops_are() { # GATEWAY PREFIX INTERFACES
  local got
  got=$(next_hops "$1" "$2")
  [[ $got == "$3" ]] || { echo "$1 to $2: wanted '$3', got '$got'"; return 1; }
}
sessions() { grep -c "^protocol bgp" "plan/$1/bird/private.conf"; }
reaches() { in_ns "$(space "$1")" ping -q -c 1 -W 1 -I "$2" "$3"; }
set_link() { ip -n "$(space "$1")" link set "$2" "$3"; }

# --- a full mesh with reflectors ----------------------------------------------------------------

up 'reflectors = "auto"' # V1-1, V2-1, V3-1
expect_equal "a client has a session with each reflector of another site" 2 "$(sessions V3-2)"
for prefix in 10.0.3.0/24 2001:db8:a3::/64; do
  expect "V2-2, a client, uses both direct links to $prefix" \
    wait_for next_hops_are V2-2 "$prefix" "rv3-1 rv3-2"
done
expect "V3-2 uses both direct links to 10.0.2.0/24" \
  wait_for next_hops_are V3-2 10.0.2.0/24 "rv2-1 rv2-2"
expect "V1-1, a reflector, uses both direct links to 2001:db8:a3::/64" \
  wait_for next_hops_are V1-1 2001:db8:a3::/64 "rv3-1 rv3-2"
expect "V2-2 reaches site 3, IPv4" wait_for reaches V2-2 10.0.2.2 10.0.3.2
expect "V2-2 reaches site 3, IPv6" wait_for reaches V2-2 2001:db8:a2::2 2001:db8:a3::2

set_link V3-2 rv2-2 down
expect "without its direct link to V3-2, over which it has no session, V2-2 uses the other" \
  wait_for next_hops_are V2-2 10.0.3.0/24 rv3-1
set_link V2-2 rv3-1 down
expect "without both links it uses the other gateway of its site" \
  wait_for next_hops_are V2-2 10.0.3.0/24 lan
set_link V2-2 rv3-1 up
set_link V3-2 rv2-2 up
expect "and both links when they are back" \
  wait_for next_hops_are V2-2 2001:db8:a3::/64 "rv3-1 rv3-2"

stop bird-V1-1 KILL || true
expect "the other gateway serves a site whose reflector was killed" \
  wait_for next_hops_are V3-2 10.0.1.0/24 rv1-2
expect "and the direct links serve the other sites" wait_for next_hops_are V2-1 10.0.3.0/24 "rv3-1 rv3-2"
expect "traffic passes between two clients" wait_for reaches V2-2 10.0.2.2 10.0.3.2
down

# --- a hub and its spokes -----------------------------------------------------------------------

up 'mesh = "hub-and-spoke"' 'hubs = "1"'
for prefix in 10.0.3.0/24 2001:db8:a3::/64; do
  expect "V2-2, a spoke, uses both links to the hub for $prefix" \
    wait_for next_hops_are V2-2 "$prefix" "rv1-1 rv1-2"
done
expect "the hub uses its own links" wait_for next_hops_are V1-1 10.0.3.0/24 "rv3-1 rv3-2"
expect "a spoke reaches another spoke" wait_for reaches V2-2 10.0.2.2 10.0.3.2
set_link V1-1 rv2-2 down
expect "without one link to the hub the other is used" wait_for next_hops_are V2-2 10.0.3.0/24 rv1-2
down

# --- two hubs -----------------------------------------------------------------------------------

up 'mesh = "hub-and-spoke"' 'hubs = ["1", "2"]'
expect "a hub uses its own links to a spoke, not those through the other hub" \
  wait_for next_hops_are V1-1 10.0.3.0/24 "rv3-1 rv3-2"
expect "a spoke uses its links to the site of a hub" \
  wait_for next_hops_are V3-1 10.0.1.0/24 "rv1-1 rv1-2"
set_link V3-1 rv1-1 down
set_link V3-2 rv1-1 down
expect "a hub without links to a spoke uses the other hub" \
  wait_for next_hops_are V1-1 10.0.3.0/24 "rv2-1 rv2-2"
down
