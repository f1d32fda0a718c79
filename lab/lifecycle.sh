# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034 # run.sh sets prefix, sites, root; base.sh run_dir and the programs
# The scenarios of `lab/run.sh --booted fail` that need machines: reboots, credentials over their life, an
# upgrade, a new site. failover.sh runs them as it runs the others.

machine_scenarios=(reboot power-cut reboot-all not-yet-valid crl-expired renewed upgraded site-added)

describe_machines() {
  case $1 in
    reboot) echo "V2-1 is shut down, and booted after 5 s" ;;
    power-cut) echo "power cut of V2-1, booted after 5 s" ;;
    reboot-all) echo "all machines are shut down together, and booted after 5 s" ;;
    not-yet-valid) echo "V2-2 boots with a certificate that is not valid yet, until it is" ;;
    crl-expired) echo "the CRL has expired on all gateways; then pki crl, and a copy" ;;
    renewed) echo "pki renew of all certificates, and a copy to all gateways" ;;
    upgraded) echo "apt installs a newer package on all gateways, one after the other" ;;
    site-added) echo "a fourth site is planned and applied everywhere, and taken out again" ;;
  esac
}

# Milliseconds that one stream may lose in all. reboot-all has no limit: no path is left.
bar_of_machines() {
  case $1 in
    reboot | not-yet-valid | upgraded) echo 50 ;;
    power-cut) echo 1000 ;;
    crl-expired | renewed | site-added) echo 0 ;;
  esac
}

# Seconds from the power-on of the machines, or from another mending, until all routes are back.
recovery_bar() {
  case $1 in
    reboot-all) echo 60 ;;
  esac
}

# Credentials --------------------------------------------------------------------------------------

# dated FUNCTION ARGUMENT...: a function of dated_certificates.sh, with this lab's CA.
dated() {
  (
    DIR=$run_dir/ca
    # shellcheck disable=SC2317 # the file below calls it
    fail() { die "$1"; }
    # shellcheck source-path=SCRIPTDIR source=../tests/netns/dated_certificates.sh
    . "$root/tests/netns/dated_certificates.sh"
    "$@"
  )
}

log_of_boot() { on "$1" journalctl --no-pager -q -b -u 'routevpn@*'; } # GATEWAY
has_logged() { [[ $(log_of_boot "$1") == *"$2"* ]]; }                  # GATEWAY TEXT

# The gateway boots as if its clock were slow, with regard to its own certificate. Returns 5 s before the
# certificate becomes valid.
boot_too_early() { # GATEWAY
  local begin=$((EPOCHSECONDS + 100))
  dated make_dated "$1" "$run_dir/early.cert" "$(date -u -d "@$begin" +%Y%m%d%H%M%SZ)" 20491231235959Z || exit
  halt_machines "$1"
  cp "$run_dir/early.cert" "$(pki_of "$1")/$1.cert"
  boot_machines "$1"
  wait_until 20 has_logged "$1" "not valid before" || die "the links of $1 do not wait for their certificate"
  ((EPOCHSECONDS < begin - 5)) || die "$1 has booted too late for this scenario"
  sleep $((begin - 5 - EPOCHSECONDS))
}

warnings_of() { show_links "$1" --json | grep -A 20 '"warnings"'; } # GATEWAY
warns_of_crl() { [[ $(warnings_of "$1") == *"CRL"*"has expired"* ]]; }
all_warn() {
  local gateway
  for gateway in $(gateways); do warns_of_crl "$gateway" || return 1; done
}
none_warns() {
  local gateway
  for gateway in $(gateways); do ! warns_of_crl "$gateway" || return 1; done
}

give_crl() { # to all gateways
  local gateway
  for gateway in $(gateways); do bring_to "$gateway" ca.crl; done
}

# A link that starts during the grace comes up, too.
expire_crl() {
  dated make_crl "$run_dir/ca" "$run_dir/ca/ca.crl" 1 || exit
  give_crl
  wait_until 20 all_warn || die "not all gateways warn of the expired CRL"
  on V3-2 systemctl stop routevpn@rv2-2
  on V3-2 systemctl start routevpn@rv2-2
  on V3-2 routevpn show --wait up --timeout 20 rv2-2 || die "with an expired CRL, rv2-2 of V3-2 does not come up"
}
renew_crl() {
  "$routevpn" pki crl --dir "$run_dir/ca" || die "the CRL cannot be renewed"
  give_crl
  wait_until 20 none_warns || die "a gateway still warns of the expired CRL"
}

