#!/usr/bin/env bash
# Installs missing Debian packages: scripts/packages.sh GROUP...
#
#   build    to build routevpn and its tests
#   test     for scripts/test.sh, in addition to build
#   lab      for lab/run.sh, in addition to build
#   bird3    BIRD 3 instead of BIRD 2 (Debian 13 has it); test and lab keep an installed BIRD 3
#   fresh    for scripts/fresh.sh
#   stock    for scripts/stock_kernel.sh
#   machine  for the system that scripts/stock_kernel.sh boots, in addition to build and lab
#   booted   for scripts/booted.sh
#   booted_machine  for the system that scripts/booted.sh boots, in addition to build
#   cross_arm64     for the system in which scripts/arm64.sh builds; dpkg must know arm64
#   bench    for scripts/bench.sh, in addition to build
#   peers    the VPNs with which scripts/bench.sh compares routevpn
#
# For Debian 12 and 13. When no package is missing, the script only reads dpkg's database and needs no
# network.
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
      echo g++ cmake ninja-build pkg-config dpkg-dev file libssl-dev libnl-3-dev \
        libseccomp-dev libboost-program-options-dev nlohmann-json3-dev libtomlplusplus-dev \
        prometheus-cpp-dev libmicrohttpd-dev catch2
      [[ $(dpkg --print-architecture) != amd64 ]] || echo libipsec-mb-dev
      ;;
    test)
      echo "$(bird)" ccache chromium chromium-driver clang curl ethtool fping frr gnutls-bin iperf3 iproute2 iputils-ping \
        jq libbenchmark-dev libstrongswan-standard-plugins mandoc nftables nodejs openssl procps prometheus python3 \
        python3-jsonschema python3-selenium shellcheck strace strongswan-pki tcpdump util-linux
      # The formatting and the lint stage need version 14 of clang-format and clang-tidy.
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
    stock)
      echo debootstrap e2fsprogs git procps qemu-system-x86 util-linux
      ;;
    machine)
      echo busybox-static ccache ethtool jq kmod linux-image-cloud-amd64
      ;;
    booted)
      echo debootstrap git iproute2 procps systemd-container util-linux
      ;;
    booted_machine)
      echo "$(bird)" ccache dbus iproute2 iputils-ping jq lintian nftables openssl procps systemd-sysv
      ;;
    cross_arm64)
      echo crossbuild-essential-arm64 ccache cmake ninja-build pkg-config dpkg-dev file qemu-user nlohmann-json3-dev
      printf '%s:arm64\n' libssl-dev libnl-3-dev libseccomp-dev libboost-program-options-dev libtomlplusplus-dev \
        prometheus-cpp-dev libmicrohttpd-dev catch2
      ;;
    bench)
      echo ethtool iperf3 iproute2 iputils-ping libbenchmark-dev nftables openssl procps python3 \
        util-linux
      ;;
    peers)
      echo fastd ocserv openconnect openvpn tinc wireguard-go wireguard-tools
      ;;
    *)
      die "there is no group '$1'; groups are build, test, lab, bird3, fresh, stock, machine, booted, booted_machine, cross_arm64, bench and peers"
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

(($# > 0)) || die "which group: build, test, lab, bird3, fresh, stock, machine, booted, booted_machine, cross_arm64, bench, peers?"
command -v dpkg-query >/dev/null || die "this is not Debian; packages_of in this script lists the needed packages"
wanted=$(for group in "$@"; do packages_of "$group"; done)

missing=()
for package in $wanted; do
  is_installed "$package" || missing+=("$package")
done
((${#missing[@]} > 0)) || exit 0

echo "packages.sh: installing ${missing[*]}"
# These packages start a server that neither the benchmark nor the tests need: they run one of their own.
for server in frr ocserv prometheus; do
  [[ -d /run/systemd/system && " ${missing[*]} " == *" $server "* ]] || continue
  echo "packages.sh: $server.service is masked; 'systemctl unmask $server.service' enables its use"
  as_root systemctl --quiet mask "$server.service"
done
as_root apt-get -qq update
as_root DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install \
  "${missing[@]}" </dev/null >/dev/null
