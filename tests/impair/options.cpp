#include "impair/options.hpp"

#include "routevpn/base/error.hpp"

#include "impair/settings.hpp"
#include "tools/units.hpp"

namespace routevpn::test {

std::string impair_help() {
  return std::string(R"(usage: impair --listen ADDRESS:PORT --target ADDRESS:PORT [OPTION...]
       impair tell SOCKET COMMAND...
Relays UDP datagrams between a client and the target, with the impairments of a bad network. The
client is the endpoint that last sent to the listening address.

  --source ADDRESS   source address towards the target (default: the kernel's choice), any port
  --control SOCKET   path of the control socket
  --seed N           of the random numbers, 1: datagram n of a direction has the same in each run
  --SETTING VALUE, --up-SETTING VALUE, --down-SETTING VALUE
                     in both directions, towards the target, from the target

Settings; shares are of all datagrams:
)") + settings_help +
         R"(
Commands; each is in force when `tell` returns:
  [up|down] SETTING VALUE [SETTING VALUE...]
  [up|down] clear    no impairments
  rebind             changes the source port towards the target; the old port discards datagrams
  stats              one line of JSON: the counters of each direction
)";
}

namespace {

void set(ImpairOptions& options, const std::string& option, const std::string& value) {
  if (option == "--listen") {
    options.listen = parse_socket_address(value, option);
  } else if (option == "--target") {
    options.target = parse_socket_address(value, option);
  } else if (option == "--source") {
    options.source = IpAddress::parse(value);
    if (!options.source) throw UsageError("--source: '" + value + "' is not an IP address");
  } else if (option == "--control") {
    options.control = value;
  } else if (option == "--seed") {
    options.seed = parse_count(value, option);
  } else {
    auto name = option.substr(2);
    const bool up = !name.starts_with("down-");
    const bool down = !name.starts_with("up-");
    if (!up || !down) name.erase(0, name.find('-') + 1);
    if (up) apply_setting(options.up, name, value, options.target.address.is_v4());
    if (down) apply_setting(options.down, name, value, options.listen.address.is_v4());
  }
}

}  // namespace

ImpairOptions parse_impair_options(const std::vector<std::string>& arguments) {
  ImpairOptions options;
  for (std::size_t i = 0; i < arguments.size(); i += 2) {
    if (!arguments[i].starts_with("--")) {
      throw UsageError("'" + arguments[i] + "' is not an option: see impair --help");
    }
    if (i + 1 == arguments.size()) throw UsageError(arguments[i] + " needs a value");
    set(options, arguments[i], arguments[i + 1]);
  }
  if (options.listen.port == 0) throw UsageError("--listen is missing");
  if (options.target.port == 0) throw UsageError("--target is missing");
  return options;
}

}  // namespace routevpn::test
