#include "routevpn/cli/wait.hpp"

#include <algorithm>

#include <poll.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/text.hpp"
#include "routevpn/cli/human.hpp"
#include "routevpn/cli/render.hpp"
#include "routevpn/cli/status_client.hpp"

namespace routevpn::cli {

namespace {

using std::chrono::duration_cast, std::chrono::milliseconds, std::chrono::steady_clock;

// How often to look for the socket of a link that is not running.
constexpr milliseconds search_period{50};

std::string_view name_of(LinkState state) {
  return state == LinkState::up ? "up" : "down";
}

class Awaited {
 public:
  explicit Awaited(std::string name) : name_(std::move(name)) {}

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] bool connected() const { return stream_.has_value(); }
  [[nodiscard]] int fd() const { return stream_->fd(); }
  // Every known state but up counts as down: an initiator goes from up to connecting.
  [[nodiscard]] bool is(LinkState state) const {
    const bool up = state_ == name_of(LinkState::up);
    return state == LinkState::up ? up : !up && !state_.empty();
  }

  void connect(const std::string& run_dir) {
    if (!stream_) stream_ = StatusStream::ask(run_dir, name_, "watch");
  }

  void read() {
    if (const auto object = stream_->read_latest_line()) {
      const auto state = object->find("state");
      const bool known = state != object->end() && state->is_string();
      state_ = known ? state->get<std::string>() : std::string();
      reason_ = reason_of(*object);
    }
    if (!stream_->ended()) return;
    stream_.reset();
    state_ = name_of(LinkState::down);
    reason_ = "its process ended";
  }

  [[nodiscard]] std::string description() const {
    if (state_.empty()) return name_ + " is not running";
    std::string line = name_ + " is " + printable(state_);
    if (!reason_.empty()) line += " (" + reason_ + ")";
    return line;
  }

 private:
  std::string name_;
  std::optional<StatusStream> stream_;
  std::string state_;  // the latest from the link; empty: none
  std::string reason_;
};

class Wait {
 public:
  explicit Wait(const ShowLinks& show) : show_(show) {
    for (const auto& name : show.links) links_.emplace_back(name);
  }

  // False after the timeout.
  bool run() {
    const auto begin = steady_clock::now();
    for (;;) {
      connect();
      const bool done =
          !links_.empty() && std::all_of(links_.begin(), links_.end(),
                                         [&](const Awaited& link) { return link.is(*show_.wait); });
      if (done) return true;
      milliseconds left = show_.timeout.value_or(milliseconds::max());
      if (show_.timeout) left -= duration_cast<milliseconds>(steady_clock::now() - begin);
      if (left <= milliseconds{0}) return false;
      read(left);
    }
  }

  [[nodiscard]] std::string not_yet() const {
    std::string text;
    for (const auto& link : links_) {
      if (!link.is(*show_.wait)) text += (text.empty() ? "" : ", ") + link.description();
    }
    return text.empty() ? "no link is running in " + show_.run_dir : text;
  }

 private:
  void connect() {
    if (show_.links.empty()) {
      for (const auto& name : link_names(show_.run_dir)) {
        const bool known = std::any_of(links_.begin(), links_.end(),
                                       [&](const Awaited& link) { return link.name() == name; });
        Awaited found(name);
        if (known) continue;
        found.connect(show_.run_dir);
        if (found.connected()) links_.push_back(std::move(found));
      }
    }
    for (auto& link : links_) link.connect(show_.run_dir);
  }

  void read(milliseconds left) {
    std::vector<pollfd> waiting;
    for (const auto& link : links_) {
      if (link.connected()) waiting.push_back({link.fd(), POLLIN, 0});
    }
    const bool searching = links_.empty() || waiting.size() < links_.size();
    const milliseconds longest = searching ? search_period : milliseconds{24 * 3600 * 1000};
    const int timeout = static_cast<int>(std::min(left, longest).count());
    if (::poll(waiting.data(), waiting.size(), timeout) < 0 && errno != EINTR) {
      throw system_error("poll");
    }
    for (auto& link : links_) {
      if (link.connected()) link.read();
    }
  }

  const ShowLinks& show_;
  std::vector<Awaited> links_;
};

}  // namespace

int wait_for_state(const ShowLinks& show, const Console& console) {
  Wait wait(show);
  if (wait.run()) return static_cast<int>(Exit::stopped);
  const double seconds = static_cast<double>(show.timeout->count()) / 1000;
  console.report("not " + std::string(name_of(*show.wait)) + " after " + fixed(seconds, 1) +
                 " s: " + wait.not_yet());
  return static_cast<int>(Exit::failed);
}

}  // namespace routevpn::cli
