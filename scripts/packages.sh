#!/usr/bin/env bash
# Installs the Debian packages that are missing: scripts/packages.sh GROUP...
#
#   build   what routevpn and its tests are built with
#   test    what scripts/test.sh runs besides
#   lab     what lab/run.sh runs besides
#   bird3   BIRD 3 instead of 2, which Debian 13 has; where it is installed, test and lab leave it
#   fresh   what scripts/fresh.sh runs
#   bench   what scripts/bench.sh runs besides
#   peers   the VPNs that scripts/bench.sh compares routevpn with
#
# For Debian 12 and 13. With everything in place it asks only dpkg, so that it is fast and needs
# no network.
set -euo pipefail

die() {
  echo "packages.sh: $*" >&2
  exit 1
}

debian_version() {
  # shellcheck source=/dev/null
  (. /etc/os-release && echo "${VERSION_ID:-0}")
}

bird() {
  if is_installed bird3; then echo bird3; else echo bird2; fi
}

packages_of() {
  case $1 in
    build)
      echo g++ cmake ninja-build pkg-config libssl-dev libnl-3-dev libnl-route-3-dev \
        libboost-program-options-dev nlohmann-json3-dev libtomlplusplus-dev catch2
      [[ $(dpkg --print-architecture) != amd64 ]] || echo libipsec-mb-dev
      ;;
    test)
      echo "$(bird)" ccache clang ethtool fping gnutls-bin iperf3 iproute2 iputils-ping jq \
        libbenchmark-dev mandoc nftables openssl procps python3 shellcheck tcpdump util-linux
      # The formatting and the checks of the code are those of version 14.
      if [[ $(debian_version) == 12 ]]; then
        echo clang-format-14 clang-tidy-14 libclang-rt-14-dev
      else
        echo clang-format clang-tidy libclang-rt-19-dev
      fi
      ;;
    lab)
      echo "$(bird)" fping iperf3 iproute2 iputils-ping nftables openssl procps python3 tcpdump
      ;;
    bird3)
      echo bird3
      ;;
    fresh)
      echo debootstrap git procps util-linux
      ;;
    bench)
      echo ethtool iperf3 iproute2 iputils-ping libbenchmark-dev nftables openssl procps python3 \
        util-linux
      ;;
    peers)
      echo fastd ocserv openconnect openvpn tinc wireguard-go wireguard-tools
      ;;
    *)
      die "there is no group '$1': build, test, lab, bird3, fresh, bench and peers are"
      ;;
  esac
}

is_installed() {
  [[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

as_root() {
  if [[ $(id -u) == 0 ]]; then
    env "$@"
  elif command -v sudo >/dev/null; then
    sudo env "$@"
  else
    die "needs root or sudo to install: ${missing[*]}"
  fi
}

(($# > 0)) || die "which group: build, test, lab, bird3, fresh, bench, peers?"
command -v dpkg-query >/dev/null || die "knows Debian only; its text lists what is needed"
wanted=$(for group in "$@"; do packages_of "$group"; done)

missing=()
for package in $wanted; do
  is_installed "$package" || missing+=("$package")
done
((${#missing[@]} > 0)) || exit 0

echo "packages.sh: installing ${missing[*]}"
# Debian starts a VPN server where this is installed. Nobody asked for one.
if [[ -d /run/systemd/system && " ${missing[*]} " == *" ocserv "* ]]; then
  echo "packages.sh: ocserv.service is masked; 'systemctl unmask ocserv.service' makes it yours"
  as_root systemctl --quiet mask ocserv.service
fi
as_root apt-get -qq update
as_root DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install \
  "${missing[@]}" </dev/null >/dev/null
