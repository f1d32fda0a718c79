// The files that a worker gets, each as a sealed descriptor in memory.
#pragma once

#include <array>
#include <vector>

#include "routevpn/channel/messages.hpp"
#include "routevpn/dtls/credentials.hpp"
#include "routevpn/options/link_options.hpp"

namespace routevpn::monitor {

class SealedFiles {
 public:
  // Throws SystemError.
  SealedFiles(const options::LinkOptions& options, const dtls::CredentialTexts& texts);
  [[nodiscard]] std::vector<int> descriptors() const;

 private:
  std::array<Fd, channel::files_of_reload> files_;
};

}  // namespace routevpn::monitor
