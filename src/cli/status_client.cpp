#include "routevpn/cli/status_client.hpp"

#include <array>
#include <cerrno>

#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "routevpn/base/directory.hpp"
#include "routevpn/base/error.hpp"
#include "routevpn/base/json_object.hpp"
#include "routevpn/base/unix_address.hpp"

namespace routevpn::cli {

namespace {

using std::chrono::duration_cast, std::chrono::milliseconds, std::chrono::steady_clock;

constexpr std::string_view suffix = ".sock";
constexpr std::size_t largest_answer_bytes = 1024UL * 1024;
// After this time the control thread counts as hung.
constexpr timeval connect_timeout{2, 0};

}  // namespace

std::vector<std::string> link_names(const std::string& run_dir) {
  return names_with_suffix(run_dir, suffix);
}

std::optional<StatusStream> StatusStream::ask(const std::string& run_dir, const std::string& link,
                                              const std::string& question) {
  const std::string path = run_dir + "/" + link + std::string(suffix);
  const auto address = UnixAddress::of(path);
  if (!address) throw system_error(path, ENAMETOOLONG);
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) throw system_error("socket");
  setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &connect_timeout, sizeof connect_timeout);
  if (::connect(fd.get(), address->get(), UnixAddress::size()) != 0) {
    if (errno == ENOENT || errno == ECONNREFUSED) return std::nullopt;
    throw system_error(path);
  }
  const std::string line = question + "\n";
  const auto sent = ::send(fd.get(), line.data(), line.size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(line.size())) {
    // The link stopped between the two calls.
    if (errno == EPIPE || errno == ECONNRESET) return std::nullopt;
    throw system_error(path);
  }
  return StatusStream(std::move(fd), link);
}

void StatusStream::read_arrived() {
  std::array<char, 16384> buffer{};
  while (!ended_) {
    const ssize_t n = ::recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    if (n < 0 && errno != ECONNRESET) throw system_error(link_);
    ended_ = n <= 0;
    if (n > 0) received_.append(buffer.data(), static_cast<std::size_t>(n));
    if (received_.size() > largest_answer_bytes) throw SystemError(link_ + ": answers without end");
  }
}

nlohmann::json StatusStream::parse(const std::string& text) const {
  auto object = parse_object(text);  // a link's status has three levels
  if (!object) throw SystemError(link_ + ": its answer is not a JSON object");
  return *std::move(object);
}

nlohmann::json StatusStream::read_object(milliseconds timeout) {
  const auto deadline = steady_clock::now() + timeout;
  for (;;) {
    read_arrived();
    if (ended_) return parse(received_);
    const auto left = duration_cast<milliseconds>(deadline - steady_clock::now());
    pollfd waiting{fd_.get(), POLLIN, 0};
    const bool late =
        left <= milliseconds{0} || (::poll(&waiting, 1, static_cast<int>(left.count())) == 0);
    if (late) throw SystemError(link_ + ": does not answer");
  }
}

std::optional<nlohmann::json> StatusStream::read_latest_line() {
  read_arrived();
  const auto end = received_.rfind('\n');
  if (end == std::string::npos) return std::nullopt;
  const auto before = received_.rfind('\n', end == 0 ? 0 : end - 1);
  const auto begin = before == std::string::npos || before == end ? 0 : before + 1;
  auto object = parse(received_.substr(begin, end - begin));
  received_.erase(0, end + 1);
  return object;
}

}  // namespace routevpn::cli
