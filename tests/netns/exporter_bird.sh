# shellcheck shell=bash
# A BIRD beside the exporter, for the scripts that source lib.sh.

# bird NAME NETNS PEER OWN PREFIX: an iBGP session over the link, which announces the prefix. The control socket
# is DIR/NAME/bird/private.ctl.
bird() {
  mkdir -p "$DIR/$1/bird"
  cat >"$DIR/$1.bird.conf" <<END
log stderr all;
router id ${4%/*};
protocol device { scan time 1; }
protocol static { ipv4; route $5 unreachable; }
protocol bgp PEER {
  local $4 as 65000;
  neighbor $3 as 65000;
  direct;
  connect retry time 1;
  error wait time 1, 2;
  ipv4 { import all; export all; };
}
END
  start "bird_$1" "$2" bird -f -c "$DIR/$1.bird.conf" -s "$DIR/$1/bird/private.ctl"
}
