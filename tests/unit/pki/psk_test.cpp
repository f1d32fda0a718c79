#include "routevpn/pki/psk.hpp"

#include "catch.hpp"
#include "scratch.hpp"

using namespace routevpn;
using namespace routevpn::pki;

TEST_CASE("a PSK is 32 random bytes in base64, as the openssl command reads them") {
  const Scratch scratch;
  create_psk(scratch / "link.psk");
  CHECK(scratch.mode("link.psk") == 0600);
  const auto line = scratch.read("link.psk");
  CHECK(line.size() == psk_characters + 1);
  CHECK(line.back() == '\n');
  scratch.openssl("base64 -d -in link.psk -out raw");
  Secret<psk_bytes> key;
  REQUIRE(decode_psk(line, key));
  CHECK(scratch.read("raw") == std::string(key.begin(), key.end()));
  CHECK(make_psk() != make_psk());
}

TEST_CASE("a PSK file is never overwritten") {
  const Scratch scratch;
  create_psk(scratch / "link.psk");
  const auto before = scratch.read("link.psk");
  CHECK(usage_error([&] { create_psk(scratch / "link.psk"); }) ==
        (scratch / "link.psk") + ": exists already");
  CHECK(scratch.read("link.psk") == before);
  CHECK(scratch.files().size() == 1);
}
