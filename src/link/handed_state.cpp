#include "routevpn/link/handed_state.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include <openssl/evp.h>
#include <sys/mman.h>
#include <unistd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/channel/messages.hpp"

namespace routevpn::link {

namespace {

constexpr std::array<std::uint8_t, 4> magic = {'r', 'v', 'p', 'n'};
constexpr std::size_t version_at = 4;
constexpr std::size_t length_at = 8;
constexpr std::size_t digest_at = 12;

std::array<std::uint8_t, 32> digest_of(ConstBytes content) {
  std::array<std::uint8_t, 32> digest{};
  if (EVP_Digest(content.data(), content.size(), digest.data(), nullptr, EVP_sha256(), nullptr) !=
      1) {
    throw SystemError("OpenSSL cannot hash the state");
  }
  return digest;
}

}  // namespace

void write_state_header(Bytes memory, std::size_t bytes) {
  std::ranges::copy(magic, memory.begin());
  store_be32(&memory[version_at], channel::version);
  store_be32(&memory[length_at], static_cast<std::uint32_t>(bytes));
  const auto digest = digest_of(memory.subspan(state_header_bytes, bytes));
  std::ranges::copy(digest, memory.begin() + digest_at);
}

std::optional<ConstBytes> state_content(ConstBytes memory) {
  if (memory.size() < state_header_bytes || !std::ranges::equal(memory.first(4), magic) ||
      load_be32(&memory[version_at]) != channel::version) {
    return std::nullopt;
  }
  const std::size_t bytes = load_be32(&memory[length_at]);
  if (bytes > memory.size() - state_header_bytes) return std::nullopt;
  const ConstBytes content = memory.subspan(state_header_bytes, bytes);
  if (!std::ranges::equal(memory.subspan(digest_at, 32), digest_of(content))) return std::nullopt;
  return content;
}

StateMemory StateMemory::of(const Fd& memfd) {
  void* const at =
      mmap(nullptr, channel::state_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memfd.get(), 0);
  if (at == MAP_FAILED) throw system_error("mapping the memory for the state");
  madvise(at, channel::state_bytes, MADV_DONTDUMP);
  return StateMemory({static_cast<std::uint8_t*>(at), channel::state_bytes});
}

StateMemory::StateMemory(StateMemory&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

void StateMemory::unmap() {
  if (!bytes_.empty()) munmap(bytes_.data(), bytes_.size());
  bytes_ = {};
}

// The header tells how much there is, so the pages behind it are not touched.
StateCopy::StateCopy(const Fd& memfd) {
  const auto read_up_to = [&](std::size_t size) {
    const std::size_t from = bytes_.size();
    bytes_.resize(size);
    const auto got =
        pread(memfd.get(), bytes_.data() + from, size - from, static_cast<off_t>(from));
    if (got == static_cast<ssize_t>(size - from)) return;
    wipe();
    throw system_error("the state of the worker before");
  };
  bytes_.reserve(channel::state_bytes);  // it never moves, so it leaves no copy
  read_up_to(state_header_bytes);
  const std::size_t content = load_be32(&bytes_[length_at]);
  read_up_to(state_header_bytes + std::min(content, channel::state_bytes - state_header_bytes));
}

void StateCopy::wipe() {
  explicit_bzero(bytes_.data(), bytes_.size());
}

}  // namespace routevpn::link
