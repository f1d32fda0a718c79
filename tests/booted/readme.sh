#!/usr/bin/env bash
# The commands of README, as they stand there, on machines that start as a bare Debian: build and install, a
# link in two minutes, a network in five minutes. At the end the sites reach each other over two rebooted
# gateways.
#
# Not as in README: sudo is left out, because root runs all commands. The compiler's cache is used. A copy
# takes the place of scp. V1-1 is the machine of the CA.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=../../scripts/debian_root.sh
source "$(dirname "$0")/../../scripts/debian_root.sh"
: "${CACHE:?}" "${SUITE:?}"
top=$(cd "$(dirname "$0")/../.." && pwd)
bare=$machines/bare

die() { fail "$1"; }

# block SECTION NUMBER: prints that indented block of the section, without the indentation.
block() {
  local text
  text=$(awk -v section="## $1" -v wanted="$2" '
    /^## / { in_section = $0 == section }
    !in_section { next }
    /^    / { if (!in_block) number++; in_block = 1; if (number == wanted) print substr($0, 5); next }
    /^$/ { if (in_block && number == wanted) print ""; next }
    { in_block = 0 }' "$top/README.md")
  [[ -n $text ]] || fail "README has no block $2 in '$1'"
  echo "$text"
}

# in_bare COMMAND: on the bare system, before it boots.
in_bare() {
  run_in_debian "$bare" "$1" "$CACHE/ccache:/root/.cache/ccache"
}

run() { # MACHINE SECTION NUMBER
  block "$2" "$3" | on "$1" sh -euc 'cd; . /dev/stdin'
}

# --- build and install --------------------------------------------------------------------------

mkdir -p "$machines"
trap 'end_debian; clean_up' EXIT
make_debian "$SUITE" "$bare" "$machines/debootstrap.log" "${MIRROR:-}"
mkdir -p "$bare/root/routevpn" "$bare/root/.cache/ccache"
tar -C "$top" --exclude=./build --exclude=./.git -c . | tar -x -C "$bare/root/routevpn"
# A machine has systemd, and ping. The compiler's cache saves time.
in_bare 'sh -c "apt-get -qq update && apt-get -qqy install --no-install-recommends ccache dbus iputils-ping systemd-sysv"' \
  >"$machines/apt.log" 2>&1 || fail "the bare system gets systemd"$'\n'"$(tail -n 20 "$machines/apt.log")"
rm -f "$bare/etc/machine-id"
{
  echo 'set -e; export DEBIAN_FRONTEND=noninteractive CMAKE_CXX_COMPILER_LAUNCHER=ccache CCACHE_NOHASHDIR=1'
  block "Build and install" 1 | sed 's/^sudo //; s/^apt install/apt-get -qqy install/'
} >"$bare/root/routevpn/build-and-install.sh"
expect "the package is built and installed" in_bare "bash build-and-install.sh"
expect "the program runs" in_bare "routevpn --version"
rm -rf "$bare/root/routevpn/build"

SYSTEM=$bare
make_network V1-1 V2-1
for machine in V1-1 V2-1; do
  site=${machine:1:1}
  ip -n "$P-$machine" address add "192.0.2.$site/24" dev wan
  # A machine of the site in the place of its router.
  ip -n "$P-R$site" address del "10.0.$site.1/24" dev lan
  ip -n "$P-R$site" address add "10.0.$site.9/24" dev lan
  ip -n "$P-R$site" route add default via "10.0.$site.1"
  boot "$machine"
done

for machine in V1-1 V2-1; do
  expect_not "on $machine the package has started nothing" on "$machine" sh -c \
    'systemctl list-units --no-legend --plain "routevpn*@*" "routevpn*.timer" routevpn.target | grep .'
done

# --- a link in two minutes ----------------------------------------------------------------------

section="A link in two minutes"
expect "certificates are made" run V1-1 "$section" 1
for file in ca.cert V2-1.cert V2-1.key; do
  cp -p "$(root_of V1-1)/root/$file" "$(root_of V2-1)/root/"
done
run V2-1 "$section" 2 &>"$machines/V2-1.log" &
run V1-1 "$section" 3 &>"$machines/V1-1.log" &
has_link() { on "$1" routevpn show --json | grep '"pid"'; }
has_no_link() { ! has_link "$1"; }
for machine in V1-1 V2-1; do
  expect "$machine runs its end of the link" wait_for has_link "$machine"
done
expect "the link comes up and a ping passes" run V1-1 "$section" 4
for machine in V1-1 V2-1; do
  # shellcheck disable=SC2016 # the machine's shell expands it
  on "$machine" sh -c 'kill "$(routevpn show --json | sed -n "s/.*\"monitor_pid\": *\([0-9]*\).*/\1/p")"'
  expect "$machine has no link after SIGTERM" wait_for has_no_link "$machine"
  on "$machine" ip netns del private
done

# --- a network in five minutes ------------------------------------------------------------------

section="A network in five minutes"
block "$section" 1 >"$(root_of V1-1)/root/topology.toml"
block "$section" 2 | grep -v '^scp ' | on V1-1 tee /root/plan.sh >/dev/null
expect "the network is planned" on V1-1 sh -euc 'cd; . ./plan.sh'
expect "README copies a gateway's part by scp" grep -F 'scp -r plan/V1-1 root@V1-1:' <(block "$section" 2)
cp -rp "$(root_of V1-1)/root/plan/V2-1" "$(root_of V2-1)/root/"
cp -rp "$(root_of V1-1)/root/plan/V1-1" "$(root_of V1-1)/root/"
# README shows the commands of V1-1. A clock that is not synchronised is a fault that it does not mend.
finds_nothing() { # MACHINE
  local faults
  faults=$(on "$1" routevpn doctor | grep '^[^ ]' | sed '/^clock: /d')
  [[ -z $faults ]] || {
    echo "$faults"
    return 1
  }
}
block "$section" 3 >"$machines/commands"
while IFS= read -r command; do
  for machine in V1-1 V2-1; do
    own=${command//V1-1/$machine}
    if [[ $own == "routevpn doctor"* ]]; then
      expect "$machine: doctor finds nothing but the clock of the test machine" wait_for finds_nothing "$machine"
    else
      expect "$machine: ${own%%  *}" on "$machine" sh -c "cd; $own" </dev/null
    fi
  done
done <"$machines/commands"

site_reaches() { ip netns exec "$P-R1" ping -c 1 -W 1 10.0.2.9; }
expect "site 1 reaches site 2" wait_for site_reaches
has_route() {
  on V1-1 birdc -s /run/routevpn/bird/private.ctl show route | grep -F 10.0.2.0/24
}
expect "BIRD lists the prefix of site 2" wait_for has_route
for machine in V1-1 V2-1; do halt_machine "$machine"; done
for machine in V1-1 V2-1; do boot "$machine"; done
expect "site 1 reaches site 2 over the rebooted gateways" wait_for site_reaches
no_unit_failed() { # MACHINE
  local failed
  failed=$(on "$1" systemctl list-units --failed --no-legend 'routevpn*' 'bird*') && [[ -z $failed ]]
}
for machine in V1-1 V2-1; do
  expect "no unit of $machine has failed" no_unit_failed "$machine"
  expect "$machine: doctor finds nothing" wait_for finds_nothing "$machine"
done
