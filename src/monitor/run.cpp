#include "routevpn/base/log.hpp"
#include "routevpn/monitor/monitor.hpp"

namespace routevpn::monitor {

// The guardian starts before the private key is in memory.
Exit run(const options::LinkOptions& options, std::vector<std::string> arguments) {
  auto account = cage::find_account(options.user);
  auto early = open_early_ends(options);
  auto credentials = dtls::load_credentials(
      {options.certificate, options.key, options.ca, options.crl, options.psk});
  dtls::Identity::make(credentials, {options.peer_name, options.ciphers});
  Monitor monitor(options, std::move(arguments), std::move(account), std::move(credentials),
                  open_ends(options, std::move(early)));
  return monitor.run();
}

}  // namespace routevpn::monitor
