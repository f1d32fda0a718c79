#include "tools/counted_options.hpp"

#include <string_view>

#include "routevpn/base/error.hpp"

#include "tools/units.hpp"

namespace routevpn::test {

using namespace std::chrono_literals;

const char* const counted_help = R"(usage: counted [OPTION...] ADDRESS:PORT
Sends numbered UDP datagrams to an address that this host has, in the same or in another network
namespace, until --count are sent or SIGTERM or SIGINT comes, and prints what became of them.

  --from NETNS      namespace to send from (default: where counted was started)
  --to NETNS        namespace to receive in (default: the same)
  --source ADDRESS  to send from (default: the kernel's choice)
  --via ADDRESS:PORT
                    to send to: who is there is to pass it on (default: the target)
  --interval TIME   between two datagrams, 1ms
  --count N         how many (default: until a signal)
  --flows N         in turn from as many ports, 1: what spreads flows over paths sees N
  --bytes N         of payload, 32 to 65507, 64
  --dscp N          0 to 63, 0
  --grace TIME      waited for the last ones, 1s

On standard error, when the first datagram has arrived: "counted: the first one arrived".
On standard output, at the end, one line of JSON; times in ms:
  sent, received (different ones), lost, refused (of the lost: by the sender's own kernel),
  duplicated, reordered (within a flow), corrupted, foreign (of somebody else), longest_gap_ms (in
  which nothing of some flow arrived), longest_gap_at_ms, longest_pause_ms (between two sends: what
  this host was late itself), delay_ms {min, median, p99, max}, started (CLOCK_MONOTONIC, s),
  outages [{flow, at_ms, ms, lost}]: each run lost in a flow, from when the first was sent until the
  next that arrived was; of those the 100 longest, in order.
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
      if (has_target) throw UsageError("one target is enough: " + arguments[i]);
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
