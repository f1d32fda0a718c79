// What OpenSSL reads and writes in the place of a socket: datagrams in memory. Everything it sends
// passes here, so this is also where we learn what it has used of epoch 1, and where it is kept
// from using more once the numbers are ours.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <openssl/bio.h>

#include "routevpn/base/bytes.hpp"
#include "routevpn/base/clock.hpp"
#include "routevpn/base/owned.hpp"
#include "routevpn/dtls/handshake.hpp"

namespace routevpn::dtls {

// A handshake datagram passes every IPv6 path: 1280 - 40 (IPv6) - 8 (UDP).
inline constexpr long udp_over_ipv6_bytes = 40 + 8;
inline constexpr long handshake_mtu = 1280 - udp_over_ipv6_bytes;

// The records OpenSSL itself has sealed in epoch 1.
struct EpochOneUse {
  std::optional<std::uint64_t> highest_sequence;
  // Explicit nonce less sequence number of each record (AES-GCM, RFC 5288 section 3).
  std::uint64_t nonce_base = 0;
  bool nonces_count = true;  // the base was the same for all of them

  void note(std::uint64_t sequence, ConstBytes fragment);
};

// When OpenSSL repeats its flight, told by the clock the handshake is told.
struct FlightTimer {
  Time now;
  Duration interval{};
  std::optional<Time> due;
};

class DatagramPipe {
 public:
  void offer(std::vector<std::uint8_t> datagram) { waiting_ = std::move(datagram); }
  Datagrams take_output() { return std::exchange(output_, {}); }

  // From now on OpenSSL may only repeat its last flight, with sequence numbers below this one.
  void take_over(std::uint64_t first_sequence) { ours_from_ = first_sequence; }

  [[nodiscard]] const EpochOneUse& used() const { return used_; }
  // Datagrams OpenSSL wanted to send after the take-over and was not let.
  [[nodiscard]] std::uint64_t refused() const { return refused_; }

  FlightTimer timer;

  // For the BIO.
  std::optional<std::size_t> read(Bytes into);  // none: nothing waits
  void write(ConstBytes datagram);

 private:
  [[nodiscard]] bool may_send(ConstBytes datagram) const;

  std::optional<std::vector<std::uint8_t>> waiting_;
  Datagrams output_;
  EpochOneUse used_;
  std::optional<std::uint64_t> ours_from_;
  std::uint64_t refused_ = 0;
};

using Bio = Owned<BIO, BIO_free>;

// A BIO on this pipe, which must outlive it.
Bio make_bio(DatagramPipe& pipe);

}  // namespace routevpn::dtls
