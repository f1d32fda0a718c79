// One loop, instantiated for three vector widths. It adds the 64-bit words modulo 2^64 and, in a
// second accumulator, their upper halves. The sum of the lower halves is the first accumulator less
// the second one shifted by 32 bits. So a vector takes three instructions and no carry is lost.
#include "routevpn/inside/checksum.hpp"

#include <array>
#include <bit>
#include <cstring>

namespace routevpn::inside {
namespace {

// Adds the last `size` < 8 bytes. Each part of them starts at an even offset.
template <bool copies>
[[gnu::always_inline]] inline std::uint64_t add_tail(std::uint8_t* to, const std::uint8_t* from,
                                                     std::size_t size) {
  std::uint64_t sum = 0;
  const auto add_word = [&]<typename Word>(Word word) {
    std::memcpy(&word, from, sizeof word);
    if constexpr (copies) {
      std::memcpy(to, &word, sizeof word);
      to += sizeof word;
    }
    from += sizeof word;
    sum += word;
  };
  if ((size & 4) != 0) add_word(std::uint32_t{});
  if ((size & 2) != 0) add_word(std::uint16_t{});
  if ((size & 1) != 0) {
    if constexpr (copies) *to = *from;
    sum += std::endian::native == std::endian::little ? std::uint64_t{*from}
                                                      : std::uint64_t{*from} << 8;
  }
  return sum;
}

// NOLINTBEGIN(modernize-use-using): the attribute needs a typedef.
typedef std::uint64_t Words16 __attribute__((vector_size(16)));
typedef std::uint64_t Words32 __attribute__((vector_size(32)));
typedef std::uint64_t Words64 __attribute__((vector_size(64)));
// NOLINTEND(modernize-use-using)

template <typename Words, bool copies>
[[gnu::always_inline]] inline std::uint64_t add_in(std::uint8_t* to, const std::uint8_t* from,
                                                   std::size_t size) {
  using Word = std::uint64_t;
  constexpr std::size_t width = sizeof(Words);
  Words all{};
  Words upper{};
  const auto add_vector = [&](std::size_t at) __attribute__((always_inline)) {
    Words words;
    std::memcpy(&words, from + at, width);
    if constexpr (copies) std::memcpy(to + at, &words, width);
    all += words;
    upper += words >> 32;
  };
  constexpr std::size_t stride = 4;  // vectors per iteration
  std::size_t at = 0;
  for (; at + stride * width <= size; at += stride * width) {
    add_vector(at);
    add_vector(at + width);
    add_vector(at + 2 * width);
    add_vector(at + 3 * width);
  }
  for (; at + width <= size; at += width) add_vector(at);

  Word all_sum = 0;
  Word upper_sum = 0;
  for (std::size_t lane = 0; lane < width / sizeof(Word); ++lane) {
    all_sum += all[lane];
    upper_sum += upper[lane];
  }
  for (; at + sizeof(Word) <= size; at += sizeof(Word)) {
    Word word;
    std::memcpy(&word, from + at, sizeof word);
    if constexpr (copies) std::memcpy(to + at, &word, sizeof word);
    all_sum += word;
    upper_sum += word >> 32;
  }
  const Word lower_sum = all_sum - (upper_sum << 32);
  return lower_sum + upper_sum + add_tail<copies>(copies ? to + at : nullptr, from + at, size - at);
}

std::uint64_t add_portable(const std::uint8_t* from, std::size_t size) {
  return add_in<Words16, false>(nullptr, from, size);
}
std::uint64_t copy_portable(std::uint8_t* to, const std::uint8_t* from, std::size_t size) {
  return add_in<Words16, true>(to, from, size);
}

#if defined(__x86_64__)
[[gnu::target("avx2")]] std::uint64_t add_avx2(const std::uint8_t* from, std::size_t size) {
  return add_in<Words32, false>(nullptr, from, size);
}
[[gnu::target("avx2")]] std::uint64_t copy_avx2(std::uint8_t* to, const std::uint8_t* from,
                                                std::size_t size) {
  return add_in<Words32, true>(to, from, size);
}
[[gnu::target("avx512f")]] std::uint64_t add_avx512(const std::uint8_t* from, std::size_t size) {
  return add_in<Words64, false>(nullptr, from, size);
}
[[gnu::target("avx512f")]] std::uint64_t copy_avx512(std::uint8_t* to, const std::uint8_t* from,
                                                     std::size_t size) {
  return add_in<Words64, true>(to, from, size);
}
#endif

struct Kernels {
  std::array<ChecksumKernel, 3> list{};
  std::size_t count = 0;

  Kernels() {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f")) list[count++] = {"avx512", add_avx512, copy_avx512};
    if (__builtin_cpu_supports("avx2")) list[count++] = {"avx2", add_avx2, copy_avx2};
#endif
    list[count++] = {"portable", add_portable, copy_portable};
  }
};

const Kernels kernels;

// Below this length (headers) wide vectors are not faster.
constexpr std::size_t vector_bytes = 64;

}  // namespace

std::span<const ChecksumKernel> checksum_kernels() {
  return {kernels.list.data(), kernels.count};
}

std::uint16_t checksum_fold(std::uint64_t kernel_sum, std::uint32_t initial) {
  std::uint64_t sum = (kernel_sum & 0xffffffff) + (kernel_sum >> 32);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  // Byte order independence, RFC 1071 section 2 (B): the sum of swapped words is the swapped sum.
  if constexpr (std::endian::native == std::endian::little) sum = (sum & 0xff) << 8 | sum >> 8;
  sum += initial;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}

std::uint16_t checksum_add(ConstBytes bytes, std::uint32_t initial) {
  const auto add = bytes.size() < vector_bytes ? add_portable : kernels.list[0].add;
  return checksum_fold(add(bytes.data(), bytes.size()), initial);
}

std::uint16_t checksum_copy(std::uint8_t* to, ConstBytes from, std::uint32_t initial) {
  const auto copy = from.size() < vector_bytes ? copy_portable : kernels.list[0].copy;
  return checksum_fold(copy(to, from.data(), from.size()), initial);
}

std::uint16_t pseudo_header_sum(ConstBytes addresses, std::uint8_t protocol, std::uint32_t length) {
  return checksum_add(addresses, (length >> 16) + (length & 0xffff) + protocol);
}

}  // namespace routevpn::inside
