#include "routevpn/dtls/credentials.hpp"

#include "catch.hpp"
#include "identity_files.hpp"

using namespace routevpn;
using namespace routevpn::test;
using Catch::Matchers::StartsWith;

namespace {

std::string fault_for_link(const Files& f, const std::string& peer_name = "V3-2") {
  std::string text = "(none)";
  try {
    dtls::load_for_link(f.files, {peer_name, ""}, true);
  } catch (const UsageErrors& errors) {
    for (const auto& line : errors.lines) text = (text == "(none)" ? "" : text + "; ") + line;
    CHECK(errors.status == Exit::usage);
  }
  CHECK(ERR_peek_error() == 0);
  return text;
}

}  // namespace

TEST_CASE("our certificate must be issued by a CA of --ca") {
  Files f;
  CHECK(fault_for_link(f) == "(none)");
  const TestCa same_name;
  const TestCa other("Other CA");
  f.dir.write("ca.cert", other.certificate() + f.ca.certificate());
  CHECK(fault_for_link(f) == "(none)");
  for (const auto* ca : {&same_name, &other}) {
    f.dir.write("ca.cert", ca->certificate());
    CHECK(fault_for_link(f) == "--cert " + f.files.certificate + ": not issued by a CA of --ca " +
                                   f.files.ca + ": its issuer is CN=Test CA");
  }
}

TEST_CASE("the chain of our certificate may lead to a CA of --ca") {
  Files f;
  TestCa intermediate("Intermediate CA", f.ca);
  const auto issued = intermediate.issue({.name = "V3-1"});
  f.files = write_files(f.dir, "1", issued, f.ca.certificate());
  CHECK_THAT(fault_for_link(f), StartsWith("--cert " + f.files.certificate + ": not issued by"));
  f.dir.write("1.cert", issued.certificate + intermediate.certificate());
  CHECK(fault_for_link(f) == "(none)");
}

TEST_CASE("--peer-name must not be our own name") {
  const Files f;
  CHECK(fault_for_link(f, "V3-1") == "--peer-name V3-1: is the name of our own certificate, " +
                                         f.files.certificate + "; it must be the peer's");
  CHECK(fault_for_link(f, "*") == "(none)");
}
