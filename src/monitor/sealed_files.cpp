#include "sealed_files.hpp"

#include <string>

#include <fcntl.h>
#include <sys/mman.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/files.hpp"
#include "routevpn/options/link_table.hpp"

namespace routevpn::monitor {

namespace {

Fd sealed(const std::string& content) {
  Fd file(memfd_create("routevpn", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file) throw system_error("memfd_create");
  write_all(file, content, "a file for the worker");
  constexpr int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  if (fcntl(file.get(), F_ADD_SEALS, seals) != 0) throw system_error("F_ADD_SEALS");
  return file;
}

// The worker runs no hook.
std::string text_of(options::LinkOptions options) {
  options.on_state.clear();
  return options::to_config(options);
}

}  // namespace

SealedFiles::SealedFiles(const options::LinkOptions& options, const dtls::CredentialTexts& texts)
    : files_{sealed(text_of(options)), sealed(texts.certificates), sealed(texts.authorities),
             sealed(texts.revocations)} {}

std::vector<int> SealedFiles::descriptors() const {
  std::vector<int> all;
  for (const auto& file : files_) all.push_back(file.get());
  return all;
}

}  // namespace routevpn::monitor
