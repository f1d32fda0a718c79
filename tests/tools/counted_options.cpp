#include "tools/counted_options.hpp"

#include <string_view>

#include "routevpn/base/error.hpp"

#include "tools/units.hpp"

namespace routevpn::test {

using namespace std::chrono_literals;

const char* const counted_help = R"(usage: counted [OPTION...] ADDRESS:PORT
Sends numbered UDP datagrams to an address that this host has, in the same or in another network
namespace, until --count are sent or SIGTERM or SIGINT arrives, and prints a report.

  --from NETNS      namespace to send from (default: where counted was started)
  --to NETNS        namespace to receive in (default: the same)
  --source ADDRESS  to send from (default: the kernel's choice)
  --via ADDRESS:PORT
                    to send to, where a relay passes them on (default: the target)
  --interval TIME   between two datagrams, 1ms
  --burst N         datagrams between two pauses (default: no pause)
  --pause TIME      after each burst, 100ms
  --count N         number of datagrams (default: until a signal)
  --flows N         source ports, used in turn, 1: each is a flow of its own
  --bytes N         of payload, 32 to 65507, 64
  --dscp N          0 to 63, 0
  --grace TIME      wait for the last datagrams, 1s

On standard error, when the first datagram has arrived: "counted: the first one arrived".
On standard output, at the end, one line of JSON; times in ms:
  sent, received (without duplicates), lost, refused (by the sender's kernel; they count as lost),
  duplicated, reordered (within a flow), corrupted, foreign (not of this run), longest_gap_ms
  (without an arrival in some flow), longest_gap_at_ms, longest_pause_ms (between two sends: how
  late this host was), delay_ms {min, median, p99, max}, started (CLOCK_MONOTONIC, s),
  outages [{flow, at_ms, ms, lost}]: the 100 longest runs of consecutive losses in a flow, in order
  of time, from the send of the first lost datagram to the send of the next that arrived.
)";

namespace {

std::uint64_t parse_within(std::string_view text, std::string_view what, std::uint64_t least,
                           std::uint64_t most) {
  const auto number = parse_count(text, what);
  if (number < least || number > most) {
    throw UsageError(std::string(what) + ": " + std::to_string(least) + " to " +
                     std::to_string(most) + " are allowed, not " + std::string(text));
  }
  return number;
}

void set(CountedOptions& options, const std::string& name, const std::string& value) {
  if (name == "--from") {
    options.from = value;
  } else if (name == "--to") {
    options.to = value;
  } else if (name == "--source") {
    options.source = IpAddress::parse(value);
    if (!options.source) throw UsageError("--source: '" + value + "' is not an IP address");
  } else if (name == "--via") {
    options.via = parse_socket_address(value, name);
  } else if (name == "--interval") {
    options.interval = parse_duration(value, name);
    if (options.interval < 10us) throw UsageError("--interval: 10us is the least");
  } else if (name == "--burst") {
    options.burst = parse_within(value, name, 1, UINT32_MAX);
  } else if (name == "--pause") {
    options.pause = parse_duration(value, name);
  } else if (name == "--count") {
    options.count = parse_within(value, name, 1, UINT32_MAX);
  } else if (name == "--flows") {
    options.flows = static_cast<unsigned>(parse_within(value, name, 1, 1000));
  } else if (name == "--bytes") {
    options.bytes = parse_within(value, name, 32, 65507);
  } else if (name == "--dscp") {
    options.dscp = static_cast<int>(parse_within(value, name, 0, 63));
  } else if (name == "--grace") {
    options.grace = parse_duration(value, name);
  } else {
    throw UsageError("there is no option " + name + ": see counted --help");
  }
}

}  // namespace

CountedOptions parse_counted_options(const std::vector<std::string>& arguments) {
  CountedOptions options;
  bool has_target = false;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (!arguments[i].starts_with("--")) {
      if (has_target) throw UsageError("more than one target: " + arguments[i]);
      options.target = parse_socket_address(arguments[i], "the target");
      has_target = true;
      continue;
    }
    if (i + 1 == arguments.size()) throw UsageError(arguments[i] + " needs a value");
    set(options, arguments[i], arguments[i + 1]);
    ++i;
  }
  if (!has_target) throw UsageError("the target is missing: ADDRESS:PORT");
  return options;
}

}  // namespace routevpn::test
