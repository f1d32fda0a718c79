# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034 # run.sh sets prefix, sites, root; base.sh run_dir and the programs
# The failure scenarios: what each breaks, how it is mended, and how much may be lost.
#
# Most scenarios break the link V1-1 - V3-1, and the streams use that link. Scenarios of a whole gateway
# break V2-1, and the streams are between site 1 and site 2.

scenarios=(peer-stopped peer-killed worker-killed gateway-stopped gateway-gone underlay-cut
  carrier-only one-way-cut site-cut bird-restarted underlay-flapping loss revoked)

describe() {
  case $1 in
    peer-stopped) echo "SIGTERM to the monitor of V3-1's link to V1-1" ;;
    peer-killed) echo "kill -9 of the monitor of V3-1's link to V1-1" ;;
    worker-killed) echo "kill -9 of the worker of V3-1's link to V1-1, which the monitor replaces" ;;
    gateway-stopped) echo "all of V2-1 stopped in order: BIRD first" ;;
    gateway-gone) echo "all of V2-1 killed with -9, its cables unplugged" ;;
    underlay-cut) echo "the underlay drops the packets of the link V1-1 - V3-1 without an error" ;;
    carrier-only) echo "the same as underlay-cut, with BFD off on all links" ;;
    one-way-cut) echo "the underlay drops the packets of the link from V1-1 to V3-1 only" ;;
    site-cut) echo "the cable between V1-1 and its site is unplugged" ;;
    bird-restarted) echo "private BIRD of V1-1 stopped, and started after 2 s" ;;
    underlay-flapping) echo "V3-1's route in the underlay is withdrawn and announced 5 times in 20 s" ;;
    loss) echo "the underlay loses 20 % of the packets of all links for $loss_seconds s" ;;
    revoked) echo "V3-1's certificate is on a new revocation list" ;;
    *) describe_machines "$1" ;;
  esac
}

# Milliseconds that one stream may lose until it uses another path. Scenarios without a limit are only
# measured. 500 is --detection fast, 350 ms, and 150 ms for the routes on a busy machine.
bar() {
  case $1 in
    peer-stopped) echo 20 ;;
    worker-killed | gateway-stopped) echo 50 ;;
    peer-killed | underlay-cut | carrier-only | one-way-cut) echo 500 ;;
    *) bar_of_machines "$1" ;;
  esac
}

peer_of() { # SCENARIO: prints the gateway at the other end of the streams
  case $1 in
    gateway-* | reboot | power-cut) echo V2-1 ;;
    not-yet-valid) echo V2-2 ;;
    *) echo V3-1 ;;
  esac
}

# Breaking and mending ---------------------------------------------------------------------------

link_port() { # GATEWAY LINK: prints its UDP port in the underlay
  sed -n 's/^listen = .*:\([0-9]*\)$/\1/p' "$run_dir/$1/links/$2.conf"
}

drop_in_underlay() { # MATCH
  in_node internet nft -f - <<<"table inet trouble { chain forward {
    type filter hook forward priority 0; $1 drop; }; }"
}
mend_underlay() { in_node internet nft delete table inet trouble; }

public_routes_of() { # disable|enable GATEWAY: withdraws or announces them in the underlay
  birdc -s "$(bird_socket "$2")" "$1" PUBLIC_OWN >/dev/null
}
flap_underlay() {
  local i
  for ((i = 0; i < 5; i++)); do
    public_routes_of disable V3-1
    sleep 2
    public_routes_of enable V3-1
    sleep 2
  done
}

# The peer of a session detects the end of BFD after 9 s. By then its BFD is off, too.
ibgp_bfd() { # yes|no
  local gateway
  # shellcheck disable=SC2046 # one word for each file
  sed -i "s/^  bfd [a-z]*;/  bfd $1;/" $(bird_constants private.conf)
  for gateway in $(gateways); do
    birdc -s "$(bird_socket "$gateway.private")" configure >/dev/null
  done
}

restart_bird() { # NODE
  stop_bird "$1"
  sleep 2
  start_bird "$1"
}

break_it() {
  case $1 in
    peer-stopped) signal_monitor TERM V3-1 rv1-1 ;;
    peer-killed) signal_monitor KILL V3-1 rv1-1 ;;
    worker-killed) kill_worker V3-1 rv1-1 ;;
    gateway-stopped) stop_gateway V2-1 ;;
    gateway-gone) kill_gateway V2-1 ;;
    underlay-cut) drop_in_underlay "udp dport $(link_port V1-1 rv3-1)" ;;
    carrier-only) drop_in_underlay "udp dport $(link_port V1-1 rv3-1)" ;;
    one-way-cut) drop_in_underlay "iifname v1-1 udp dport $(link_port V1-1 rv3-1)" ;;
    site-cut) ip_node R1 link set v1-1 down ;;
    bird-restarted) restart_bird V1-1.private ;;
    underlay-flapping) flap_underlay ;;
    loss)
      drop_in_underlay "meta l4proto udp numgen random mod 5 0"
      sleep "$loss_seconds"
      ;;
    revoked) revoke V3-1 ;;
    *) break_machines "$1" "$2" ;;
  esac
}

