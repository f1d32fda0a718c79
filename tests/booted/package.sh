#!/usr/bin/env bash
# The package: installed, upgraded while a link runs, removed, purged.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"

has_no_unit() { # MACHINE
  [[ -z $(on "$1" systemctl list-units --plain --no-legend 'routevpn*') ]]
}

start_machines V1-1 V2-1
expect "the unit files have no fault" on V1-1 \
  sh -c 'systemd-analyze verify routevpn.target routevpn@rv0.service routevpn-netns@private.service \
    routevpn-bird@private.service routevpn-bird@public.service routevpn-renew.timer 2>&1 |
    { ! grep routevpn; }'
# 10 is the worst. The unit of namespaces makes mounts that all processes see, which forbids most options.
exposure() { # UNIT
  on V1-1 systemd-analyze security --no-pager "$1" | sed -n 's/.*Overall exposure level for [^:]*: \([0-9.]*\).*/\1/p'
}
is_below() { awk -v is="$1" -v limit="$2" 'BEGIN { exit !(is != "" && is < limit) }'; }
for unit in routevpn@rv0 routevpn-bird@private routevpn-bird@public routevpn-renew; do
  expect "the exposure of $unit is $(exposure "$unit.service")" is_below "$(exposure "$unit.service")" 2.5
done
expect "the exposure of routevpn-netns@private is $(exposure routevpn-netns@private.service)" \
  is_below "$(exposure routevpn-netns@private.service)" 6
expect "the worker has a user" on V1-1 getent passwd routevpn
expect "keys are for root alone" on V1-1 sh -c \
  'stat -c %a:%U /etc/routevpn/pki | grep -qx 700:root'
for page in man5/routevpn-topology.5 man5/routevpn.conf.5 man7/routevpn.7 man8/routevpn.8 man8/routevpn-exporter.8; do
  expect "the manual page $page is installed" on V1-1 test -s "/usr/share/man/$page.gz"
done

# A link as README makes it, with its unit.
make_credentials V1-1 V2-1
write_link V1-1 "peer = 192.0.2.21" "peer-name = V2-1" "address = 10.255.0.1/30" "netns = private"
write_link V2-1 "listen = 192.0.2.21:7754" "peer-name = V1-1" "address = 10.255.0.2/30" "netns = private"
for machine in V1-1 V2-1; do
  on "$machine" systemctl enable --quiet --now --no-block routevpn@rv0
done
restarts() { on V1-1 systemctl show -p NRestarts --value routevpn@rv0; }
is_waiting() { (($(restarts) >= 2)); }
expect "without its namespace the unit is tried again" wait_for is_waiting
for machine in V1-1 V2-1; do
  echo "interface = eth1" >"$(root_of "$machine")/etc/routevpn/netns/private.conf"
  on "$machine" systemctl enable --quiet --now routevpn-netns@private
done
expect "the link comes up by itself when the namespace is there" wait_for \
  on V1-1 routevpn show --wait up --timeout 1 rv0
expect "a packet passes" on V1-1 ip netns exec private ping -c 1 -W 5 10.255.0.2

# A link that could not start again goes on in an upgrade, and one that does not run hinders none.
before=$(on V1-1 systemctl show -p MainPID --value routevpn@rv0)
conf=$(root_of V1-1)/etc/routevpn/rv0.conf
cp -p "$conf" "$conf.good"
echo "mtu = 70" >>"$conf"
cp -p "$conf" "${conf%rv0.conf}rv9.conf"
expect_not "a link with a fault does not start" on V1-1 systemctl enable --quiet --now routevpn@rv9
said=$(root_of V1-1)/root/upgrade.out
upgrade() { install_package V1-1 >"$said" 2>&1; }
expect "an upgrade succeeds with a link that cannot start" upgrade
expect "it names the fault" grep -q '^routevpn: /etc/routevpn/rv0.conf:[0-9]*: mtu = 70' "$said"
expect "and says that the link keeps its program" grep -q '^routevpn: link rv0 keeps the old program' "$said"
expect_equal "the link has the same process" "$before" "$(on V1-1 systemctl show -p MainPID --value routevpn@rv0)"
expect "and is up" on V1-1 routevpn show --wait up --timeout 1 rv0
on V1-1 systemctl disable --quiet routevpn@rv9
on V1-1 systemctl reset-failed routevpn@rv9
rm "${conf%rv0.conf}rv9.conf"
mv "$conf.good" "$conf"

expect "an upgrade succeeds" install_package V1-1
restarted() {
  [[ $(on V1-1 systemctl show -p MainPID --value routevpn@rv0) != "$before" ]] &&
    on V1-1 routevpn show --wait up --timeout 1 rv0
}
expect "an upgrade renews the processes of the link, and it is up" restarted

halt_machine V1-1
boot V1-1
expect "after a reboot the link comes up" wait_for on V1-1 routevpn show --wait up --timeout 1 rv0

on V1-1 dpkg --remove routevpn >/dev/null
expect "after the removal no unit is left" has_no_unit V1-1
expect "the interfaces are back on the host" on V1-1 ip link show dev eth1
expect "the configuration stays" on V1-1 test -s /etc/routevpn/rv0.conf
expect "the package can be installed again" install_package V1-1
on V1-1 systemctl daemon-reload
on V1-1 systemctl start routevpn.target
expect "the units are still enabled" wait_for on V1-1 routevpn show --wait up --timeout 1 rv0
on V1-1 mkdir -p /var/lib/routevpn/ca
on V1-1 sh -c 'echo key >/var/lib/routevpn/ca/ca.key'
on V1-1 dpkg --purge routevpn >/dev/null 2>&1
expect "a CA stays after a purge" on V1-1 test -s /var/lib/routevpn/ca/ca.key
expect_not "nothing else of the package stays" on V1-1 sh -c \
  'find /etc /usr /var/lib /run -xdev -path "*routevpn*" ! -path "/var/lib/routevpn*" ! -path "/var/lib/systemd/*" | grep .'
