#include "impair/control.hpp"

#include <array>
#include <cstring>
#include <sstream>

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "routevpn/base/error.hpp"

namespace routevpn::test {

namespace {

constexpr std::string_view error_mark = "error: ";
constexpr std::size_t max_message_bytes = 4096;
constexpr timeval receive_timeout{5, 0};

sockaddr_un name_of(const std::string& path) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof name.sun_path) {
    throw UsageError("'" + path + "': 1 to 107 bytes are allowed for the path of a socket");
  }
  std::memcpy(name.sun_path, path.data(), path.size());
  return name;
}

Fd make_socket() {
  Fd fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (!fd) throw system_error("control socket");
  return fd;
}

const sockaddr* generic(const sockaddr_un& name) {
  return reinterpret_cast<const sockaddr*>(&name);
}

}  // namespace

ControlSocket::ControlSocket(const std::string& path) : fd_(make_socket()) {
  const auto name = name_of(path);
  unlink(path.c_str());
  if (bind(fd(), generic(name), sizeof name) != 0 || listen(fd(), 8) != 0) {
    throw system_error(path);
  }
}

void ControlSocket::serve(
    const std::function<std::string(const std::vector<std::string>&)>& execute) {
  const Fd client(accept4(fd(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!client) return;
  setsockopt(client.get(), SOL_SOCKET, SO_RCVTIMEO, &receive_timeout, sizeof receive_timeout);
  std::array<char, max_message_bytes> buffer{};
  const auto bytes = recv(client.get(), buffer.data(), buffer.size(), 0);
  if (bytes < 0) return;
  std::istringstream text(std::string(buffer.data(), static_cast<std::size_t>(bytes)));
  std::vector<std::string> words;
  for (std::string word; text >> word;) words.push_back(word);
  std::string answer;
  try {
    answer = execute(words);
  } catch (const UsageError& error) {
    answer = std::string(error_mark) + error.what();
  }
  // An error is ignored: the client has closed the connection.
  send(client.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
}

std::string tell(const std::string& path, const std::vector<std::string>& words) {
  const Fd fd = make_socket();
  const auto name = name_of(path);
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &receive_timeout, sizeof receive_timeout);
  std::string command;
  for (const auto& word : words) command += word + ' ';
  if (connect(fd.get(), generic(name), sizeof name) != 0 ||
      send(fd.get(), command.data(), command.size(), MSG_NOSIGNAL) < 0) {
    throw system_error(path);
  }
  std::array<char, max_message_bytes> buffer{};
  const auto bytes = recv(fd.get(), buffer.data(), buffer.size(), 0);
  if (bytes < 0) throw system_error("no answer from " + path);
  std::string answer(buffer.data(), static_cast<std::size_t>(bytes));
  if (answer.starts_with(error_mark)) throw UsageError(answer.substr(error_mark.size()));
  return answer;
}

}  // namespace routevpn::test
