#include "routevpn/exporter/looking_glass.hpp"

#include "routevpn/bird/reply.hpp"
#include "routevpn/bird/routes.hpp"
#include "routevpn/exporter/session_links.hpp"

#include "json_text.hpp"

namespace routevpn::exporter {

namespace {

json text_or_null(const std::string& text) {
  return text.empty() ? json(nullptr) : json(text);
}

json next_hop_json(const bird::NextHop& hop, const std::string& link) {
  return {{"address", text_or_null(hop.address)},
          {"interface", text_or_null(hop.interface)},
          {"weight", text_or_null(hop.weight)},
          {"link", text_or_null(link)}};
}

json route_json(const bird::Route& route, const std::string& bird, const SessionLinks& links) {
  json hops = json::array();
  for (const auto& hop : route.next_hops) {
    hops.push_back(next_hop_json(hop, links.link_at(bird, hop.interface)));
  }
  json attributes = json::object();
  for (const auto& [name, value] : route.attributes) attributes[name] = value;
  return {{"table", route.table},
          {"network", route.network},
          {"type", route.type},
          {"protocol", route.protocol},
          {"since", text_or_null(route.since)},
          {"from", text_or_null(route.from)},
          {"best", route.is_best},
          {"preference", text_or_null(route.preference)},
          {"next_hops", std::move(hops)},
          {"attributes", std::move(attributes)}};
}

// The routes, or a fault.
void read_answer(const Answer& answer, const BirdReport& bird, const SessionLinks& links,
                 json& birds, json& faults) {
  if (answer.refusal != Refusal::none) {
    faults.push_back(
        fault_json("bird", bird.name, std::string(name_of(answer.refusal)), answer.error));
    return;
  }
  const auto reply = bird::read_reply(answer.text);
  if (!reply.error.empty() && !bird::is_no_route(reply.error)) {
    faults.push_back(fault_json("bird", bird.name, "refused", reply.error));
    return;
  }
  json found = json::array();
  for (const auto& route : bird::routes(reply.text)) {
    found.push_back(route_json(route, bird.name, links));
  }
  birds.push_back({{"bird", bird.name}, {"routes", std::move(found)}});
}

}  // namespace

HttpAnswer LookingGlass::answer(const std::string& text, const Report& report, Time now) {
  const auto prefix = IpPrefix::parse(text);
  if (!prefix) {
    return text_answer(400,
                       "prefix: must be an address or a prefix, for example 10.0.1.5 or "
                       "2001:db8::/48\n");
  }
  if (!questions_.admit(now, rate)) {
    return text_answer(429, "too many questions at one time; ask again in a second\n");
  }
  json birds = json::array();
  json faults = json::array();
  std::vector<const BirdReport*> asked;
  std::vector<Question> questions;
  for (const auto& bird : report.birds) {
    if (bird.reason.empty()) {
      asked.push_back(&bird);
      questions.push_back(
          {bird.socket, bird::request(bird::route_command(*prefix)), bird::is_complete});
    } else {
      faults.push_back(fault_json("bird", bird.name, bird.reason, bird.error));
    }
  }
  const auto answers = ask(questions, limits);
  const SessionLinks links(report);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    read_answer(answers[i], *asked[i], links, birds, faults);
  }
  const json all = {{"prefix", prefix->network().to_string()},
                    {"birds", std::move(birds)},
                    {"faults", std::move(faults)}};
  return {200, "application/json", std::make_shared<const std::string>(ascii_text(all) + "\n")};
}

}  // namespace routevpn::exporter
