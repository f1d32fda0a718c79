#include "routevpn/cli/run.hpp"
#include "routevpn/dtls/identity.hpp"
#include "routevpn/host/netns.hpp"

namespace routevpn::cli {

Probes Probes::of_system() {
  return {
      [](const LinkOptions& options) {
        dtls::Identity::load({options.certificate, options.key, options.ca, options.crl},
                             {options.peer_name, options.ciphers});
      },
      [](const std::string& name, const std::string& option) { host::Netns::open(name, option); },
  };
}

}  // namespace routevpn::cli
