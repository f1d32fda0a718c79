#include "routevpn/cli/wait.hpp"

#include <algorithm>

#include <poll.h>

#include "routevpn/base/error.hpp"
#include "routevpn/cli/human.hpp"
#include "routevpn/cli/render.hpp"
#include "routevpn/cli/status_client.hpp"

namespace routevpn::cli {

namespace {

using std::chrono::duration_cast, std::chrono::milliseconds, std::chrono::steady_clock;

// How often a socket that is not there yet is looked for.
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
  // Down is whatever is not up: a link that initiates goes from up to connecting.
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
      const bool told = state != object->end() && state->is_string();
      state_ = told ? state->get<std::string>() : std::string();
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
  std::string state_;  // as the link said it, empty: it never did
  std::string reason_;
};

class Wait {
 public:
  explicit Wait(const ShowLinks& show) : show_(show) {
    for (const auto& name : show.links) links_.emplace_back(name);
  }

  // False when the time is over.
  bool run() {
    const auto begin = steady_clock::now();
    for (;;) {
      connect();
      const bool done =
          !links_.empty() && std::all_of(links_.begin(), links_.end(),
                                         [&](const Awaited& link) { return link.is(*show_.wait); });
      if (done) return true;
      milliseconds patience = show_.timeout.value_or(milliseconds::max());
      if (show_.timeout) patience -= duration_cast<milliseconds>(steady_clock::now() - begin);
      if (patience <= milliseconds{0}) return false;
      read(patience);
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

  void read(milliseconds patience) {
    std::vector<pollfd> waiting;
    for (const auto& link : links_) {
      if (link.connected()) waiting.push_back({link.fd(), POLLIN, 0});
    }
    const bool searching = links_.empty() || waiting.size() < links_.size();
    const milliseconds longest = searching ? search_period : milliseconds{24 * 3600 * 1000};
    const int timeout = static_cast<int>(std::min(patience, longest).count());
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
  console.err << "routevpn: not " << name_of(*show.wait) << " after " << fixed(seconds, 1)
              << " s: " << wait.not_yet() << "\n";
  return static_cast<int>(Exit::failed);
}

}  // namespace routevpn::cli
