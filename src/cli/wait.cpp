#include <algorithm>

#include <poll.h>

#include "routevpn/base/error.hpp"
#include "routevpn/cli/commands.hpp"
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

struct Awaited {
  std::string name;
  std::optional<StatusStream> stream = {};  // none: not running
  std::string state = {};                   // the latest from the link; empty: none
  std::string reason = {};

  // Every known state but up counts as down: an initiator goes from up to connecting.
  [[nodiscard]] bool is(LinkState wanted) const {
    const bool up = state == name_of(LinkState::up);
    return wanted == LinkState::up ? up : !up && !state.empty();
  }

  void read() {
    if (const auto object = stream->read_latest_line()) {
      state = state_of(*object);
      reason = reason_of(*object);
    }
    if (!stream->ended()) return;
    stream.reset();
    state = name_of(LinkState::down);
    reason = "its process ended";
  }

  [[nodiscard]] std::string description() const {
    if (state.empty()) return name + " is not running";
    return name + " is " + state + (reason.empty() ? "" : " (" + reason + ")");
  }
};

class Wait {
 public:
  explicit Wait(const ShowLinks& show) : show_(show) {
    for (const auto& name : show.links) links_.push_back({name});
  }

  // False after the timeout.
  bool run() {
    const auto begin = steady_clock::now();
    for (;;) {
      connect();
      const auto is_done = [&](const Awaited& link) { return link.is(*show_.wait); };
      if (!links_.empty() && std::all_of(links_.begin(), links_.end(), is_done)) return true;
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
        const auto is_known = [&](const Awaited& link) { return link.name == name; };
        if (std::any_of(links_.begin(), links_.end(), is_known)) continue;
        auto stream = StatusStream::ask(show_.run_dir, name, "watch");
        if (stream) links_.push_back({name, std::move(stream)});
      }
    }
    for (auto& link : links_) {
      if (!link.stream) link.stream = StatusStream::ask(show_.run_dir, link.name, "watch");
    }
  }

  void read(milliseconds left) {
    std::vector<pollfd> waiting;
    for (const auto& link : links_) {
      if (link.stream) waiting.push_back({link.stream->fd(), POLLIN, 0});
    }
    const bool searching = links_.empty() || waiting.size() < links_.size();
    const milliseconds longest = searching ? search_period : milliseconds{24 * 3600 * 1000};
    const int timeout = static_cast<int>(std::min(left, longest).count());
    if (::poll(waiting.data(), waiting.size(), timeout) < 0 && errno != EINTR) {
      throw system_error("poll");
    }
    for (auto& link : links_) {
      if (link.stream) link.read();
    }
  }

  const ShowLinks& show_;
  std::vector<Awaited> links_;
};

}  // namespace

int run_wait(const ShowLinks& show, const Console& console) {
  Wait wait(show);
  if (wait.run()) return static_cast<int>(Exit::stopped);
  const double seconds = static_cast<double>(show.timeout->count()) / 1000;
  console.report("not " + std::string(name_of(*show.wait)) + " after " + fixed(seconds, 1) +
                 " s: " + wait.not_yet());
  return static_cast<int>(Exit::failed);
}

}  // namespace routevpn::cli
