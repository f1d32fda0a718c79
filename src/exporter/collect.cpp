#include "routevpn/exporter/collect.hpp"

#include <algorithm>

#include "routevpn/base/clock.hpp"
#include "routevpn/base/directory.hpp"
#include "routevpn/base/json_object.hpp"
#include "routevpn/bird/reply.hpp"

namespace routevpn::exporter {

namespace {

constexpr std::string_view link_suffix = ".sock";
constexpr std::string_view bird_suffix = ".ctl";

std::vector<std::string> bird_sockets(const Sources& sources) {
  if (!sources.birds.empty()) return sources.birds;
  const auto directory = sources.run_dir + "/bird";
  std::vector<std::string> sockets;
  for (const auto& name : names_with_suffix(directory, bird_suffix)) {
    sockets.push_back(directory);
    sockets.back().append("/").append(name).append(bird_suffix);
  }
  return sockets;
}

std::string stem(const std::string& path) {
  auto name = path.substr(path.rfind('/') + 1);
  if (name.ends_with(bird_suffix)) name.resize(name.size() - bird_suffix.size());
  return name;
}

// BIRDs whose sockets' files have the same name are named by the whole path.
void name_birds(std::vector<BirdReport>& birds) {
  for (auto& bird : birds) {
    const auto short_name = stem(bird.socket);
    const auto same = std::ranges::count_if(
        birds, [&](const BirdReport& other) { return stem(other.socket) == short_name; });
    bird.name = same == 1 ? short_name : bird.socket;
  }
}

void read_link(LinkReport& link, const Answer& answer) {
  link.reason = name_of(answer.refusal);
  link.error = answer.error;
  if (answer.refusal != Refusal::none) return;
  auto status = parse_object(answer.text);
  if (status) {
    link.status = *std::move(status);
  } else {
    // A link that ends closes its connections.
    link.reason = answer.text.empty() ? name_of(Refusal::cut_off) : "bad_answer";
  }
}

void read_bird(BirdReport& bird, const Answer& answer) {
  bird.reason = name_of(answer.refusal);
  bird.error = answer.error;
  if (answer.refusal != Refusal::none) return;
  const auto reply = bird::read_reply(answer.text);
  bird.sessions = bird::bgp_sessions(reply.text);
  if (reply.error.empty()) return;
  bird.reason = "refused";
  bird.error = reply.error;
}

}  // namespace

Report collect(const Sources& sources, const AskLimits& limits) {
  const auto begin = read_clock();
  Report report;
  std::vector<Question> questions;
  const auto links =
      sources.links.empty() ? names_with_suffix(sources.run_dir, link_suffix) : sources.links;
  for (const auto& link : links) {
    report.links.push_back({link});
    questions.push_back({sources.run_dir, "status\n"});
    questions.back().path.append("/").append(link).append(link_suffix);
  }
  for (const auto& socket : bird_sockets(sources)) {
    report.birds.push_back({{}, socket});
    questions.push_back({socket, bird::request("show protocols all"), bird::is_complete});
  }
  name_birds(report.birds);
  // An answer is parsed when it has arrived, while other processes still write theirs.
  ask(questions, limits, [&](std::size_t i, const Answer& answer) {
    if (i < report.links.size()) {
      read_link(report.links[i], answer);
    } else {
      read_bird(report.birds[i - report.links.size()], answer);
    }
  });
  report.seconds = std::chrono::duration<double>(read_clock() - begin).count();
  return report;
}

}  // namespace routevpn::exporter
