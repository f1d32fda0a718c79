// The fields of a state that a process hands to its successor, in order and without names. Writer
// and reader are called with the same fields, so one function template serves both:
//
//     template <typename Io>
//     void fields(Io& io, Thing& thing) { io(thing.number, thing.name); }
//
// Numbers have their own size, in network order. A text or a list begins with its length.
#pragma once

#include <array>
#include <chrono>
#include <concepts>
#include <cstring>
#include <deque>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "routevpn/base/address.hpp"
#include "routevpn/base/bytes.hpp"

namespace routevpn {

template <typename T>
concept FieldNumber = std::integral<T> || std::is_enum_v<T>;
template <typename T>
concept FieldList = std::same_as<T, std::vector<typename T::value_type>> ||
    std::same_as<T, std::deque<typename T::value_type>>;
template <typename T>
concept FieldObject = std::is_class_v<T> && !FieldList<T>;

class FieldWriter {
 public:
  explicit FieldWriter(Bytes room) : room_(room) {}

  template <typename... T>
  void operator()(T&... all) {
    (put(all), ...);
  }
  [[nodiscard]] bool fits() const { return fits_; }  // false: a field had no room
  [[nodiscard]] std::size_t bytes() const { return used_; }

 private:
  template <FieldNumber T>
  void put(T& number) {
    auto rest = static_cast<std::uint64_t>(number);
    std::array<std::uint8_t, sizeof(T)> bytes{};
    for (std::size_t i = bytes.size(); i-- > 0; rest >>= 8) {
      bytes[i] = static_cast<std::uint8_t>(rest);
    }
    put_bytes(bytes);
  }
  template <typename Rep, typename Period>
  void put(std::chrono::duration<Rep, Period>& duration) {
    auto count = duration.count();
    put(count);
  }
  template <typename Clock, typename Length>
  void put(std::chrono::time_point<Clock, Length>& time) {
    auto count = time.time_since_epoch().count();
    put(count);
  }
  void put(std::string& text) {
    auto size = static_cast<std::uint32_t>(text.size());
    put(size);
    put_bytes({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  }
  template <FieldList T>
  void put(T& list) {
    auto size = static_cast<std::uint32_t>(list.size());
    put(size);
    for (auto& each : list) put(each);
  }
  template <typename T, std::size_t size>
  void put(std::array<T, size>& list) {
    for (T& each : list) put(each);
  }
  template <typename T>
  void put(std::optional<T>& value) {
    bool is_there = value.has_value();
    put(is_there);
    if (is_there) put(*value);
  }
  template <FieldObject T>
  void put(T& object) {
    fields(*this, object);
  }

  void put_bytes(ConstBytes bytes) {
    fits_ = fits_ && bytes.size() <= room_.size() - used_;
    if (!fits_ || bytes.empty()) return;
    std::memcpy(room_.data() + used_, bytes.data(), bytes.size());
    used_ += bytes.size();
  }

  Bytes room_;
  std::size_t used_ = 0;
  bool fits_ = true;
};

class FieldReader {
 public:
  explicit FieldReader(ConstBytes bytes) : rest_(bytes) {}

  template <typename... T>
  void operator()(T&... all) {
    (take(all), ...);
  }
  [[nodiscard]] bool valid() const { return valid_; }  // whether every field was there
  // The same, and nothing is left.
  [[nodiscard]] bool complete() const { return valid_ && rest_.empty(); }

 private:
  template <FieldNumber T>
  void take(T& number) {
    const ConstBytes bytes = take_bytes(sizeof(T));
    std::uint64_t value = 0;
    for (const std::uint8_t byte : bytes) value = value << 8 | byte;
    if constexpr (std::is_same_v<T, bool>) {
      valid_ = valid_ && value <= 1;
      number = value == 1;
    } else {
      number = static_cast<T>(value);
    }
  }
  template <typename Rep, typename Period>
  void take(std::chrono::duration<Rep, Period>& duration) {
    Rep count{};
    take(count);
    duration = std::chrono::duration<Rep, Period>(count);
  }
  template <typename Clock, typename Length>
  void take(std::chrono::time_point<Clock, Length>& time) {
    Length since_epoch{};
    take(since_epoch);
    time = std::chrono::time_point<Clock, Length>(since_epoch);
  }
  void take(std::string& text) {
    std::uint32_t size = 0;
    take(size);
    const ConstBytes bytes = take_bytes(size);
    text.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  // An element has at least one byte, so a wrong length allocates no more than `rest_`.
  template <FieldList T>
  void take(T& list) {
    std::uint32_t size = 0;
    take(size);
    valid_ = valid_ && size <= rest_.size();
    list.clear();
    for (std::uint32_t i = 0; valid_ && i < size; ++i) take(list.emplace_back());
  }
  template <typename T, std::size_t size>
  void take(std::array<T, size>& list) {
    for (T& each : list) take(each);
  }
  template <typename T>
  void take(std::optional<T>& value) {
    bool is_there = false;
    take(is_there);
    value.reset();
    if (is_there) take(value.emplace());
  }
  template <FieldObject T>
  void take(T& object) {
    fields(*this, object);
  }

  // Empty if there are fewer.
  ConstBytes take_bytes(std::size_t count) {
    valid_ = valid_ && count <= rest_.size();
    if (!valid_) return {};
    const ConstBytes taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }

  ConstBytes rest_;
  bool valid_ = true;
};

template <typename Io>
void fields(Io& io, IpAddress& address) {
  bool is_v4 = address.is_v4();
  auto bytes = address.bytes();
  io(is_v4, bytes);
  address = is_v4 ? IpAddress::v4({bytes[0], bytes[1], bytes[2], bytes[3]}) : IpAddress::v6(bytes);
}

template <typename Io>
void fields(Io& io, SocketAddress& address) {
  io(address.address, address.port, address.scope);
}

}  // namespace routevpn
