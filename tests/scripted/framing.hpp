// Handshake messages to records and back: fragments and reassembly (RFC 6347 section 4.2.3).
#pragma once

#include <map>
#include <optional>

#include "scripted/messages.hpp"

namespace routevpn::test::scripted {

struct Message {
  std::uint8_t type = 0;
  std::uint16_t sequence = 0;
  Octets body;

  [[nodiscard]] bool is(Step step) const { return type == static_cast<std::uint8_t>(step); }
  // Header and body as one fragment: the form that the transcript has.
  [[nodiscard]] Octets whole() const { return fragment(0, body.size()); }
  [[nodiscard]] Octets fragment(std::size_t offset, std::size_t size) const;
};

// A record before it is numbered and sealed.
struct Record {
  record::ContentType type = record::ContentType::handshake;
  std::uint16_t epoch = 0;
  Octets payload;
  std::uint16_t version = record::dtls_1_2;

  [[nodiscard]] bool is(record::ContentType wanted) const { return type == wanted; }
  // Whether this record has a fragment of this message.
  [[nodiscard]] bool carries(Step step) const {
    return type == record::ContentType::handshake && !payload.empty() &&
           payload[0] == static_cast<std::uint8_t>(step);
  }
};

// Fragments of at most this many bytes; an empty message has one.
std::vector<Record> to_records(const Message& message, std::uint16_t epoch,
                               std::size_t fragment_bytes);

// Joins fragments that arrive in order, and returns complete messages in the order of their
// sequence numbers.
class Reassembly {
 public:
  void add(ConstBytes fragments);
  std::optional<Message> take();

 private:
  struct Partial {
    Message message;
    std::size_t bytes = 0;  // of the whole body
  };
  std::map<std::uint16_t, Partial> partial_;
  std::uint16_t next_ = 0;
};

}  // namespace routevpn::test::scripted
