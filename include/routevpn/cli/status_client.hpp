// The client of a link's control socket: RUN-DIR/LINK.sock, a stream.
//
// The client sends one line. To "status" the link answers with one JSON object and closes the
// stream; to "watch" with one object per line, the first at once and the next at each change of
// state.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "routevpn/base/owned.hpp"

namespace routevpn::cli {

// The names of all sockets in the directory, also stale ones, in alphabetical order. Empty without
// the directory. Throws SystemError when the directory cannot be read.
std::vector<std::string> link_names(const std::string& run_dir);

class StatusStream {
 public:
  // Sends the question. None without a socket, and with a stale one. Throws SystemError for any
  // other error, such as a missing permission.
  static std::optional<StatusStream> ask(const std::string& run_dir, const std::string& link,
                                         const std::string& question);

  [[nodiscard]] int fd() const { return fd_.get(); }
  // Reads to the end of the stream. Throws SystemError after `timeout`, and when the answer is no
  // JSON object.
  nlohmann::json read_object(std::chrono::milliseconds timeout);
  // The latest whole line that has arrived; does not wait. Throws SystemError when the line is no
  // JSON object.
  std::optional<nlohmann::json> read_latest_line();
  [[nodiscard]] bool ended() const { return ended_; }

 private:
  StatusStream(Fd fd, std::string link) : fd_(std::move(fd)), link_(std::move(link)) {}
  void read_arrived();
  [[nodiscard]] nlohmann::json parse(const std::string& text) const;

  Fd fd_;
  std::string link_;
  std::string received_;
  bool ended_ = false;
};

}  // namespace routevpn::cli