# Prints the fingerprints of the certificates that the links of a gateway use.
own_certificates() { # GATEWAY
  on "$1" sh -c "routevpn show --json | jq -r '.[].credentials.certificate.fingerprint' | sort -u"
}
uses_certificate() { [[ $(own_certificates "$1") == "$2" ]]; } # GATEWAY FINGERPRINT
renew_certificates() {
  local gateway fingerprint
  "$routevpn" pki renew --dir "$run_dir/ca" --before 36500 >/dev/null || die "the certificates cannot be renewed"
  for gateway in $(gateways); do bring_to "$gateway" "$gateway.cert"; done
  for gateway in $(gateways); do
    fingerprint=$(openssl x509 -in "$run_dir/ca/$gateway.cert" -outform der | sha256sum)
    wait_until 20 uses_certificate "$gateway" "${fingerprint%% *}" ||
      die "the links of $gateway do not use the renewed certificate"
  done
}

# Upgrade ------------------------------------------------------------------------------------------

# The same programs as a package with a higher version: apt upgrades to it, and the links get new processes.
make_newer_package() { # SUITE VERSION-SUFFIX
  local directory=$run_dir/newer-$1
  rm -rf "$directory" &&
    dpkg-deb --raw-extract "$machines/$1.deb" "$directory" &&
    sed -i "s/^Version: .*/&+$2/" "$directory/DEBIAN/control" &&
    dpkg-deb --root-owner-group --build "$directory" "$directory.deb" >/dev/null &&
    rm -rf "$directory"
}

monitors_of() { on "$1" systemctl show -p MainPID --value 'routevpn@*' | sort; } # GATEWAY
upgrade() { # GATEWAY VERSION-SUFFIX
  local before version
  before=$(monitors_of "$1")
  install_package "$1" "$run_dir/newer-$(suite_of "$1").deb" >>"$run_dir/$1.upgrade.log" 2>&1 ||
    die "apt cannot upgrade $1: $run_dir/$1.upgrade.log"
  # shellcheck disable=SC2016 # dpkg-query expands it
  version=$(on "$1" dpkg-query -W -f '${Version}' routevpn)
  [[ $version == *"+$2" ]] || die "$1 has version $version after the upgrade"
  [[ $(monitors_of "$1") != "$before" ]] || die "the links of $1 have the same processes after the upgrade"
}
upgrade_all() {
  local suite gateway version=lab$EPOCHSECONDS
  for suite in bookworm trixie; do
    make_newer_package "$suite" "$version" || die "the newer package for $suite cannot be made"
  done
  for gateway in $(gateways); do upgrade "$gateway" "$version"; done
}

# Another site -------------------------------------------------------------------------------------

site_nodes() { printf '%s\n' "R$1" "V$1-1" "V$1-2"; } # SITE

# apply_all MACHINE...: one after the other, as an administrator would do it.
apply_all() {
  local machine
  for machine in "$@"; do
    if [[ $machine == R* ]]; then in_parallel set_up_router "$machine"; else in_parallel apply_plan "$machine"; fi
  done
}

# Writes the seconds from the plan until all routes are there to DIR/back.
add_site() { # DIR
  local new=$((sites + 1)) began
  local -a old fresh
  mapfile -t old < <(everyone)
  mapfile -t fresh < <(site_nodes $new)
  make_site $new
  boot_machines "${fresh[@]}"
  began=$(now_ms)
  sites=$new
  plan_lab || die "site $new cannot be planned"
  in_parallel set_up "${fresh[@]}"
  apply_all "${old[@]}"
  sound || die "with site $new, not all routes are there"
  seconds_since "$began" >"$1/back"
}

remove_site() {
  local -a gone
  mapfile -t gone < <(site_nodes "$sites")
  sites=$((sites - 1))
  plan_lab || die "the topology without site $((sites + 1)) cannot be planned"
  # shellcheck disable=SC2046 # one word for each machine
  apply_all $(everyone)
  halt_machines "${gone[@]}"
  ip netns del "$prefix${gone[0]}"
}

# Breaking and mending -----------------------------------------------------------------------------

everyone() { routers && gateways; }

break_machines() { # SCENARIO DIR
  local -a all
  mapfile -t all < <(everyone)
  case $1 in
    reboot) halt_machines V2-1 ;;
    power-cut) kill_gateway V2-1 ;;
    reboot-all) halt_machines "${all[@]}" ;;
    not-yet-valid) boot_too_early V2-2 ;;
    crl-expired) expire_crl ;;
    renewed) renew_certificates ;;
    upgraded) upgrade_all ;;
    site-added) add_site "$2" ;;
  esac
}

mend_machines() { # SCENARIO
  local -a all
  mapfile -t all < <(everyone)
  case $1 in
    reboot | power-cut) boot_machines V2-1 ;;
    reboot-all) boot_machines "${all[@]}" ;;
    crl-expired) renew_crl ;;
    site-added) remove_site ;;
  esac
}
