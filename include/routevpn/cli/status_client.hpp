// Our end of the links' control sockets: RUN-DIR/LINK.sock, a stream.
//
// One line is asked and answered: "status" with one JSON object, then the end of the stream;
// "watch" with one JSON object per line, the first at once and one more at each change of state.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "routevpn/base/owned.hpp"

namespace routevpn::cli {

// Of every socket in the directory, stale ones too, in alphabetical order. Without the directory:
// none. Throws SystemError when it cannot be read.
std::vector<std::string> link_names(const std::string& run_dir);

class StatusStream {
 public:
  // Asks the question. None when there is no such socket, or nobody behind it. Throws SystemError
  // for anything else, permission above all.
  static std::optional<StatusStream> ask(const std::string& run_dir, const std::string& link,
                                         const std::string& question);

  [[nodiscard]] int fd() const { return fd_.get(); }
  // Waits up to `patience` for the end of the stream; throws SystemError when it does not come, or
  // what came is no JSON object.
  nlohmann::json read_object(std::chrono::milliseconds patience);
  // What has come since, without waiting: the latest whole line. Throws SystemError when it is no
  // JSON object.
  std::optional<nlohmann::json> read_latest_line();
  [[nodiscard]] bool ended() const { return ended_; }

 private:
  StatusStream(Fd fd, std::string link) : fd_(std::move(fd)), link_(std::move(link)) {}
  bool read_some();  // false: nothing is there now
  [[nodiscard]] nlohmann::json parse(const std::string& text) const;

  Fd fd_;
  std::string link_;
  std::string received_;
  bool ended_ = false;
};

}  // namespace routevpn::cli
