#include "certificate.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <span>
#include <string_view>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "routevpn/base/owned.hpp"
#include "routevpn/base/text.hpp"
#include "routevpn/dtls/identity.hpp"

namespace routevpn::dtls {

namespace {

std::string ascii_of(const ASN1_STRING* string) {
  const unsigned char* bytes = ASN1_STRING_get0_data(string);
  std::string text(bytes, bytes + ASN1_STRING_length(string));
  std::ranges::replace_if(
      text, [](char c) { return c < ' ' || c > '~'; }, '?');
  return text;
}

std::string first_dns_name(const X509* certificate) {
  const Owned<GENERAL_NAMES, GENERAL_NAMES_free> names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS) return ascii_of(name->d.dNSName);
  }
  return {};
}

std::string common_name(const X509* certificate) {
  const X509_NAME* subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0) return {};
  return ascii_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
}

std::string hex(std::span<const unsigned char> bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const auto byte : bytes) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

std::string fingerprint_of(const X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  X509_digest(certificate, EVP_sha256(), digest.data(), &size);
  return hex(std::span(digest).first(size));
}

std::tm broken_down(const ASN1_TIME* time) {
  std::tm tm{};
  ASN1_TIME_to_tm(time, &tm);
  return tm;
}

}  // namespace

std::string name_of(const X509* certificate) {
  if (const auto name = first_dns_name(certificate); !name.empty()) return shortened(name);
  if (const auto name = common_name(certificate); !name.empty()) return shortened(name);
  return "(no name)";
}

std::string shown(const X509_NAME* name) {
  const Owned<BIO, BIO_free> text(BIO_new(BIO_s_mem()));
  if (text == nullptr || X509_NAME_print_ex(text.get(), name, 0, XN_FLAG_RFC2253) < 0) return {};
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(text.get(), &bytes);
  return size > 0 ? shortened({bytes, static_cast<std::size_t>(size)}) : std::string();
}

std::string date_of(const ASN1_TIME* time) {
  const std::tm tm = broken_down(time);
  std::array<char, sizeof "9999-12-31"> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%d", &tm);
  return text.data();
}

std::chrono::system_clock::time_point time_point_of(const ASN1_TIME* time) {
  using std::chrono::seconds, std::chrono::system_clock;
  // system_clock has the years 1677 to 2262, but certificates may have the years 0 to 9999.
  constexpr auto first = std::chrono::ceil<seconds>(system_clock::time_point::min());
  constexpr auto last = std::chrono::floor<seconds>(system_clock::time_point::max());
  std::tm tm = broken_down(time);
  return std::clamp(std::chrono::sys_seconds(seconds(timegm(&tm))), first, last);
}

bool is_past(const ASN1_TIME* time, std::chrono::seconds grace) {
  std::time_t then = std::time(nullptr) - static_cast<std::time_t>(grace.count());
  return X509_cmp_time(time, &then) <= 0;
}

CertificateInfo describe(const X509* certificate) {
  return {name_of(certificate), shown(X509_get_subject_name(certificate)),
          time_point_of(X509_get0_notBefore(certificate)),
          time_point_of(X509_get0_notAfter(certificate)), fingerprint_of(certificate)};
}

}  // namespace routevpn::dtls
