#include "routevpn/cli/status_client.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <dirent.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "routevpn/base/error.hpp"

namespace routevpn::cli {

namespace {

using Directory = Owned<DIR, closedir>;
using std::chrono::duration_cast, std::chrono::milliseconds, std::chrono::steady_clock;

constexpr std::string_view suffix = ".sock";
constexpr std::size_t largest_answer_bytes = 1024UL * 1024;
// After this time the control thread counts as hung.
constexpr timeval connect_timeout{2, 0};

}  // namespace

std::vector<std::string> link_names(const std::string& run_dir) {
  std::vector<std::string> names;
  const Directory directory(opendir(run_dir.c_str()));
  if (!directory) {
    if (errno == ENOENT) return names;
    throw system_error(run_dir);
  }
  while (const dirent* entry = readdir(directory.get())) {
    const std::string_view name(entry->d_name);
    if (name.size() > suffix.size() && name.ends_with(suffix)) {
      names.emplace_back(name.substr(0, name.size() - suffix.size()));
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::optional<StatusStream> StatusStream::ask(const std::string& run_dir, const std::string& link,
                                              const std::string& question) {
  const std::string path = run_dir + "/" + link + std::string(suffix);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw system_error(path, ENAMETOOLONG);
  std::memcpy(address.sun_path, path.data(), path.size());
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) throw system_error("socket");
  setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &connect_timeout, sizeof connect_timeout);
  sockaddr_storage storage{};
  std::memcpy(&storage, &address, sizeof address);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&storage), sizeof address) != 0) {
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

bool StatusStream::read_some() {
  std::array<char, 16384> buffer{};
  const ssize_t n = ::recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (n < 0 && errno == EINTR) return true;
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return false;
  if (n < 0 && errno != ECONNRESET) throw system_error(link_);
  if (n <= 0) {
    ended_ = true;
    return false;
  }
  received_.append(buffer.data(), static_cast<std::size_t>(n));
  if (received_.size() > largest_answer_bytes) throw SystemError(link_ + ": answers without end");
  return true;
}

nlohmann::json StatusStream::parse(const std::string& text) const {
  auto object = nlohmann::json::parse(text, nullptr, false);
  if (!object.is_object()) throw SystemError(link_ + ": its answer is not a JSON object");
  return object;
}

nlohmann::json StatusStream::read_object(milliseconds timeout) {
  const auto deadline = steady_clock::now() + timeout;
  for (;;) {
    while (read_some()) {
    }
    if (ended_) return parse(received_);
    const auto left = duration_cast<milliseconds>(deadline - steady_clock::now());
    pollfd waiting{fd_.get(), POLLIN, 0};
    const bool late =
        left <= milliseconds{0} || (::poll(&waiting, 1, static_cast<int>(left.count())) == 0);
    if (late) throw SystemError(link_ + ": does not answer");
  }
}

std::optional<nlohmann::json> StatusStream::read_latest_line() {
  while (read_some()) {
  }
  const auto end = received_.rfind('\n');
  if (end == std::string::npos) return std::nullopt;
  const auto before = received_.rfind('\n', end == 0 ? 0 : end - 1);
  const auto begin = before == std::string::npos || before == end ? 0 : before + 1;
  auto object = parse(received_.substr(begin, end - begin));
  received_.erase(0, end + 1);
  return object;
}

}  // namespace routevpn::cli
