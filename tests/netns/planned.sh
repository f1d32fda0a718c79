# shellcheck shell=bash
# Planned gateways for the tests of `routevpn apply`, in the working directory DIR. Source this file after
# lib.sh.
#
#   topology.toml    site 1: V1-1 in PRIV_A; site 2: V2-1 in PRIV_B
#   plan/GATEWAY     what `routevpn apply` installs
#   bin/systemctl    in place of systemd's

cd "$DIR" || exit

# write_topology LINE [GATEWAY]: a line of [organisation], and a second gateway of site 2.
write_topology() {
  local bird
  bird=$(dirname "${BASH_SOURCE[0]}")/../../bird
  cat >topology.toml <<END
[organisation]
as = 65000
interconnect4 = "10.240.0.0/12"
$1
[defaults]
include = "$bird"
[[site]]
name = "1"
prefixes = ["10.0.1.0/24"]
gateway = [{ name = "V1-1", address = "192.0.2.1", netns = "$PRIV_A" }]
[[site]]
name = "2"
prefixes = ["10.0.2.0/24"]
gateway = [{ name = "V2-1", address = "192.0.2.2", netns = "$PRIV_B" }${2:+, $2}]
END
}

# plan --out plan [OPTION...]: the output is in plan.out.
plan() {
  "$ROUTEVPN" plan topology.toml --pki pki "$@" >plan.out || fail "plan: $(<plan.out)"
}

# units_are GATEWAY UNIT...: the gateway has no namespace to make, and these units.
units_are() {
  rm -rf "plan/$1/netns"
  printf '%s\n' "${@:2}" >"plan/$1/units"
}

# replace_systemctl <SCRIPT: programs call the script, which knows DIR.
replace_systemctl() {
  mkdir -p bin
  cat >bin/systemctl
  chmod +x bin/systemctl
  export PATH=$DIR/bin:$PATH DIR
}
