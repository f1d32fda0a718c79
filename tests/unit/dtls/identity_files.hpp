// The files of a valid identity, which a test spoils.
#pragma once

#include <string>

#include <openssl/err.h>

#include "routevpn/base/error.hpp"
#include "routevpn/dtls/identity.hpp"

#include "catch.hpp"
#include "test_pki.hpp"

namespace routevpn::test {

struct Files {
  TempDir dir;
  TestCa ca;
  Issued issued = ca.issue({.name = "V3-1"});
  dtls::IdentityFiles files = write_files(dir, "1", issued, ca.certificate());

  [[nodiscard]] std::string fault(const dtls::IdentityPolicy& policy = {"V3-2", ""}) const {
    std::string text = "(none)";
    try {
      dtls::Identity::load(files, policy);
    } catch (const UsageError& error) {
      text = (error.status == Exit::failed ? "may end: " : "") + std::string(error.what());
    }
    CHECK(ERR_peek_error() == 0);
    return text;
  }
};

}  // namespace routevpn::test
