#include <linux/capability.h>

#include "routevpn/base/log.hpp"
#include "routevpn/host/capabilities.hpp"
#include "routevpn/host/memory.hpp"
#include "routevpn/monitor/monitor.hpp"

namespace routevpn::monitor {

namespace {

// What the monitor may do, and gives to the programs that it executes:
//   CAP_NET_ADMIN        carrier, MTU, routes, sysctls, firewall marks
//   CAP_SYS_ADMIN        entering namespaces; effective only then (host/capabilities.hpp)
//   CAP_SETUID, SETGID   the user of the worker and of resolvers, the group of the control socket
//   CAP_SETPCAP          both remove their bounding sets
//   CAP_SYS_CHROOT       the worker's empty root directory
//   CAP_KILL             ending a worker or a resolver, which has another user
//   CAP_IPC_LOCK         its memory is locked (host/memory.hpp)
//   CAP_DAC_READ_SEARCH  credentials below a directory of another user, as a home directory
// A program that root executes has the whole bounding set again, except under no_new_privs, as in
// the unit: there it has no more than the monitor.
enum class Phase { set_up, running };

void keep_rights(Phase phase) {
  if (phase == Phase::set_up) {  // also: ports below 1024, and a group that is not the own
    host::keep_capabilities({CAP_NET_ADMIN, CAP_SYS_ADMIN, CAP_SETUID, CAP_SETGID, CAP_SETPCAP,
                             CAP_SYS_CHROOT, CAP_KILL, CAP_IPC_LOCK, CAP_DAC_READ_SEARCH,
                             CAP_NET_BIND_SERVICE, CAP_CHOWN});
    return;
  }
  host::keep_capabilities({CAP_NET_ADMIN, CAP_SYS_ADMIN, CAP_SETUID, CAP_SETGID, CAP_SETPCAP,
                           CAP_SYS_CHROOT, CAP_KILL, CAP_IPC_LOCK, CAP_DAC_READ_SEARCH});
}

}  // namespace

// The guardian starts before the private key is in memory.
Exit run(const options::LinkOptions& options, std::vector<std::string> arguments) {
  auto account = cage::find_account(options.user);
  auto early = open_early_ends(options);
  const bool locked = host::lock_memory();
  keep_rights(Phase::set_up);
  auto credentials = dtls::load_credentials(
      {options.certificate, options.key, options.ca, options.crl, options.psk});
  dtls::Identity::make(credentials, {options.peer_name, options.ciphers});
  Monitor monitor(options, std::move(arguments), std::move(account), std::move(credentials),
                  open_ends(options, std::move(early)));
  if (!locked) {
    log_warning(
        "the monitor's memory cannot be locked (CAP_IPC_LOCK, RLIMIT_MEMLOCK): its key may be "
        "swapped");
  }
  keep_rights(Phase::running);
  return monitor.run();
}

}  // namespace routevpn::monitor
