// RUN-DIR/LINK.sock, to which `routevpn show` connects. A client sends one line: "status" returns
// one JSON object; "watch" returns one at once and one after each change, each on its own line.
#pragma once

#include <functional>
#include <map>
#include <string>

#include <sys/types.h>

#include "routevpn/base/owned.hpp"
#include "routevpn/host/event_loop.hpp"

namespace routevpn::host {

// The socket's file. Other links and `routevpn show` find the link by it.
class ControlListener {
 public:
  // Creates the directory if needed and binds RUN-DIR/LINK.sock, mode 0660, for root and `group`; a
  // stale socket is replaced. If another process listens there (the same interface name in another
  // namespace), LINK-2, LINK-3 ... is bound instead: see link(). Throws SystemError.
  ControlListener(const std::string& run_dir, const std::string& link, gid_t group);
  ControlListener(const ControlListener&) = delete;
  ControlListener& operator=(const ControlListener&) = delete;
  ~ControlListener();  // removes the file

  [[nodiscard]] const std::string& link() const { return link_; }
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  Fd fd_;
  std::string link_;
  std::string path_;
};

class ControlSocket {
 public:
  // `listener`: of a ControlListener.
  ControlSocket(EventLoop& loop, Fd listener, std::string link,
                std::function<std::string()> status);

  [[nodiscard]] const std::string& link() const { return link_; }
  void publish();  // to all clients that watch

 private:
  static constexpr std::size_t max_clients = 64;  // more are refused

  struct Client {
    Fd fd;
    std::string request;
    bool watching = false;
  };

  void accept();
  void read(int fd);
  bool answer(const Client& client) const;  // false: the client does not read it
  void close(int fd);

  EventLoop& loop_;
  std::function<std::string()> status_;
  Fd listener_;
  std::string link_;
  std::map<int, Client> clients_;
};

}  // namespace routevpn::host
