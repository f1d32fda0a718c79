// The BIO that OpenSSL uses instead of a socket: datagrams in memory. Every record that OpenSSL
// sends passes here. So the pipe records which sequence numbers of epoch 1 OpenSSL used, and after
// the take-over it blocks all others.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "routevpn/base/bytes.hpp"
#include "routevpn/base/clock.hpp"
#include "routevpn/base/mtu.hpp"
#include "routevpn/dtls/handshake.hpp"
#include "routevpn/pki/openssl.hpp"

namespace routevpn::dtls {

// A handshake datagram fits every IPv6 path.
inline constexpr long udp_over_ipv6_bytes = ipv6_header_bytes + udp_header_bytes;
inline constexpr long handshake_mtu = ipv6_minimum_mtu - udp_over_ipv6_bytes;

// The records that OpenSSL sealed in epoch 1.
struct EpochOneUse {
  std::optional<std::uint64_t> highest_sequence;
  // Explicit nonce minus sequence number (AES-GCM, RFC 5288 section 3).
  std::uint64_t nonce_base = 0;
  bool same_base = true;  // in all records

  void note(std::uint64_t sequence, ConstBytes fragment);
};

// When OpenSSL retransmits its flight, on the clock of the handshake's arguments.
struct FlightTimer {
  Time now;
  Duration interval{};
  std::optional<Time> due;
};

class DatagramPipe {
 public:
  void offer(std::vector<std::uint8_t> datagram) { waiting_ = std::move(datagram); }
  Datagrams take_output() { return std::exchange(output_, {}); }

  // The next record of epoch 0 that OpenSSL sends gets this number, the one after it the next. Not
  // called: they keep OpenSSL's numbers.
  void number_from(std::uint64_t next) { next_number_ = next; }

  // From now on OpenSSL may only retransmit its last flight, with sequence numbers below this one.
  void take_over(std::uint64_t first_sequence) { taken_over_from_ = first_sequence; }

  [[nodiscard]] const EpochOneUse& used() const { return used_; }
  // Datagrams of OpenSSL that were blocked after the take-over.
  [[nodiscard]] std::uint64_t refused() const { return refused_; }

  FlightTimer timer;
  long mtu = handshake_mtu;  // bytes of a datagram; smaller where an envelope is added

  // For the BIO.
  std::optional<std::size_t> read(Bytes into);  // none: no datagram is waiting
  void write(ConstBytes datagram);

 private:
  [[nodiscard]] bool may_send(ConstBytes datagram) const;
  void renumber(Bytes datagram);

  std::optional<std::vector<std::uint8_t>> waiting_;
  Datagrams output_;
  std::optional<std::uint64_t> next_number_;
  EpochOneUse used_;
  std::optional<std::uint64_t> taken_over_from_;
  std::uint64_t refused_ = 0;
};

// A BIO on this pipe, which must outlive it.
pki::Bio make_bio(DatagramPipe& pipe);

}  // namespace routevpn::dtls
