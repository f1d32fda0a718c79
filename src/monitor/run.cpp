#include <array>
#include <span>

#include <linux/capability.h>

#include "routevpn/base/log.hpp"
#include "routevpn/host/capabilities.hpp"
#include "routevpn/host/memory.hpp"
#include "routevpn/monitor/kept_link.hpp"
#include "routevpn/monitor/monitor.hpp"

namespace routevpn::monitor {

namespace {

// The capabilities of the monitor. A program that root executes has the whole bounding set again,
// except under no_new_privs, as in the unit: there it has no more than the monitor.
//
// While the monitor runs:
//   CAP_NET_ADMIN        carrier, MTU, routes, sysctls, firewall marks
//   CAP_SYS_ADMIN        entering namespaces, and bpf(2) at the start; effective only then
//                        (host/capabilities.hpp)
//   CAP_SETUID, SETGID   the user of the worker and of resolvers, the group of the control socket
//   CAP_SETPCAP          the worker and resolvers drop their bounding sets
//   CAP_SYS_CHROOT       the worker's empty root directory
//   CAP_KILL             ending a worker or a resolver, which has another user
//   CAP_IPC_LOCK         the monitor locks its memory (host/memory.hpp)
//   CAP_DAC_READ_SEARCH  credentials below a directory of another user, as a home directory
//
// Only while it sets up:
//   CAP_NET_BIND_SERVICE ports below 1024
//   CAP_CHOWN            the control socket's group
constexpr std::array<unsigned, 11> set_up_rights{
    CAP_NET_ADMIN,       CAP_SYS_ADMIN,        CAP_SETUID, CAP_SETGID,
    CAP_SETPCAP,         CAP_SYS_CHROOT,       CAP_KILL,   CAP_IPC_LOCK,
    CAP_DAC_READ_SEARCH, CAP_NET_BIND_SERVICE, CAP_CHOWN};
constexpr auto running_rights = std::span(set_up_rights).first<9>();

}  // namespace

// The guardian starts before the private key is in memory.
Exit run(const options::LinkOptions& options, std::vector<std::string> arguments) {
  auto account = cage::find_account(options.user);
  auto kept = KeptLink::take(account.uid);
  auto early = open_early_ends(options, kept);
  const bool locked = host::lock_memory();
  host::keep_capabilities(set_up_rights);
  host::FileWatch files(Monitor::files_of(options));
  // A link with an expired CRL waits for a new one: the service manager need not start it again.
  auto credentials =
      dtls::load_for_link({options.certificate, options.key, options.ca, options.crl, options.psk},
                          {options.peer_name, options.ciphers, options.crl_grace}, false);
  Monitor monitor(
      options, std::move(arguments), std::move(account), std::move(credentials), std::move(files),
      kept ? take_ends(options, std::move(early), *kept) : open_ends(options, std::move(early)));
  if (kept) monitor.adopt(*kept);
  if (!locked) {
    log_warning(
        "the monitor's memory cannot be locked (CAP_IPC_LOCK, RLIMIT_MEMLOCK): its key may be "
        "swapped");
  }
  host::keep_capabilities(running_rights);
  return monitor.run();
}

}  // namespace routevpn::monitor
