#!/usr/bin/env bash
# Three gateways from one topology file: plan, copy, apply; then reboots and changes of the network.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"

machines_all=(V1-1 V1-2 V2-1)
start_machines "${machines_all[@]}"

# The machine V1-1 also has the CA.
topology() { # DETECTION MACHINE...
  local machine site='' detection=$1
  shift
  cat <<TOML
[organisation]
as = 65000
interconnect4 = "10.255.0.0/24"
interconnect6 = "2001:db8:ff::/64"
detection = "$detection"

[defaults]
underlay = []
TOML
  for machine in "$@"; do
    if [[ ${machine:1:1} != "$site" ]]; then
      site=${machine:1:1}
      printf '\n[[site]]\nname = "site%s"\nprefixes = ["10.0.%s.0/24"]\n' "$site" "$site"
    fi
    printf '[[site.gateway]]\nname = "%s"\naddress = "192.0.2.%s%s"\n' "$machine" "$site" "${machine##*-}"
    printf 'exporter = "10.0.%s.1%s:9586"\n' "$site" "${machine##*-}"
    printf 'lan = [{ name = "eth1", addresses = ["10.0.%s.1%s/24"] }]\n' "$site" "${machine##*-}"
  done
}

plan() { # DETECTION MACHINE...: plans, and copies its part to each machine
  local machine
  topology "$@" >"$(root_of V1-1)/root/topology.toml"
  on V1-1 routevpn plan /root/topology.toml --out /root/plan --pki /var/lib/routevpn/ca || return 1
  shift
  for machine in "$@"; do
    rm -rf "$(root_of "$machine")/root/new"
    cp -rp "$(root_of V1-1)/root/plan/$machine" "$(root_of "$machine")/root/new"
  done
}

apply() { on "$1" routevpn apply /root/new "${@:2}"; } # MACHINE OPTION...

reaches_site_2() { # MACHINE
  on "$1" ip netns exec private ping -c 1 -W 1 -I "10.0.1.1${1##*-}" 10.0.2.11
}
all_reach() { reaches_site_2 V1-1 && reaches_site_2 V1-2; }
# What the page of V1-1 asks its exporter, which asks those of the other gateways over the links.
states() {
  on V1-1 ip netns exec private bash -c 'exec 3<>/dev/tcp/10.0.1.11/9586 &&
    printf "GET /api/v1/network/states HTTP/1.0\r\nHost: 10.0.1.11\r\nX-Routevpn: 1\r\n\r\n" >&3 &&
    timeout 5 cat <&3' | sed '1,/^\r$/d'
}
all_on_map() { states | on V1-1 jq -e '.gateways | length == 3 and all(.fault == null and .at_ms != null)'; }

expect "the network is planned" plan normal "${machines_all[@]}"
expect_not "nothing runs after --dry-run" on V1-1 sh -c \
  'routevpn apply /root/new --dry-run >/dev/null || exit; ls /etc/routevpn/*.conf'
for machine in "${machines_all[@]}"; do
  expect "$machine applies its plan" apply "$machine"
done
expect "the sites reach each other" wait_for all_reach
expect "the map of V1-1 has the answers of all gateways" wait_for all_on_map
has_both_links() {
  [[ $(on V2-1 birdc -s /run/routevpn/bird/private.ctl show protocols | grep -c 'BGP.*Established') == 2 ]]
}
expect "both BGP sessions of V2-1 are established" wait_for has_both_links

pids() { # MACHINE: the main processes of all units
  on "$1" sh -c 'systemctl show -p MainPID --value "routevpn@*" "routevpn-bird@*"' | sort
}
before=$(pids V2-1)
expect "a second run has nothing to do" apply V2-1
expect "and restarts nothing" test "$before" = "$(pids V2-1)"

for machine in "${machines_all[@]}"; do halt_machine "$machine"; done
for machine in "${machines_all[@]}"; do boot "$machine"; done
began=$SECONDS
expect "after a reboot of all machines the sites reach each other" wait_for all_reach
expect "within 60 s of the last boot ($((SECONDS - began)) s)" test $((SECONDS - began)) -lt 60
no_unit_failed() { # MACHINE
  local failed
  failed=$(on "$1" systemctl list-units --failed --no-legend 'routevpn*' 'bird*') && [[ -z $failed ]]
}
for machine in "${machines_all[@]}"; do
  expect "no unit of $machine has failed" no_unit_failed "$machine"
done

cut_power V2-1
boot V2-1
expect "after a power cut of V2-1 the sites reach each other" wait_for all_reach
expect "and the map has all gateways again" wait_for all_on_map

# Their lines have the time of the last change.
sessions() { on V2-1 birdc -s /run/routevpn/bird/private.ctl show protocols | grep BGP; }
expect "the BGP sessions of V2-1 are established again" wait_for has_both_links
before=$(sessions)
for link in rv1-1 rv1-2; do on V2-1 systemctl restart "routevpn@$link"; done
expect "the sites reach each other after a restart of both links" wait_for all_reach
expect "which BGP has not noticed" test "$before" = "$(sessions)"

# A changed option restarts both links of V2-1, one after the other.
expect "a change is planned" plan fast "${machines_all[@]}"
for machine in "${machines_all[@]}"; do expect "$machine applies the change" apply "$machine"; done
expect "the links use it" on V2-1 grep -q 'detection = fast' /etc/routevpn/rv1-2.conf
expect "the sites reach each other after the change" wait_for all_reach

# A fault in a file: nothing changes.
expect "the plan is made again" plan normal "${machines_all[@]}"
echo "nonsense" >>"$(root_of V2-1)/root/new/bird/private.conf"
before=$(pids V2-1)
expect_not "a BIRD file with a fault is refused" apply V2-1
expect "and nothing was restarted" test "$before" = "$(pids V2-1)"
expect "and the old file is in place" on V2-1 grep -q 'detection = fast' /etc/routevpn/rv1-2.conf

# A gateway less.
expect "a gateway is taken out of the plan" plan fast V1-1 V2-1
expect "V2-1 applies that" apply V2-1
expect_not "its link is gone" on V2-1 systemctl is-active routevpn@rv1-2
expect_not "and its file" on V2-1 test -e /etc/routevpn/rv1-2.conf
expect "the other link carries on" wait_for reaches_site_2 V1-1

on V2-1 systemctl stop routevpn.target
stopped_in_order() {
  local bird link
  bird=$(on V2-1 systemctl show -p InactiveEnterTimestampMonotonic --value routevpn-bird@private)
  link=$(on V2-1 systemctl show -p InactiveEnterTimestampMonotonic --value routevpn@rv1-1)
  ((bird > 0 && link > bird))
}
# systemctl waits for the target alone.
expect "a stop of the target stops BIRD before the links" wait_for stopped_in_order
on V2-1 systemctl start routevpn.target
expect "and a start brings all back" wait_for reaches_site_2 V1-1
