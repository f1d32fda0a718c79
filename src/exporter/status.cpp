#include "routevpn/exporter/status.hpp"

#include "routevpn/exporter/session_links.hpp"

#include "json_text.hpp"

namespace routevpn::exporter {

namespace {

json session_json(const bird::BgpSession& session, const std::string& link) {
  json object = {{"protocol", session.name}, {"state", session.state}};
  object["neighbor"] = session.neighbor;
  if (!session.zone.empty()) object["neighbor"] = session.neighbor + "%" + session.zone;
  object["link"] = link.empty() ? json(nullptr) : json(link);
  object["routes"] = json::object();
  for (const auto& [family, counts] : session.routes) {
    object["routes"][family] = {{"imported", counts.imported}, {"exported", counts.exported}};
  }
  return object;
}

}  // namespace

std::string status_text(const Report& report, const LinkFilter& filter) {
  json birds = json::array();
  json faults = json::array();
  // One link after the other, because a tree of all takes some megabytes.
  std::string text = "{\"links\":[";
  for (const auto& link : report.links) {
    if (!link.reason.empty()) {
      faults.push_back(fault_json("link", link.name, link.reason, link.error));
    }
    if (link.status.is_null() || (filter && !filter(link))) continue;
    if (text.back() != '[') text += ",";
    text += ascii_text(link.status);
  }
  const SessionLinks links(report);
  for (const auto& bird : report.birds) {
    json sessions = json::array();
    for (const auto& session : bird.sessions) {
      sessions.push_back(session_json(session, links.link_of(bird, session)));
    }
    birds.push_back(
        {{"bird", bird.name}, {"socket", bird.socket}, {"sessions", std::move(sessions)}});
    if (!bird.reason.empty()) {
      faults.push_back(fault_json("bird", bird.name, bird.reason, bird.error));
    }
  }
  text.append("],\"birds\":").append(ascii_text(birds));
  text.append(",\"faults\":").append(ascii_text(faults)).append("}\n");
  return text;
}

}  // namespace routevpn::exporter
