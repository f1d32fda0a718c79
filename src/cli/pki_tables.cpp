#include "pki_tables.hpp"

namespace routevpn::cli {

namespace {

using options::flag, options::number, options::single, options::text;

options::Option directory(std::string& into) {
  return {"dir", "DIR", "directory of the CA's files", single(into)};
}

options::Option days(int& into, std::string_view help) {
  return {"days", "N", help, single(into, number<int>(1, pki::longest_days, " days"))};
}

options::Option algorithm(pki::Algorithm& into) {
  return {"algorithm", "NAME", "type of the key",
          single(into, options::one_of<pki::Algorithm>(
                           {pki::algorithm_names.begin(), pki::algorithm_names.end()}))};
}

options::Option list_days(std::optional<int>& into) {
  return {"days", "N", "lifetime of ca.crl (30, or what is left of the last ca.crl)",
          single(into, optional(number<int>(1, pki::longest_days, " days")))};
}

template <typename Require>
options::Option name(std::string& into, std::string_view help, Require require) {
  const auto parse = [require](const std::string& word) {
    require(word);
    return word;
  };
  return {"name", "NAME", help, single(into, {parse, text().write})};
}

}  // namespace

OptionTable authority_table(pki::AuthorityOrder& order) {
  return {name(order.common_name, "common name of the CA", pki::require_common_name),
          directory(order.directory), days(order.days, "lifetime of the CA"),
          algorithm(order.algorithm)};
}

OptionTable request_table(pki::RequestOrder& order) {
  return {name(order.name, "the gateway: writes NAME.key and NAME.csr", pki::require_name),
          directory(order.directory), algorithm(order.algorithm)};
}

OptionTable sign_table(pki::SignOrder& order) {
  static const auto lifetime = "lifetime of the certificate, within the CA's (about " +
                               std::to_string(pki::certificate_days) + ", spread at random)";
  return {
      name(order.name, "the gateway: reads NAME.csr, writes NAME.cert", pki::require_name),
      directory(order.directory),
      {"days", "N", lifetime,
       single(order.days, optional(number<int>(1, pki::longest_days, " days")))},
      {"force", "", "replace NAME.cert: renewal", flag(order.replace)},
  };
}

OptionTable revoke_table(pki::RevokeOrder& order) {
  return {
      name(order.name, "revoke all valid certificates with this name", pki::require_name),
      {"serial", "HEX", "revoke the certificate with this serial number",
       single(order.serial, {pki::parse_serial, text().write})},
      directory(order.directory),
      list_days(order.days),
  };
}

OptionTable revocation_list_table(pki::RevocationListOrder& order) {
  return {
      directory(order.directory),
      list_days(order.days),
  };
}

OptionTable renew_table(pki::RenewOrder& order) {
  return {
      directory(order.directory),
      {"before", "DAYS", "renew what ends within this time (a third of its lifetime)",
       single(order.before, optional(number<int>(1, pki::longest_days, " days")))},
      name(order.name, "renew only this certificate, and not ca.crl", pki::require_name),
  };
}

OptionTable list_table(ListCertificates& list) {
  return {directory(list.directory), {"json", "", "print a JSON array", flag(list.json)}};
}

OptionTable psk_table(pki::PskOrder& order) {
  return {{"out", "FILE", "write this new file instead", single(order.out)}};
}

}  // namespace routevpn::cli
