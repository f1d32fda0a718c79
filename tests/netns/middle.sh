# shellcheck shell=bash
# lib.sh with a bad network between the gateways. `impair` relays datagrams between the initiator and
# the acceptor and is the only path between them.
#
#   PUB_A                      MIDDLE                       PUB_B
#   eth0 ---------------------- a0  impair  b0 -------------- eth0
#   192.0.2.1 2001:db8::1       .3          .4       192.0.2.2 2001:db8::2
#
# "up" is from a to b. Source this file instead of lib.sh, then call begin_middle.
#
#   IMPAIR   the program `impair` (impair of PATH)

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

IMPAIR=$(command -v "${IMPAIR:-impair}") || fail "IMPAIR is not a program"
MIDDLE=rv$$-middle
readonly MIDDLE

# The addresses of one side, IPv4 and IPv6. Its only route is to the other end of the wire.
connect_to_middle() {  # connect_to_middle NETNS MIDDLE-IFNAME OWN MIDDLE
  wire "$1" eth0 "$MIDDLE" "$2"
  ip -n "$1" address add "192.0.2.$3/24" dev eth0
  ip -n "$1" address add "2001:db8::$3/64" dev eth0 nodad
  ip -n "$MIDDLE" address add "192.0.2.$4" peer "192.0.2.$3" dev "$2"
  ip -n "$MIDDLE" address add "2001:db8::$4" peer "2001:db8::$3" dev "$2" nodad
}

takes_commands() { [[ -S $DIR/impair.sock ]] && tell stats; }

# begin_middle [OPTION...]: starts impair with these options. a will send to it.
begin_middle() {
  local target=192.0.2.2 listen=192.0.2.3 source=192.0.2.4
  if [[ $OUTER == 6 ]]; then
    target='[2001:db8::2]' listen='[2001:db8::3]' source=2001:db8::4
  fi
  if [[ ! -e /run/netns/$MIDDLE ]]; then
    namespace "$MIDDLE"
    ip -n "$PUB_A" link delete eth0
    connect_to_middle "$PUB_A" a0 1 3
    connect_to_middle "$PUB_B" b0 2 4
  fi
  PEER[$OUTER]=$listen
  rm -f "$DIR/impair.sock"
  start impair "$MIDDLE" "$IMPAIR" --listen "$listen:$PORT" --target "$target:$PORT" \
    --source "$source" --control "$DIR/impair.sock" "$@"
  wait_for takes_commands || fail "impair does not run"
}

# tell COMMAND...: a command for impair, as `impair --help` lists them.
tell() { "$IMPAIR" tell "$DIR/impair.sock" "$@"; }

# stat_of FILTER: the counters of impair, through a jq filter.
stat_of() { tell stats | jq -r "$1"; }
