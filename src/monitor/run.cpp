#include <linux/capability.h>

#include "routevpn/host/capabilities.hpp"
#include "routevpn/monitor/monitor.hpp"

namespace routevpn::monitor {

namespace {

// What the monitor may do. Its children that are executed by root have the bounding set again: the
// worker until it confines itself, the resolver, nft, and commands of --on-state.
//   CAP_NET_ADMIN        carrier, MTU, routes, sysctls, firewall marks
//   CAP_SYS_ADMIN        entering namespaces; effective only then (host/capabilities.hpp)
//   CAP_SETUID, SETGID   the user of the worker and of resolvers, the group of the control socket
//   CAP_SETPCAP          the empty bounding set of resolvers
//   CAP_KILL             ending a worker or a resolver, which has another user
//   CAP_DAC_READ_SEARCH  credentials below a directory of another user, as a home directory
void keep_rights_for_set_up() {
  host::keep_capabilities({CAP_NET_ADMIN, CAP_SYS_ADMIN, CAP_SETUID, CAP_SETGID, CAP_SETPCAP,
                           CAP_KILL, CAP_DAC_READ_SEARCH,
                           // of set-up alone: ports below 1024, the group of the control socket
                           CAP_NET_BIND_SERVICE, CAP_CHOWN});
}

void keep_rights_of_running_monitor() {
  host::keep_capabilities({CAP_NET_ADMIN, CAP_SYS_ADMIN, CAP_SETUID, CAP_SETGID, CAP_SETPCAP,
                           CAP_KILL, CAP_DAC_READ_SEARCH});
}

}  // namespace

// The guardian starts before the private key is in memory.
Exit run(const options::LinkOptions& options, std::vector<std::string> arguments) {
  auto account = cage::find_account(options.user);
  auto early = open_early_ends(options);
  keep_rights_for_set_up();
  auto credentials = dtls::load_credentials(
      {options.certificate, options.key, options.ca, options.crl, options.psk});
  dtls::Identity::make(credentials, {options.peer_name, options.ciphers});
  Monitor monitor(options, std::move(arguments), std::move(account), std::move(credentials),
                  open_ends(options, std::move(early)));
  keep_rights_of_running_monitor();
  return monitor.run();
}

}  // namespace routevpn::monitor
