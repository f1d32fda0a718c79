// The socket of a link's monitor, for commands that change the running link: RUN-DIR/LINK.ctl, for
// root alone. `routevpn reload` uses it.
//
// A command is one datagram of a SOCK_SEQPACKET connection. Its answer is one datagram, too: the
// byte
// '+' (done) or '-' (not done, or not all of it), then lines for the user, each with a newline.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "routevpn/base/owned.hpp"
#include "routevpn/host/event_loop.hpp"

namespace routevpn::host {

class CommandSocket {
 public:
  using Client = std::uint64_t;                   // never used again for another one
  static constexpr std::size_t max_clients = 16;  // more are refused
  static constexpr std::size_t max_command_bytes = 64;
  static constexpr std::size_t max_answer_bytes = 16384;  // what is longer is cut

  struct Answer {
    bool done = true;
    std::vector<std::string> lines = {};
  };

  // Replaces the file: a process that used it has ended, because this one has the link's
  // ControlListener. Throws SystemError, or UsageError if the path is too long.
  CommandSocket(EventLoop& loop, const std::string& run_dir, const std::string& link,
                std::function<void(Client client, std::string_view command)> on_command);
  CommandSocket(const CommandSocket&) = delete;
  CommandSocket& operator=(const CommandSocket&) = delete;
  ~CommandSocket();  // removes the file

  // Once per command; a client that has gone is ignored.
  void answer(Client client, const Answer& answer);

 private:
  void accept();
  void read(Client client);
  void close(Client client);

  EventLoop& loop_;
  std::function<void(Client, std::string_view)> on_command_;
  std::string path_;
  Fd listener_;
  std::map<Client, Fd> clients_;
  Client last_ = 0;
};

// Sends a command and waits for the answer. None: no process listens there. Throws SystemError,
// also if there is no answer within `timeout`.
std::optional<CommandSocket::Answer> send_command(const std::string& run_dir,
                                                  const std::string& link, std::string_view command,
                                                  std::chrono::milliseconds timeout);

}  // namespace routevpn::host
