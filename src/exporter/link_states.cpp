#include "routevpn/exporter/link_states.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

#include "routevpn/base/json_object.hpp"

#include "json_text.hpp"

namespace routevpn::exporter {

namespace {

using Pointer = json::json_pointer;

constexpr std::size_t longest_text = 200;

void copy_text(json& into, const json& from, const char* key) {
  const auto at = from.find(key);
  if (at != from.end() && at->is_string()) {
    into[key] = at->get_ref<const std::string&>().substr(0, longest_text);
  }
}

void copy_flag(json& into, const json& from, const char* key) {
  const auto at = from.find(key);
  if (at != from.end() && at->is_boolean()) into[key] = *at;
}

void copy_number(json& into, const json& from, const Pointer& where) {
  if (from.contains(where) && from[where].is_number()) into[where] = from[where];
}

// The known fields, if they have their type. The object can come from another gateway.
json known_fields(const json& from) {
  static const Pointer numbers[] = {Pointer("/rtt_us/smoothed"), Pointer("/loss"),
                                    Pointer("/rx/bytes"), Pointer("/tx/bytes")};
  json into = json::object();
  if (!from.is_object()) return into;
  for (const auto* const key : {"link", "state", "reason", "reason_text", "fault"}) {
    copy_text(into, from, key);
  }
  copy_flag(into, from, "carrier");
  for (const auto& where : numbers) copy_number(into, from, where);
  return into;
}

json known_interface(const json& from) {
  json into = json::object();
  if (!from.is_object()) return into;
  copy_text(into, from, "name");
  copy_flag(into, from, "running");
  return into;
}

// The objects of a list, each as `known` leaves it. None: it is no list.
template <typename Known>
std::optional<json> known_objects(const json& from, const char* key, Known known) {
  const auto list = from.find(key);
  if (list == from.end() || !list->is_array()) return std::nullopt;
  json into = json::array();
  for (const auto& one : *list) into.push_back(known(one));
  return into;
}

// The first line of HTTP has the version, and the status.
bool is_success(std::string_view answer) {
  constexpr std::string_view version = "HTTP/1.x";
  return answer.starts_with(version.substr(0, version.size() - 1)) &&
         answer.substr(std::min(version.size(), answer.size())).starts_with(" 200 ");
}

std::string first_line(const std::string& text) {
  return text.substr(0, std::min(text.find_first_of("\r\n"), longest_text));
}

}  // namespace

// HTTP/1.0: the answer is neither in chunks, nor does the connection stay.
std::string link_states_request(const std::string& host) {
  return "GET /api/v1/links HTTP/1.0\r\nHost: " + host + "\r\n\r\n";
}

std::string link_states_text(const Report& report, const std::vector<InterfaceReport>& interfaces) {
  json links = json::array();
  for (const auto& link : report.links) {
    links.push_back(known_fields(link.status));
    links.back()["link"] = link.name;
    if (!link.reason.empty()) links.back()["fault"] = link.reason;
  }
  json others = json::array();
  for (const auto& [name, is_running] : interfaces) {
    // The links are in alphabetical order.
    if (std::ranges::binary_search(report.links, name, {}, &LinkReport::name)) continue;
    others.push_back({{"name", name}, {"running", is_running}});
  }
  return ascii_text({{"links", std::move(links)}, {"interfaces", std::move(others)}}) + "\n";
}

ReportedStates read_link_states(const Answer& answer) {
  ReportedStates states;
  if (answer.refusal != Refusal::none) {
    states.fault = name_of(answer.refusal);
    states.error = answer.error;
    return states;
  }
  states.fault = "bad_answer";
  const std::string_view text = answer.text;
  const auto head = text.find("\r\n\r\n");
  if (head == std::string_view::npos || !is_success(text)) {
    states.error = first_line(answer.text);
    return states;
  }
  const auto object = parse_object(text.substr(head + 4));
  if (!object) return states;
  const auto links = known_objects(*object, "links", known_fields);
  const auto others = known_objects(*object, "interfaces", known_interface);
  if (!links || !others) return states;
  states.links = ascii_text(*links);
  states.interfaces = ascii_text(*others);
  states.fault.clear();
  return states;
}

}  // namespace routevpn::exporter
