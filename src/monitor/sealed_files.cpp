#include "sealed_files.hpp"

#include <string>

#include <fcntl.h>
#include <sys/mman.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/files.hpp"
#include "routevpn/options/link_table.hpp"

namespace routevpn::monitor {

namespace {

Fd for_worker(const std::string& content) {
  return sealed_file("routevpn", content);
}

// The worker runs no hook.
std::string text_of(options::LinkOptions options) {
  options.on_state.clear();
  return options::to_config(options);
}

}  // namespace

void seal(const Fd& file) {
  constexpr int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  if (fcntl(file.get(), F_ADD_SEALS, seals) != 0) throw system_error("F_ADD_SEALS");
}

Fd sealed_file(const char* name, std::string_view content) {
  Fd file(memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file) throw system_error("memfd_create");
  write_all(file, content, name);
  seal(file);
  return file;
}

SealedFiles::SealedFiles(const options::LinkOptions& options, const dtls::CredentialTexts& texts)
    : files_{for_worker(text_of(options)), for_worker(texts.certificates),
             for_worker(texts.authorities), for_worker(texts.revocations)} {}

std::vector<int> SealedFiles::descriptors() const {
  std::vector<int> all;
  for (const auto& file : files_) all.push_back(file.get());
  return all;
}

}  // namespace routevpn::monitor
