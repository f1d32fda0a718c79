// PEM files of the CA and of a link. The input is read as each kind of file.
#include "routevpn/base/error.hpp"
#include "routevpn/pki/certificate.hpp"

#include "sim/identities.hpp"
#include "target.hpp"

void routevpn::fuzz::run_target(Input input) {
  static const test::TempDir directory;
  static const auto good = test::write_files(directory, "good", test::identities().v1,
                                             test::identities().ca.certificate());
  const auto read = [](auto reader) {
    try {
      reader();
    } catch (const UsageError&) {
    }
  };
  const auto pem = input.text();
  read([&] { pki::parse_private_key(pem, "a"); });
  read([&] { dtls::describe(pki::parse_certificate(pem, "a").get()); });
  read([&] { pki::parse_request(pem, "a"); });
  read([&] { pki::number_of(pki::parse_revocation_list(pem, "a").get()); });
  const auto path = directory.write("input", pem);
  for (auto member : {&dtls::IdentityFiles::certificate, &dtls::IdentityFiles::key,
                      &dtls::IdentityFiles::ca, &dtls::IdentityFiles::crl}) {
    auto files = good;
    files.*member = path;
    read([&] { dtls::Identity::load(files, {"V2-1", ""}); });
  }
}
