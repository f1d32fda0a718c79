# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034 # run.sh sets prefix, sites, root; base.sh run_dir and the programs
# The lab's files and certificates: `routevpn plan` makes them of topology.toml, as it would of yours.

# topology.toml with this lab's names, and with as many sites as it has.
topology() {
  local site without=none
  [[ -z $ipv6_only ]] || without=interconnect4
  if ((sites == 3)); then
    cat "$root/lab/topology.toml"
  else
    # What is before the first site, with room for more links than 64.
    sed '/^\[\[site\]\]/,$d; s|10\.255\.0\.0/24|10.255.0.0/20|' "$root/lab/topology.toml"
    for ((site = 1; site <= sites; site++)); do
      cat <<TOML
[[site]]
name = "$site"
prefixes = ["10.0.$site.0/24", "2001:db8:a$site::/64"]
gateway = [
  { name = "V$site-1", address = "2001:db8:$site::1" },
  { name = "V$site-2", address = "2001:db8:$site::2" },
]
router = [{ name = "R$site" }]
TOML
    done
  fi | sed "s|/run/routevpn-lab|$run_dir|; s|^\(.*netns = \"\)|\1$prefix|; /^$without =/d"
}

plan_lab() {
  mkdir -p "$run_dir"
  echo "$sites" >"$run_dir/sites"
  # A copy: a scenario changes it, and birdc configure takes it up.
  cp -r "$root/bird" "$run_dir/bird"
  topology >"$run_dir/topology.toml"
  "$routevpn" plan "$run_dir/topology.toml" --out "$run_dir" --pki "$run_dir/ca"
}

# Taking a gateway's certificate away, and giving it a new one ----------------------------------------

bring_to_gateways() { # FILE of the CA's directory, to all
  local gateway
  for gateway in $(gateways); do cp "$run_dir/ca/$1" "$run_dir/$gateway/pki/$1"; done
}

revoke() { # GATEWAY
  "$routevpn" pki revoke --dir "$run_dir/ca" --name "$1" >/dev/null
  bring_to_gateways ca.crl
  signal HUP "$run_dir"/V*/rv*.pid
}

certify() { # GATEWAY
  rm -f "$run_dir/ca/$1.cert"
  "$routevpn" pki sign --dir "$run_dir/ca" --name "$1" >/dev/null
  cp "$run_dir/ca/$1.cert" "$run_dir/$1/pki/"
  signal HUP "$run_dir/$1"/rv*.pid
}