mend_it() {
  case $1 in
    peer-*) restart_link V3-1 rv1-1 ;;
    gateway-stopped) start_gateway V2-1 ;;
    gateway-gone) revive_gateway V2-1 ;;
    underlay-cut | one-way-cut | loss) mend_underlay ;;
    carrier-only) mend_underlay ;;
    site-cut) ip_node R1 link set v1-1 up ;;
    worker-killed | bird-restarted | underlay-flapping) ;;
    revoked) certify V3-1 ;;
    *) mend_machines "$1" ;;
  esac
}

# Prints the flap counters of all links and the times of the last change of all sessions. A line that
# differs later is a flap.
states_of_all() {
  local gateway
  for gateway in $(gateways); do
    show_links "$gateway" --json | grep -E '"(ifname|flaps)"' || return 1
    bird_node "$gateway.private" show protocols | awk '$2 == "BGP" { print $1, $5 }'
  done
}

# Measuring --------------------------------------------------------------------------------------

sound() {
  local gateway
  all_routes 90 || return 1
  for gateway in $(gateways); do wait_until 10 has_bfd "$gateway.private" || return 1; done
  wait_until 10 no_unit_failed || return 1
}

# The scenario changes no link and no session: a change is a flap.
keeps_links() { [[ " loss renewed upgraded " == *" $1 "* ]]; } # SCENARIO

run_scenario() { # SCENARIO DIR
  local peer began
  peer=$(peer_of "$1")
  local -a receivers=("R$(site_of V1-1)" "R$(site_of "$peer")")
  echo "$1" >"$2/scenario"
  describe "$1" >"$2/description"
  bar "$1" >"$2/bar"
  recovery_bar "$1" >"$2/recovery-bar"
  sound || die "routes are missing: nothing can be measured"
  [[ $1 != carrier-only ]] || ibgp_bfd no
  start_streams "$2" V1-1 "$peer"
  wait_for_streams "${receivers[@]}"
  states_of_all >"$2/states-before"
  mark "$2" broken
  break_it "$1" "$2"
  # All reactions end within 3 s.
  [[ $1 == loss ]] || sleep 5
  if keeps_links "$1"; then states_of_all >"$2/states-after"; fi
  # Random loss ends before the mark: packets lost at its end do not count as lost by the mending.
  [[ $1 != loss ]] || mend_it loss
  mark "$2" mended
  began=$(now_ms)
  [[ $1 == loss ]] || mend_it "$1"
  if all_routes 90 && [[ ! -f $2/back ]]; then seconds_since "$began" >"$2/back"; fi
  sound || {
    echo "lab/run.sh: not all routes have come back, or a unit has failed" >&2
    echo never >"$2/back"
  }
  # The streams are on their old path again, where a loss would show.
  wait_for_streams "${receivers[@]}"
  stop_streams "$2" "${receivers[@]}"
  [[ $1 != carrier-only ]] || ibgp_bfd yes
}

is_scenario() { [[ " ${scenarios[*]} " == *" $1 "* ]]; }

# fail SCENARIO... [--runs N] [--plot] [--seconds N]
fail() {
  local runs=1 plot="" scenario run dir status=0
  local -a wanted=() dirs=()
  need_lab
  while (($# > 0)); do
    case $1 in
      --runs)
        [[ ${2:-} =~ ^[1-9][0-9]?$ ]] || die "--runs: 1 to 99 are allowed"
        runs=$2
        shift
        ;;
      --seconds)
        [[ ${2:-} =~ ^[1-9][0-9]{0,3}$ ]] || die "--seconds: 1 to 9999 are allowed"
        loss_seconds=$2
        shift
        ;;
      --plot) plot=yes ;;
      all) wanted+=("${scenarios[@]}") ;;
      *)
        is_scenario "$1" || die "fail: '$1' is not an option or a scenario; scenarios are all, ${scenarios[*]}"
        wanted+=("$1")
        ;;
    esac
    shift
  done
  ((${#wanted[@]} > 0)) || die "fail: which scenario? all, ${scenarios[*]}"
  end "$run_dir"/fail/*/*.pid # a run that was ended leaves its streams
  for scenario in "${wanted[@]}"; do
    dirs=()
    for ((run = 1; run <= runs; run++)); do
      dir=$run_dir/fail/$scenario-$run
      rm -rf "$dir"
      mkdir -p "$dir"
      run_scenario "$scenario" "$dir"
      dirs+=("$dir")
    done
    python3 -B lab/report.py "$report_kind" "${dirs[@]}" || status=1
    [[ -z $plot ]] || draw "$scenario" "${dirs[0]}"
  done
  return "$status"
}

draw() { # SCENARIO DIR
  mkdir -p build/lab
  python3 -B lab/report.py plot "$2" "build/lab/$prefix$1.svg"
  echo "drawn: build/lab/$prefix$1.svg"
}
