# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034 # run.sh sets prefix, sites, root; base.sh run_dir and the programs
# The lab's files and certificates, which `routevpn plan` makes from topology.toml.

# topology.toml with the number of sites of this lab. An interconnect4 of /24 has room for 64 links, the
# full mesh of six sites.
topology() {
  local site without=none
  [[ -z $ipv6_only ]] || without=interconnect4
  if ((sites == 3)); then
    cat "$root/lab/topology.toml"
  else
    # The part before the first site.
    sed '/^\[\[site\]\]/,$d' "$root/lab/topology.toml" |
      if ((sites > 6)); then sed 's|10\.255\.0\.0/24|10.255.0.0/20|'; else cat; fi
    for ((site = 1; site <= sites; site++)); do
      cat <<TOML

[[site]]
name = "site$site"
prefixes = ["10.0.$site.0/24", "2001:db8:a$site::/64"]

[[site.gateway]]
name = "V$site-1"
address = "2001:db8:$site::1"
exporter = "10.0.$site.11:9586"

[[site.gateway]]
name = "V$site-2"
address = "2001:db8:$site::2"
exporter = "10.0.$site.12:9586"

[[site.router]]
name = "R$site"
TOML
    done
  fi | sed "/^$without =/d" | place_names
}

# Puts the names of this lab into a topology file.
place_names() { sed "s|/run/routevpn-lab|$run_dir|; s|^\(.*netns = \"\)|\1$prefix|"; }

plan_lab() {
  mkdir -p "$run_dir"
  echo "$sites" >"$run_dir/sites"
  # A copy, because a scenario changes it and calls birdc configure.
  [[ -d $run_dir/bird ]] || cp -r "$root/bird" "$run_dir/bird"
  topology >"$run_dir/topology.toml"
  "$routevpn" plan "$run_dir/topology.toml" --out "$run_dir" --pki "$run_dir/ca"
}

# Revoking a gateway's certificate, and signing a new one ---------------------------------------------

pki_of() { echo "$run_dir/$1/pki"; } # GATEWAY: prints the directory of its credentials
bring_to() { # GATEWAY FILE...: copies them from the CA's directory
  local file
  for file in "${@:2}"; do cp "$run_dir/ca/$file" "$(pki_of "$1")/"; done
}

revoke() { # GATEWAY
  local gateway
  "$routevpn" pki revoke --dir "$run_dir/ca" --name "$1" >/dev/null
  for gateway in $(gateways); do bring_to "$gateway" ca.crl; done
  # shellcheck disable=SC2046 # one word for each gateway
  reload_links $(gateways)
}

certify() { # GATEWAY
  rm -f "$run_dir/ca/$1.cert"
  "$routevpn" pki sign --dir "$run_dir/ca" --name "$1" >/dev/null
  bring_to "$1" "$1.cert"
  reload_links "$1"
}
