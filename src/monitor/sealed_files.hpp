// Files in memory that nothing can change any more (memfd_create(2)), and those that a worker gets.
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "routevpn/channel/messages.hpp"
#include "routevpn/dtls/credentials.hpp"
#include "routevpn/options/link_options.hpp"

namespace routevpn::monitor {

// Fails while a process has a writable mapping of it. Throws SystemError.
void seal(const Fd& file);
// `name`: for /proc/PID/fd. Throws SystemError.
Fd sealed_file(const char* name, std::string_view content);

class SealedFiles {
 public:
  // Throws SystemError.
  SealedFiles(const options::LinkOptions& options, const dtls::CredentialTexts& texts);
  [[nodiscard]] std::vector<int> descriptors() const;

 private:
  std::array<Fd, channel::files_of_reload> files_;
};

}  // namespace routevpn::monitor
