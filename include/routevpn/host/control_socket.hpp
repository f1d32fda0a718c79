// RUN-DIR/LINK.sock: where `routevpn show` asks. A client sends one line: "status" is answered with
// one JSON object; "watch" with one now and one more at each change, a line each.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "routevpn/base/owned.hpp"
#include "routevpn/host/event_loop.hpp"

namespace routevpn::host {

class ControlSocket {
 public:
  // Binds RUN-DIR/LINK.sock, making the directory when it is not there; a socket that nobody
  // listens on any more is replaced. Where another process listens (the same interface name in
  // another namespace), LINK-2, LINK-3 ... is taken: link() tells. Throws SystemError.
  ControlSocket(EventLoop& loop, const std::string& run_dir, const std::string& link,
                std::function<std::string()> status);
  ~ControlSocket();  // removes the socket
  ControlSocket(const ControlSocket&) = delete;
  ControlSocket& operator=(const ControlSocket&) = delete;

  [[nodiscard]] const std::string& link() const { return link_; }
  void publish();  // to those who watch

 private:
  // A status socket has few clients; more are turned away.
  static constexpr std::size_t max_clients = 64;

  struct Client {
    Fd fd;
    std::string request;
    bool watching = false;
  };

  void bind(const std::string& run_dir, const std::string& link);
  void accept();
  void read(int fd);
  bool answer(const Client& client) const;  // false: it does not take it
  void close(int fd);

  EventLoop& loop_;
  std::function<std::string()> status_;
  Fd listener_;
  std::string link_;
  std::string path_;
  std::map<int, Client> clients_;
};

}  // namespace routevpn::host
