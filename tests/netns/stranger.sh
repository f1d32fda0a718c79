# shellcheck shell=bash
# lib.sh with a stranger: a third network beside PUB_B, from which datagrams reach the acceptor with any
# source address, also that of PUB_A. Source this file instead of lib.sh.
#
#   PUB_A                     PUB_B                  PUB_C
#   eth0 --- 192.0.2.0/24 --- eth0   eth1 ---------- eth0
#    .1                        .2      198.51.100.1   198.51.100.2

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

PUB_C=rv$$-pub-c
readonly PUB_C

namespace "$PUB_C"
wire "$PUB_B" eth1 "$PUB_C" eth0
ip -n "$PUB_B" address add 198.51.100.1/24 dev eth1
ip -n "$PUB_C" address add 198.51.100.2/24 dev eth0
ip -n "$PUB_C" route add 192.0.2.0/24 via 198.51.100.1
for interface in all eth1; do
  in_ns "$PUB_B" sh -c "echo 0 >/proc/sys/net/ipv4/conf/$interface/rp_filter"
done
