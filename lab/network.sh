# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034 # run.sh sets prefix, sites, root; base.sh run_dir and the programs
# The lab's namespaces and cables. All routes come from BIRD.

# The packet fields that select the next hop: addresses and ports, and in site routers the protocol, too.
# All namespaces of a machine share the secret of the hash. With the same fields, all packets that R1
# sends to V1-1 would leave V1-1 by the same link.
flow_fields() { # NODE
  local fields=0x33
  [[ $1 != R* ]] || fields=0x37
  echo net.ipv{4,6}.fib_multipath_hash_policy=3 net.ipv{4,6}.fib_multipath_hash_fields=$fields
}

# When the mount namespace ends in which `ip netns add` was called, a plain file stays in /run/netns. `ip
# netns add` refuses its name.
remove_stale_name() { # NODE
  local file=/run/netns/$prefix$1
  [[ ! -f $file ]] || mountpoint -q "$file" || rm "$file"
}

make_space() { # NODE
  remove_stale_name "$1"
  ip netns add "$prefix$1"
  ip_node "$1" link set lo up
}

make_node() { # NODE
  make_space "$1"
  # Duplicate address detection would delay every link-local address, and with it OSPF, by 1 s. The kernel
  # skips routes over a cable without carrier, as over the interfaces of routevpn.
  # shellcheck disable=SC2046 # flow_fields gives several words
  in_node "$1" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
    net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0 \
    $(flow_fields "$1") \
    net.ipv4.conf.default.ignore_routes_with_linkdown=1 \
    net.ipv6.conf.default.ignore_routes_with_linkdown=1
}

# Prints the MAC address of an interface: a machine has the same one after a reboot. The bridge of a site is the
# router's interface, and would otherwise change its address as cables come and go.
mac_of() { # NODE IFNAME
  local digits
  digits=$(sha256sum <<<"$*")
  echo "02:${digits:0:2}:${digits:2:2}:${digits:4:2}:${digits:6:2}:${digits:8:2}"
}

# A cable between two nodes, both ends up.
cable() { # NODE IFNAME NODE IFNAME
  ip_node "$1" link add "$2" address "$(mac_of "$1" "$2")" type veth \
    peer name "$4" address "$(mac_of "$3" "$4")" netns "$prefix$3"
  ip_node "$1" link set "$2" up
  ip_node "$3" link set "$4" up
}

# The public address is on lo: it belongs to the gateway, not to one of its uplinks.
connect_public() { # GATEWAY
  local site
  site=$(site_of "$1")
  cable internet "${1,,}" "$1" wan
  ip_node "$1" addr add "2001:db8:$site::${1#*-}/128" dev lo
}

connect_private() { # GATEWAY
  local site
  site=$(site_of "$1")
  cable "R$site" "${1,,}" "$1.private" lan
  ip_node "R$site" link set "${1,,}" master lan
  ip_node "$1.private" addr add "10.0.$site.1${1#*-}/24" dev lan
  ip_node "$1.private" addr add "2001:db8:a$site::1${1#*-}/64" dev lan
}

# The site router, with a bridge as the switch of the site.
make_site_network() { # SITE
  ip_node "R$1" link add lan address "$(mac_of "R$1" lan)" type bridge forward_delay 0 mcast_snooping 0
  ip_node "R$1" link set lan up
  ip_node "R$1" addr add "10.0.$1.1/24" dev lan
  ip_node "R$1" addr add "2001:db8:a$1::1/64" dev lan
}

make_network() {
  local node site
  for node in $(nodes); do make_node "$node"; done
  for ((site = 1; site <= sites; site++)); do make_site_network "$site"; done
  for node in $(gateways); do
    connect_public "$node"
    connect_private "$node"
  done
}

remove_network() {
  local node
  for node in $(nodes); do
    [[ ! -e /run/netns/$prefix$node ]] || ip netns del "$prefix$node"
  done
}
