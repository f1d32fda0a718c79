// Requests to the control socket, in parts as the input cuts them. Only the two commands are
// answered.
#include "routevpn/host/control_socket.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "sim/identities.hpp"
#include "target.hpp"

namespace routevpn::fuzz {

namespace {

const test::TempDir& directory() {
  static const test::TempDir made;
  return made;
}

Fd connect_to(const std::string& path) {
  sockaddr_un address{AF_UNIX, {}};
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  require(connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, "connect");
  return fd;
}

}  // namespace

void run_target(Input input) {
  static int answers;
  static host::EventLoop loop;
  static const host::ControlListener listener(directory().path(), "fuzz", getgid());
  static host::ControlSocket socket(loop, Fd(dup(listener.fd())), listener.link(), [] {
    ++answers;
    return std::string("{}");
  });
  answers = 0;
  const Fd client = connect_to(directory().path() + "/fuzz.sock");
  std::string request;
  while (!input.empty()) {
    const auto part = input.chunk();
    const auto sent = send(client.get(), part.data(), part.size(), MSG_NOSIGNAL);
    if (sent > 0) request.append(part.begin(), part.begin() + sent);
    loop.turn(Duration::zero());
  }
  shutdown(client.get(), SHUT_WR);
  for (int i = 0; i < 8; ++i) loop.turn(Duration::zero());
  const bool is_command = request.starts_with("status\n") || request.starts_with("watch\n");
  require(answers == 0 || is_command, "only commands are answered");
  socket.publish();
}

}  // namespace routevpn::fuzz
