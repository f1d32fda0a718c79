#include "routevpn/host/control_socket.hpp"

#include <array>
#include <csignal>
#include <filesystem>
#include <vector>

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/unix_address.hpp"

namespace routevpn::host {

namespace {

constexpr int max_links_of_a_name = 100;

UnixAddress address_of(const std::string& path) {
  const auto address = UnixAddress::of(path);
  if (address) return *address;
  throw UsageError("--run-dir: the control socket's path " + path + " is longer than " +
                   std::to_string(UnixAddress::longest_path) + " bytes");
}

// The process that made it listen. After a kill -9 of a monitor its worker still has the socket for
// some milliseconds.
bool is_there(const Fd& connected) {
  ucred listener{};
  socklen_t length = sizeof listener;
  return getsockopt(connected.get(), SOL_SOCKET, SO_PEERCRED, &listener, &length) != 0 ||
         listener.pid <= 0 || kill(listener.pid, 0) == 0 || errno != ESRCH;
}

// A process may give its file to a group of its own. So CAP_SETGID is enough, and CAP_CHOWN, which
// the unit does not grant, is not needed. Without these rights the socket is for the running user
// alone.
void give_to_group(const std::string& path, gid_t group) {
  constexpr auto same_user = static_cast<uid_t>(-1);
  if (chown(path.c_str(), same_user, group) == 0 || errno != EPERM) return;
  const gid_t own = getegid();
  if (setegid(group) != 0) return;
  [[maybe_unused]] const int given = chown(path.c_str(), same_user, group);
  if (setegid(own) != 0) throw system_error("returning to the own group");
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);  // the change may have set it (sysctl fs.suid_dumpable)
}

bool has_listener(const UnixAddress& address) {
  const Fd probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (connect(probe.get(), address.get(), UnixAddress::size()) != 0) return errno == EAGAIN;
  return is_there(probe);
}

// Members of the socket's group must reach it, whatever the umask.
void make_run_dir(const std::string& path) {
  namespace fs = std::filesystem;
  constexpr auto mode = static_cast<fs::perms>(0755);
  std::error_code error;
  if (fs::create_directories(path, error)) fs::permissions(path, mode, error);
  if (error) throw SystemError("--run-dir " + path + ": " + error.message());
}

}  // namespace

ControlListener::ControlListener(const std::string& run_dir, const std::string& link, gid_t group) {
  make_run_dir(run_dir);
  for (int number = 1; number <= max_links_of_a_name; ++number) {
    link_ = number == 1 ? link : link + "-" + std::to_string(number);
    path_ = run_dir + "/" + link_ + ".sock";
    const auto address = address_of(path_);
    if (has_listener(address)) continue;
    unlink(path_.c_str());
    fd_.reset(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd_) throw system_error("control socket");
    if (::bind(fd_.get(), address.get(), UnixAddress::size()) == 0) {
      give_to_group(path_, group);
      chmod(path_.c_str(), 0660);
      if (listen(fd_.get(), 16) != 0) throw system_error(path_);
      return;
    }
    if (errno != EADDRINUSE) throw system_error(path_);
  }
  throw SystemError(path_ + ": too many links of this name");
}

ControlListener::~ControlListener() {
  unlink(path_.c_str());
}

ControlSocket::ControlSocket(EventLoop& loop, Fd listener, std::string link,
                             std::function<std::string()> status)
    : loop_(loop),
      status_(std::move(status)),
      listener_(std::move(listener)),
      link_(std::move(link)) {
  loop_.watch(listener_.get(), [this] { accept(); });
}

void ControlSocket::accept() {
  Fd fd(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!fd || clients_.size() >= max_clients) return;
  const int number = fd.get();
  clients_[number].fd = std::move(fd);
  loop_.watch(number, [this, number] { read(number); });
}

void ControlSocket::read(int fd) {
  Client& client = clients_[fd];
  std::array<char, 64> text{};
  const auto length = recv(fd, text.data(), text.size(), 0);
  if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (length <= 0 || client.watching) return close(fd);
  client.request.append(text.data(), static_cast<std::size_t>(length));
  if (client.request == "watch\n") {
    client.watching = true;
    if (answer(client)) return;
  } else if (client.request == "status\n") {
    answer(client);
  } else if (client.request.size() < text.size() &&
             client.request.find('\n') == std::string::npos) {
    return;  // the line is incomplete
  }
  close(fd);
}

bool ControlSocket::answer(const Client& client) const {
  const std::string text = status_() + "\n";
  const auto sent = send(client.fd.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  return sent == static_cast<ssize_t>(text.size());
}

void ControlSocket::publish() {
  std::vector<int> gone;
  for (const auto& [fd, client] : clients_) {
    if (client.watching && !answer(client)) gone.push_back(fd);
  }
  for (const int fd : gone) close(fd);
}

void ControlSocket::close(int fd) {
  loop_.unwatch(fd);
  clients_.erase(fd);
}

}  // namespace routevpn::host
