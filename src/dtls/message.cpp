#include "message.hpp"

#include <algorithm>
#include <array>

namespace routevpn::dtls {

namespace {

std::uint32_t load_be24(const std::uint8_t* at) {
  return std::uint32_t{at[0]} << 16 | load_be16(at + 1);
}

struct Rule {
  Role receiver;
  MessageType type;
  std::uint16_t first_sequence;
  std::uint16_t last_sequence;
  std::uint32_t max_bytes;
};

constexpr std::uint32_t max_signature_bytes = 2048;  // RSA-8192 has 1024, besides a curve's point
constexpr std::uint32_t max_point_bytes = 256;       // P-521 has 133

// The complete order of messages, RFC 6347 section 4.2.4. An acceptor of ours always sends a
// HelloVerifyRequest, so the ClientHello with its cookie is the initiator's message 1. Other
// acceptors may send none: then their ServerHello is message 0. A CertificateRequest is optional.
// Messages that nothing in our ClientHello asks for are absent: session tickets, OCSP staples.
// HelloRequest is absent, because it ends a handshake in OpenSSL (openssl issue 32363). Finished is
// absent, because it is encrypted.
constexpr std::array rules = {
    Rule{Role::initiator, MessageType::hello_verify_request, 0, 0, 2 + 1 + 255},
    Rule{Role::initiator, MessageType::server_hello, 0, 1, max_hello_bytes},
    Rule{Role::initiator, MessageType::certificate, 1, 2, max_certificate_message_bytes},
    Rule{Role::initiator, MessageType::server_key_exchange, 2, 3, max_signature_bytes},
    // It may list the names of all CAs that the acceptor trusts.
    Rule{Role::initiator, MessageType::certificate_request, 3, 4, max_certificate_message_bytes},
    Rule{Role::initiator, MessageType::server_hello_done, 3, 5, 0},
    Rule{Role::acceptor, MessageType::client_hello, 1, 1, max_hello_bytes},
    Rule{Role::acceptor, MessageType::certificate, 2, 2, max_certificate_message_bytes},
    Rule{Role::acceptor, MessageType::client_key_exchange, 3, 3, max_point_bytes},
    Rule{Role::acceptor, MessageType::certificate_verify, 4, 4, max_signature_bytes},
};

}  // namespace

std::optional<Message> take_message(ConstBytes& fragment) {
  if (fragment.size() < Message::header_bytes) return std::nullopt;
  const std::uint8_t* at = fragment.data();
  const std::size_t size = Message::header_bytes + load_be24(at + 9);
  if (fragment.size() < size) return std::nullopt;
  Message message;
  message.type = static_cast<MessageType>(at[0]);
  message.length = load_be24(at + 1);
  message.sequence = load_be16(at + 4);
  message.fragment_offset = load_be24(at + 6);
  message.whole = fragment.first(size);
  message.fragment = message.whole.subspan(Message::header_bytes);
  fragment = fragment.subspan(size);
  return message;
}

std::optional<Drop> fault_of(const Message& message, Role receiver) {
  const auto* const rule = std::ranges::find_if(
      rules, [&](const Rule& one) { return one.receiver == receiver && one.type == message.type; });
  if (rule == rules.end() || message.sequence < rule->first_sequence ||
      message.sequence > rule->last_sequence) {
    return Drop::handshake_unexpected;
  }
  const bool empty_part = message.fragment.empty() && message.length != 0;
  if (empty_part || message.length > rule->max_bytes ||
      message.fragment_offset + message.fragment.size() > message.length) {
    return Drop::handshake_malformed;
  }
  return std::nullopt;
}

}  // namespace routevpn::dtls
