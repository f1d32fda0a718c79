#include <csignal>
#include <ctime>

#include "routevpn/base/error.hpp"
#include "routevpn/base/text.hpp"
#include "routevpn/cli/commands.hpp"
#include "routevpn/cli/render.hpp"
#include "routevpn/cli/status_client.hpp"

namespace routevpn::cli {

namespace {

using nlohmann::json;

constexpr std::chrono::milliseconds answer_timeout{2000};
constexpr auto home_and_clear = "\x1b[H\x1b[2J";

struct Answers {
  json links = json::array();
  std::vector<std::string> faults;
};

std::string not_running(const ShowLinks& show, const std::string& link) {
  return link + ": not running, there is no link behind " + show.run_dir + "/" + link + ".sock";
}

Answers collect(const ShowLinks& show) {
  Answers answers;
  const bool named = !show.links.empty();
  for (const auto& link : named ? show.links : link_names(show.run_dir)) {
    try {
      auto stream = StatusStream::ask(show.run_dir, link, "status");
      if (stream) {
        answers.links.push_back(stream->read_object(answer_timeout));
      } else if (named) {
        answers.faults.push_back(not_running(show, link));
      }
    } catch (const SystemError& error) {
      answers.faults.emplace_back(error.what());
    }
  }
  return answers;
}

std::string text_of(const json& links, bool colour) {
  std::string text;
  for (const auto& link : links) {
    if (!text.empty()) text += "\n";
    try {
      text += render(link, pki::now(), colour);
    } catch (const json::exception&) {  // a worker that is not sound must not hide the other links
      text += "a link's status is not as expected\n";
    }
  }
  return text;
}

int print_once(const ShowLinks& show, const Console& console) {
  const auto answers = collect(show);
  if (show.json) {
    console.out << answers.links.dump(2, ' ', true, json::error_handler_t::replace) << "\n";
  } else {
    console.out << text_of(answers.links, console.colour);
  }
  console.report(answers.faults);
  const bool none = answers.links.empty() && answers.faults.empty();
  if (none && !show.json) console.report("no link is running in " + show.run_dir);
  return static_cast<int>(answers.faults.empty() ? Exit::stopped : Exit::failed);
}

int watch(const ShowLinks& show, const Console& console) {
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGINT);
  sigaddset(&stop, SIGTERM);
  if (sigprocmask(SIG_BLOCK, &stop, nullptr) != 0) throw system_error("sigprocmask");
  const timespec one_second{1, 0};
  do {
    const auto answers = collect(show);
    std::string text = text_of(answers.links, console.colour);
    for (const auto& fault : answers.faults) text += "routevpn: " + printable(fault) + "\n";
    if (text.empty()) text = "no link is running in " + show.run_dir + "\n";
    if (console.terminal) console.out << home_and_clear;
    console.out << text << std::flush;
  } while (console.out && sigtimedwait(&stop, nullptr, &one_second) < 0);
  return static_cast<int>(Exit::stopped);
}

}  // namespace

int run(const ShowLinks& show, const Console& console) {
  if (show.prometheus) run_exporter(show);
  if (show.watch) return watch(show, console);
  if (show.wait) {
    const int status = run_wait(show, console);
    if (status != static_cast<int>(Exit::stopped) || !show.json) return status;
  }
  return print_once(show, console);
}

}  // namespace routevpn::cli
