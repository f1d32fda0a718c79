#include "routevpn/apply/manifest.hpp"

#include "routevpn/base/error.hpp"

#include "catch.hpp"

using namespace routevpn;
using namespace routevpn::apply;

TEST_CASE("a manifest is the same after it was written and read") {
  Manifest manifest;
  manifest.gateway = "V1-1";
  manifest.files["/etc/routevpn/a b.conf"] = {hash_of("new"), hash_of("old")};
  manifest.units["routevpn@a.service"] = {hash_of("settings"), hash_of("files")};
  manifest.units["routevpn@b.service"] = {"", hash_of("files")};
  CHECK(parse_manifest(to_text(manifest), "applied") == manifest);
}

TEST_CASE("hash_of is SHA-256") {
  CHECK(hash_of("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("a line that is no entry of a manifest is named") {
  const std::string line =
      GENERATE("nonsense", "file 00", "file 00 relative", "unit a 00", "gateway");
  CHECK_THROWS_WITH(parse_manifest("# head\n" + line + "\n", "applied"),
                    ContainsSubstring("applied:2: must be"));
}
