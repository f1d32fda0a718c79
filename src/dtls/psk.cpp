#include "routevpn/dtls/psk.hpp"

#include <cerrno>
#include <cstring>
#include <string_view>

#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/owned.hpp"
#include "routevpn/pki/psk.hpp"

#include "hkdf.hpp"

namespace routevpn::dtls {

namespace {

// Wiped by its destructor.
template <std::size_t size>
struct Wiped : std::array<std::uint8_t, size> {
  Wiped() : std::array<std::uint8_t, size>{} {}
  Wiped(const Wiped&) = delete;
  Wiped& operator=(const Wiped&) = delete;
  ~Wiped() { OPENSSL_cleanse(this->data(), size); }
};

using Line = Wiped<pki::psk_characters + 2>;  // with its end, and room to notice a longer file

UsageError fault(const std::string& path, const std::string& text) {
  return UsageError("--psk " + path + ": " + text);
}

// Opens the file once, so that the checked mode is that of the file that is read. Returns the
// number of bytes read.
std::size_t read_line(const std::string& path, Line& into) {
  const Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));  // no wait at a pipe
  struct stat status {};
  if (!file || fstat(file.get(), &status) != 0) {
    throw fault(path, std::string("cannot be read: ") + std::strerror(errno));
  }
  if (!S_ISREG(status.st_mode)) throw fault(path, "not a regular file");
  if ((status.st_mode & 077) != 0) {
    throw fault(path, "must be readable by its owner alone (chmod 600 " + path + ')');
  }
  if (status.st_uid != 0 && status.st_uid != geteuid()) {
    throw fault(path, "must be owned by root or by the user that runs the link");
  }
  std::size_t size = 0;
  while (size < into.size()) {
    const auto got = ::read(file.get(), into.data() + size, into.size() - size);
    if (got < 0) throw fault(path, std::string("cannot be read: ") + std::strerror(errno));
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  return size;
}

}  // namespace

Psk::Psk(std::span<const std::uint8_t, bytes> key) {
  // The limit of locked memory may be zero for a user other than root.
  [[maybe_unused]] const int locked = mlock(&secrets_, sizeof secrets_);
  hkdf_sha256({}, key, "routevpn/1 psk envelope", secrets_.envelope);
  hkdf_sha256({}, key, "routevpn/1 psk traffic", secrets_.traffic);
}

Psk::~Psk() {
  OPENSSL_cleanse(&secrets_, sizeof secrets_);
}

bool same(const PskPtr& a, const PskPtr& b) {
  if (a == b) return true;
  return a != nullptr && b != nullptr &&
         CRYPTO_memcmp(a->traffic_secret().data(), b->traffic_secret().data(), Psk::bytes) == 0;
}

PskPtr load_psk(const std::string& path) {
  Line line;
  std::size_t size = read_line(path, line);
  if (size == pki::psk_characters + 1 && line[pki::psk_characters] == '\n') --size;
  Wiped<Psk::bytes + 1> key;
  if (!pki::decode_psk({reinterpret_cast<const char*>(line.data()), size}, key)) {
    throw fault(path, "must hold one line with 32 bytes in base64 (routevpn pki psk makes it)");
  }
  return std::make_shared<const Psk>(std::span(key).first<Psk::bytes>());
}

}  // namespace routevpn::dtls
