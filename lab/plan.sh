# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034 # run.sh sets prefix, sites, root; base.sh run_dir and the programs
# The lab's files and certificates, which `routevpn plan` makes from topology.toml.

# topology.toml with the names and the number of sites of this lab.
topology() {
  local site without=none
  [[ -z $ipv6_only ]] || without=interconnect4
  if ((sites == 3)); then
    cat "$root/lab/topology.toml"
  else
    # The part before the first site, with addresses for more than 64 links.
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
  # A copy, because a scenario changes it and calls birdc configure.
  cp -r "$root/bird" "$run_dir/bird"
  topology >"$run_dir/topology.toml"
  "$routevpn" plan "$run_dir/topology.toml" --out "$run_dir" --pki "$run_dir/ca"
}

# Revoking a gateway's certificate, and signing a new one ---------------------------------------------

bring_to_gateways() { # FILE: copies it from the CA's directory to all gateways
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
