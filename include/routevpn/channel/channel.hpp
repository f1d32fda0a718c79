// One end of the SOCK_SEQPACKET pair between the monitor and its worker.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "routevpn/base/bytes.hpp"
#include "routevpn/base/owned.hpp"
#include "routevpn/channel/messages.hpp"

namespace routevpn::channel {

inline constexpr const char* worker_name = "routevpn-worker";  // argv[0] and name of the process
inline constexpr int worker_descriptor = 3;                    // the worker's end

// A message as received, with the descriptors that came with it. The destructor wipes it, because
// it may have been a PSK.
class Message {
 public:
  static constexpr std::size_t max_bytes = 2048;

  Message() = default;
  Message(Message&&) = default;
  Message& operator=(Message&&) = default;
  ~Message() { explicit_bzero(buffer_.data(), buffer_.size()); }

  [[nodiscard]] Kind kind() const { return static_cast<Kind>(buffer_[0]); }
  // False: the message is of another kind or size.
  template <typename T>
  [[nodiscard]] bool copy_to(T& fields_of) const {
    static_assert(std::is_trivially_copyable_v<T> && sizeof(T) < max_bytes);
    constexpr std::size_t fields = std::is_empty_v<T> ? 0 : sizeof(T);
    if (kind() != T::kind || bytes_ != 1 + fields) return false;
    if constexpr (fields != 0) std::memcpy(&fields_of, buffer_.data() + 1, fields);
    return true;
  }
  // Not for secrets, because it leaves copies.
  template <typename T>
  [[nodiscard]] std::optional<T> as() const {
    T fields{};
    return copy_to(fields) ? std::optional<T>(fields) : std::nullopt;
  }
  std::vector<Fd>& descriptors() { return descriptors_; }

 private:
  friend class Channel;
  std::array<std::uint8_t, max_bytes> buffer_{};
  std::size_t bytes_ = 0;
  std::vector<Fd> descriptors_;
};

// `closed` also stands for every other error, which errno has. After a receive, errno 0 means that
// the other end is closed; after a send, EPIPE or ECONNRESET does.
enum class SendResult : std::uint8_t { ok, full, closed };
enum class ReceiveResult : std::uint8_t { ok, empty, closed };

inline constexpr std::size_t most_sent_descriptors = 253;  // SCM_MAX_FD of the kernel

// Sends one datagram, with at most most_sent_descriptors descriptors, to the other end of a pair.
// `full`: the receiver does not read, and `wait` is false.
[[nodiscard]] SendResult send_datagram(int fd, ConstBytes bytes, bool wait,
                                       std::span<const int> descriptors);

class Channel {
 public:
  explicit Channel(Fd fd) : fd_(std::move(fd)) {}
  // Both ends are closed on exec. Throws SystemError.
  static std::pair<Channel, Channel> make();

  [[nodiscard]] int fd() const { return fd_.get(); }
  Fd release() { return std::move(fd_); }  // for tests, which close one end

  template <typename T>
  [[nodiscard]] SendResult send(const T& message, bool wait = false,
                                std::span<const int> descriptors = {}) const {
    static_assert(std::is_empty_v<T> || std::has_unique_object_representations_v<T>);
    static_assert(sizeof(T) < Message::max_bytes);
    std::array<std::uint8_t, 1 + sizeof(T)> bytes{};
    bytes[0] = static_cast<std::uint8_t>(T::kind);
    constexpr std::size_t fields = std::is_empty_v<T> ? 0 : sizeof(T);
    if constexpr (fields != 0) std::memcpy(bytes.data() + 1, &message, fields);
    const auto result = send_datagram(fd(), ConstBytes(bytes).first(1 + fields), wait, descriptors);
    explicit_bzero(bytes.data(), bytes.size());  // a PSK, perhaps
    return result;
  }
  // A message longer than Message::max_bytes, or of no byte, is received as of no kind.
  [[nodiscard]] ReceiveResult receive(Message& message, bool wait = false) const;

 private:
  Fd fd_;
};

}  // namespace routevpn::channel
