#include "scripted/framing.hpp"

#include <algorithm>

namespace routevpn::test::scripted {

namespace {

std::size_t load_be24(const std::uint8_t* at) {
  return std::size_t{at[0]} << 16 | load_be16(at + 1);
}

}  // namespace

Octets Message::fragment(std::size_t offset, std::size_t size) const {
  return Writer()
      .number(type, 1)
      .number(body.size(), 3)
      .number(sequence, 2)
      .number(offset, 3)
      .number(size, 3)
      .bytes(ConstBytes(body).subspan(offset, size))
      .out;
}

std::vector<Record> to_records(const Message& message, std::uint16_t epoch,
                               std::size_t fragment_bytes) {
  std::vector<Record> records;
  std::size_t offset = 0;
  do {
    const std::size_t size = std::min(fragment_bytes, message.body.size() - offset);
    records.push_back({record::ContentType::handshake, epoch, message.fragment(offset, size)});
    offset += size;
  } while (offset < message.body.size());
  return records;
}

void Reassembly::add(ConstBytes fragments) {
  while (fragments.size() >= message_header_bytes) {
    const std::uint8_t* const header = fragments.data();
    const std::uint16_t sequence = load_be16(header + 4);
    const std::size_t size = load_be24(header + 9);
    fragments = fragments.subspan(message_header_bytes);
    const ConstBytes body = fragments.first(std::min(size, fragments.size()));
    fragments = fragments.subspan(body.size());
    if (sequence < next_) continue;  // a retransmission
    Partial& partial = partial_[sequence];
    partial.message.type = header[0];
    partial.message.sequence = sequence;
    partial.bytes = load_be24(header + 1);
    Octets& joined = partial.message.body;
    if (load_be24(header + 6) == joined.size())
      joined.insert(joined.end(), body.begin(), body.end());
  }
}

std::optional<Message> Reassembly::take() {
  const auto first = partial_.find(next_);
  if (first == partial_.end() || first->second.message.body.size() < first->second.bytes) {
    return std::nullopt;
  }
  Message message = std::move(first->second.message);
  partial_.erase(first);
  ++next_;
  return message;
}

}  // namespace routevpn::test::scripted
