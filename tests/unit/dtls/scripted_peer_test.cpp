// The scripted peer without a deviation completes handshakes in both roles. So a refusal in the
// matrix has its deviation as the only cause.
#include <algorithm>

#include <openssl/err.h>

#include "catch.hpp"
#include "duel.hpp"

using namespace routevpn;
using namespace routevpn::test;
using dtls::Role;

namespace {

bool equal(const record::DirectionKeys& ours, const scripted::RecordKeys& theirs) {
  return std::equal(theirs.key.begin(), theirs.key.end(), ours.key.begin()) &&
         std::equal(theirs.iv.begin(), theirs.iv.end(), ours.iv.begin());
}

std::string text_of(const scripted::Octets& bytes) {
  return {bytes.begin(), bytes.end()};
}

void check_undisturbed(Role role, Duel& duel) {
  INFO((duel.ours() != nullptr ? duel.ours()->failure().text : "no handshake"));
  REQUIRE(duel.completed());
  const auto& established = duel.ours()->established();
  const auto& initiators = role == Role::initiator ? established.send : established.receive;
  const auto& acceptors = role == Role::initiator ? established.receive : established.send;
  CHECK(equal(initiators, duel.peer.initiator_keys()));
  CHECK(equal(acceptors, duel.peer.acceptor_keys()));
  const std::string text = "from the peer";
  const scripted::Octets bytes(text.begin(), text.end());
  CHECK(open_data(established, duel.peer.seal(record::ContentType::application_data, bytes)) ==
        text);
  CHECK(text_of(duel.peer.open(seal_data(established, "from us"))) == "from us");
  CHECK(ERR_peek_error() == 0);
}

}  // namespace

TEST_CASE("the scripted peer completes in both roles, with equal keys, and data passes") {
  const auto role = GENERATE(Role::initiator, Role::acceptor);
  const auto group = GENERATE(scripted::x25519, scripted::secp256r1);
  CAPTURE(static_cast<int>(role), group);
  Duel duel(
      role, plain_sides(role),
      {.hello =
           [group](scripted::Flight, scripted::Hello& hello) {
             if (hello.extensions.contains(scripted::supported_groups)) {
               hello.offer_groups({group, scripted::secp256r1});  // the curve of certificates too
             }
           },
       .group = group});
  duel.exchange();
  check_undisturbed(role, duel);
  CHECK(duel.ours()->established().control_messages);
  CHECK_FALSE(duel.peer.alert());
}
