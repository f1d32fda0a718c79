// Owners of secrets, which their destructors wipe.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

namespace routevpn {

template <std::size_t size>
struct Secret : std::array<std::uint8_t, size> {
  Secret() : std::array<std::uint8_t, size>{} {}
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { explicit_bzero(this->data(), size); }
};

class SecretText {
 public:
  explicit SecretText(std::string text) : text_(std::move(text)) {}
  SecretText(const SecretText&) = delete;
  SecretText& operator=(const SecretText&) = delete;
  ~SecretText() { explicit_bzero(text_.data(), text_.size()); }
  [[nodiscard]] const std::string& get() const { return text_; }

 private:
  std::string text_;
};

}  // namespace routevpn
