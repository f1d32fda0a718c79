#include "routevpn/host/command_socket.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <sstream>
#include <utility>

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/unix_address.hpp"

namespace routevpn::host {

namespace {

constexpr char is_done = '+';
constexpr char is_not_done = '-';

std::string path_of(const std::string& run_dir, const std::string& link) {
  return run_dir + "/" + link + ".ctl";
}

UnixAddress address_of(const std::string& path) {
  const auto address = UnixAddress::of(path);
  if (address) return *address;
  throw UsageError("--run-dir: the command socket's path " + path + " is longer than " +
                   std::to_string(UnixAddress::longest_path) + " bytes");
}

std::string datagram_of(const CommandSocket::Answer& answer) {
  std::string text(1, answer.done ? is_done : is_not_done);
  for (const auto& line : answer.lines) text.append(line).append("\n");
  return text.substr(0, CommandSocket::max_answer_bytes);
}

CommandSocket::Answer answer_in(const std::string& datagram) {
  CommandSocket::Answer answer{datagram.starts_with(is_done)};
  std::istringstream rest(datagram.substr(1));
  for (std::string line; std::getline(rest, line);) answer.lines.push_back(line);
  return answer;
}

// Empty: the monitor has closed the connection.
std::string receive(const Fd& socket, const std::string& path, std::chrono::milliseconds timeout) {
  pollfd waiting{socket.get(), POLLIN, 0};
  const int ready = ::poll(&waiting, 1, static_cast<int>(timeout.count()));
  if (ready < 0) throw system_error(path);
  if (ready == 0) throw SystemError(path + ": the monitor does not answer");
  std::string datagram(CommandSocket::max_answer_bytes, '\0');
  const auto length = ::recv(socket.get(), datagram.data(), datagram.size(), 0);
  datagram.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
  return datagram;
}

}  // namespace

CommandSocket::CommandSocket(EventLoop& loop, const std::string& run_dir, const std::string& link,
                             std::function<void(Client, std::string_view)> on_command)
    : loop_(loop),
      on_command_(std::move(on_command)),
      path_(path_of(run_dir, link)),
      listener_(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
  const auto address = address_of(path_);
  if (!listener_) throw system_error("command socket");
  ::unlink(path_.c_str());
  // Its mode has to be right from the start.
  const mode_t mask = ::umask(0177);
  const int bound = ::bind(listener_.get(), address.get(), UnixAddress::size());
  const SystemError not_bound = system_error(path_);
  ::umask(mask);
  if (bound != 0) throw not_bound;
  if (::listen(listener_.get(), max_clients) != 0) throw system_error(path_);
  loop_.watch(listener_.get(), [this] { accept(); });
}

CommandSocket::~CommandSocket() {
  loop_.unwatch(listener_.get());
  for (const auto& [client, fd] : clients_) loop_.unwatch(fd.get());
  ::unlink(path_.c_str());
}

void CommandSocket::accept() {
  Fd fd(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!fd || clients_.size() >= max_clients) return;
  const Client client = ++last_;
  loop_.watch(fd.get(), [this, client] { read(client); });
  clients_[client] = std::move(fd);
}

void CommandSocket::read(Client client) {
  std::array<char, max_command_bytes> command{};
  const auto length = ::recv(clients_.at(client).get(), command.data(), command.size(), 0);
  if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (length <= 0) return close(client);
  on_command_(client, {command.data(), static_cast<std::size_t>(length)});
}

void CommandSocket::answer(Client client, const Answer& answer) {
  const auto found = clients_.find(client);
  if (found == clients_.end()) return;
  const std::string datagram = datagram_of(answer);
  // A client that cannot take it has gone.
  static_cast<void>(
      ::send(found->second.get(), datagram.data(), datagram.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
  close(client);
}

void CommandSocket::close(Client client) {
  loop_.unwatch(clients_.at(client).get());
  clients_.erase(client);
}

std::optional<CommandSocket::Answer> send_command(const std::string& run_dir,
                                                  const std::string& link, std::string_view command,
                                                  std::chrono::milliseconds timeout) {
  const std::string path = path_of(run_dir, link);
  const auto address = address_of(path);
  const Fd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (!socket) throw system_error("socket");
  if (::connect(socket.get(), address.get(), UnixAddress::size()) != 0) {
    if (errno == ENOENT || errno == ECONNREFUSED) return std::nullopt;
    throw system_error(path);
  }
  if (::send(socket.get(), command.data(), command.size(), MSG_NOSIGNAL) < 0) {
    throw system_error(path);
  }
  const std::string datagram = receive(socket, path, timeout);
  if (datagram.empty()) throw SystemError(path + ": the link has ended before its answer");
  return answer_in(datagram);
}

}  // namespace routevpn::host
