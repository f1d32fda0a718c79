#include "watch.hpp"

#include <csignal>
#include <ctime>

#include <sys/ioctl.h>
#include <unistd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/text.hpp"
#include "routevpn/cli/render.hpp"

#include "answers.hpp"
#include "brief.hpp"
#include "members.hpp"

namespace routevpn::cli {

namespace {

using nlohmann::json;
using std::chrono::steady_clock;

constexpr auto to_top = "\x1b[H";
constexpr auto clear_rest_of_line = "\x1b[K";
constexpr auto clear_below = "\x1b[J";

struct Sample {
  steady_clock::time_point at;
  std::uint64_t received;
  std::uint64_t sent;
};

// Turns the sums of the links into rates.
class Meter {
 public:
  Throughputs measure(const json& links) {
    const auto now = steady_clock::now();
    Throughputs rates;
    std::map<std::string, Sample> samples;
    for (const json& link : links) {
      const std::string name = text_in(link, "link");
      const Sample sample{now, count_in(member(link, "rx"), "bytes"),
                          count_in(member(link, "tx"), "bytes")};
      samples.emplace(name, sample);
      const auto before = last_.find(name);
      if (before != last_.end()) rates[name] = between(before->second, sample);
    }
    last_ = std::move(samples);
    return rates;
  }

 private:
  // The sums begin again with a new process of the link.
  static Throughput between(const Sample& before, const Sample& after) {
    const double elapsed_s = std::chrono::duration<double>(after.at - before.at).count();
    const auto rate = [elapsed_s](std::uint64_t from, std::uint64_t to) {
      return to < from || elapsed_s <= 0 ? 0 : static_cast<double>(to - from) / elapsed_s;
    };
    return {rate(before.received, after.received), rate(before.sent, after.sent)};
  }

  std::map<std::string, Sample> last_;
};

// The size may change at any time.
Screen screen_of(const Console& console) {
  winsize size{};
  const bool known = console.terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0;
  return {console.colour, known ? size.ws_row : 0U, known ? size.ws_col : 0U};
}

std::string screen_text(const ShowLinks& show, const Answers& answers, const Throughputs& rates,
                        const Screen& screen) {
  std::string text;
  const bool in_full = !show.brief && !show.links.empty() && show.links.size() <= most_in_full;
  if (in_full) {
    for (const json& link : answers.links) text += render(link, pki::now(), screen.colour);
  }
  if (!answers.links.empty()) {
    const Screen rest{screen.colour, in_full ? 0 : screen.rows, screen.columns};
    text += render_brief(by_trouble(answers.links), rates, pki::now(), rest);
  }
  for (const auto& fault : answers.faults) text += "routevpn: " + printable(fault) + "\n";
  return text.empty() ? "no link is running in " + show.run_dir + "\n" : text;
}

// Without a clear screen in between, which would flicker.
std::string redrawn(std::string text) {
  for (std::size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 4)) {
    text.insert(at, clear_rest_of_line);
  }
  return to_top + text + clear_below;
}

}  // namespace

int watch(const ShowLinks& show, const Console& console) {
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGINT);
  sigaddset(&stop, SIGTERM);
  if (sigprocmask(SIG_BLOCK, &stop, nullptr) != 0) throw system_error("sigprocmask");
  const timespec one_second{1, 0};
  Meter meter;
  do {
    const auto answers = collect(show);
    const auto rates = meter.measure(answers.links);
    if (show.json) {
      console.out << answers.links.dump(-1, ' ', true, json::error_handler_t::replace) << "\n";
      console.report(answers.faults);
    } else {
      const auto text = screen_text(show, answers, rates, screen_of(console));
      console.out << (console.terminal ? redrawn(text) : text);
    }
    console.out << std::flush;
  } while (console.out && sigtimedwait(&stop, nullptr, &one_second) < 0);
  return static_cast<int>(Exit::stopped);
}

}  // namespace routevpn::cli
