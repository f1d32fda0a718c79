#include "hostile_messages.hpp"

#include <initializer_list>
#include <string_view>

#include "routevpn/signer/sign_request.hpp"

namespace routevpn::test {

using namespace routevpn::channel;

Address some_peer() {
  return Address::of(SocketAddress{*IpAddress::parse("192.0.2.77"), 7754, 0});
}

Announce some_news() {
  return {LinkState::connecting, Text<32>::of("intruded"), Text<256>::of("intruded"), some_peer()};
}

Sign some_digest() {
  Sign wanted{};
  wanted.scheme = static_cast<std::uint8_t>(signer::SignScheme::ecdsa);
  wanted.digest = static_cast<std::uint8_t>(signer::SignDigest::sha256);
  wanted.length = 32;
  return wanted;
}

namespace {

template <typename Field>
void add_bad_digests(std::vector<BadMessage>& all, std::uint8_t Sign::*field,
                     std::initializer_list<Field> values) {
  for (const Field value : values) {
    auto wanted = some_digest();
    wanted.*field = static_cast<std::uint8_t>(value);
    all.push_back({bytes_of(wanted), true});
  }
}

void add_bad_news(std::vector<BadMessage>& all) {
  for (const unsigned state : {3U, 255U}) {
    auto news = some_news();
    news.state = static_cast<LinkState>(state);
    all.push_back({bytes_of(news), false});
  }
  for (const std::string_view reason : {"", "Up", "a b", "a\n", "$(id)", "caf\xc3\xa9"}) {
    auto news = some_news();
    news.reason = Text<32>::of(reason);
    all.push_back({bytes_of(news), false});
  }
}

void add_bad_peers(std::vector<BadMessage>& all) {
  for (const unsigned lane : {16U, 255U}) {
    const RememberPeer peer{static_cast<std::uint8_t>(lane), some_peer()};
    all.push_back({bytes_of(peer), false});
  }
  for (const unsigned version : {0U, 5U, 255U}) {
    RememberPeer peer{0, some_peer()};
    peer.peer.version = static_cast<std::uint8_t>(version);
    all.push_back({bytes_of(peer), false});
  }
}

}  // namespace

std::vector<BadMessage> with_bad_fields() {
  std::vector<BadMessage> all;
  all.push_back({bytes_of(SetCarrier{2}), true});
  all.push_back({bytes_of(SetCarrier{255}), true});
  for (const unsigned bytes : {0U, 67U, 1279U, 65536U, 0xffffffffU}) {
    all.push_back({bytes_of(SetMtu{bytes}), true});
  }
  for (const auto& wanted : {ResolvePeer{0, 255}, ResolvePeer{255, 0}, ResolvePeer{1, 0}}) {
    all.push_back({bytes_of(wanted), false});
  }
  all.push_back({bytes_of(SignPart{sign_part_bytes + 1, {}}), false});
  all.push_back({bytes_of(SignPart{65535, {}}), false});
  add_bad_digests(all, &Sign::key, {1, 128, 255});
  add_bad_digests(all, &Sign::scheme, {1, 2, 3, 4, 255});
  add_bad_digests(all, &Sign::digest, {0, 2, 3, 4, 255});
  add_bad_digests(all, &Sign::length, {0, 31, 33, 64, 65, 255});
  add_bad_news(all);
  add_bad_peers(all);
  for (const unsigned taken : {0U, 1U, 2U, 255U}) {  // of a reload that was not asked for
    all.push_back({bytes_of(Reloaded{static_cast<std::uint8_t>(taken), 1}), false});
  }
  all.push_back({bytes_of(Ended{2}), false});
  all.push_back({bytes_of(Ended{255}), false});
  return all;
}

}  // namespace routevpn::test
