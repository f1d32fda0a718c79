#include "routevpn/apply/manifest.hpp"

#include <array>
#include <cstdio>
#include <sstream>

#include <openssl/evp.h>

#include "routevpn/base/error.hpp"

namespace routevpn::apply {

namespace {

constexpr auto head = "# What routevpn apply has done. It compares the next plan with this.\n";
constexpr auto none = "-";

std::string written(const std::string& hash) {
  return hash.empty() ? none : hash;
}

std::string read(const std::string& word) {
  return word == none ? std::string() : word;
}

bool parse_entry(std::istringstream& words, Manifest& manifest) {
  std::string kind;
  std::string first;
  std::string second;
  std::string third;
  words >> kind >> first;
  if (kind == "gateway" && !first.empty()) {
    manifest.gateway = first;
    return true;
  }
  if (kind == "file" && words >> std::ws && std::getline(words, second)) {
    manifest.files[second].insert(first);
    return second.starts_with('/');
  }
  if (kind != "unit" || !(words >> second >> third)) return false;
  manifest.units[first] = {read(second), read(third)};
  return true;
}

}  // namespace

std::string hash_of(std::string_view content) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (EVP_Digest(content.data(), content.size(), digest.data(), &size, EVP_sha256(), nullptr) !=
      1) {
    throw SystemError("OpenSSL has no SHA-256");
  }
  std::string text;
  for (unsigned i = 0; i < size; ++i) {
    std::array<char, 3> byte{};
    std::snprintf(byte.data(), byte.size(), "%02x", digest.at(i));
    text += byte.data();
  }
  return text;
}

Manifest parse_manifest(std::string_view text, const std::string& path) {
  Manifest manifest;
  std::istringstream in{std::string(text)};
  std::string line;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    if (line.empty() || line.starts_with('#')) continue;
    std::istringstream words(line);
    if (!parse_entry(words, manifest)) {
      throw UsageError(path + ":" + std::to_string(number) +
                       ": must be 'gateway NAME', 'file HASH PATH' or 'unit NAME HASH HASH'");
    }
  }
  return manifest;
}

std::string to_text(const Manifest& manifest) {
  std::ostringstream text;
  text << head << "gateway " << manifest.gateway << "\n";
  for (const auto& [path, hashes] : manifest.files) {
    for (const auto& hash : hashes) text << "file " << hash << " " << path << "\n";
  }
  for (const auto& [unit, in_force] : manifest.units) {
    text << "unit " << unit << " " << written(in_force.settings) << " " << written(in_force.files)
         << "\n";
  }
  return text.str();
}

}  // namespace routevpn::apply
