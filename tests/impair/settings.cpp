#include "impair/settings.hpp"

#include "routevpn/base/error.hpp"

#include "tools/units.hpp"

namespace routevpn::test {

const char* const settings_help = R"(  drop SHARE       lost: 0..1, or 5%
  duplicate SHARE  arrive twice, the first copy intact
  reorder SHARE    arrive late, after later ones
  late TIME        at most this late, 10ms
  corrupt SHARE    with one bit flipped
  truncate SHARE   cut at a random place
  delay TIME       of each: 250us, 10ms, 1s
  jitter TIME      at most this in addition; keeps the order
  rate RATE        bits of payload per second: 800k, 100M, 1.5G; 0: no limit
  queue TIME       a datagram that would wait longer is dropped, 1s
  mtu BYTES        larger IP packets are dropped: up to 65535; 0: none
)";

namespace {

std::size_t parse_mtu(std::string_view value, bool v4) {
  const auto mtu = parse_count(value, "mtu");
  if (mtu == 0) return 0;
  if (mtu <= headers_bytes(v4) || mtu > 65535) {
    throw UsageError("mtu: 0 or " + std::to_string(headers_bytes(v4) + 1) +
                     " to 65535 are allowed, not " + std::string(value));
  }
  return mtu - headers_bytes(v4);
}

}  // namespace

void apply_setting(Impairments& impairments, std::string_view name, std::string_view value,
                   bool v4) {
  if (name == "drop") {
    impairments.drop = parse_share(value, name);
  } else if (name == "duplicate") {
    impairments.duplicate = parse_share(value, name);
  } else if (name == "reorder") {
    impairments.reorder = parse_share(value, name);
  } else if (name == "late") {
    impairments.late = parse_duration(value, name);
  } else if (name == "corrupt") {
    impairments.corrupt = parse_share(value, name);
  } else if (name == "truncate") {
    impairments.truncate = parse_share(value, name);
  } else if (name == "delay") {
    impairments.delay = parse_duration(value, name);
  } else if (name == "jitter") {
    impairments.jitter = parse_duration(value, name);
  } else if (name == "rate") {
    impairments.rate = parse_rate(value, name);
  } else if (name == "queue") {
    impairments.queue = parse_duration(value, name);
  } else if (name == "mtu") {
    impairments.max_bytes = parse_mtu(value, v4);
  } else {
    throw UsageError("there is no setting '" + std::string(name) + "': see impair --help");
  }
}

}  // namespace routevpn::test
