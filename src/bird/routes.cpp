#include "routevpn/bird/routes.hpp"

#include "words.hpp"

namespace routevpn::bird {

namespace {

constexpr std::string_view table_mark = "Table ";

// "10.1.0.0/24  unicast [S4 09:47:28.473 from 10.255.0.2] * (200/10) [i]". A further route to the
// network of the line before begins with blanks.
Route read_head(std::string_view line, const Route* before) {
  Route route;
  if (blanks.find(line.front()) == std::string_view::npos) {
    route.network = take_word(line);
  } else if (before != nullptr) {
    route.network = before->network;
  }
  route.type = take_until(line, '[');
  auto origin = take_until(line, ']');
  route.protocol = take_word(origin);
  while (!origin.empty()) {
    const auto word = take_word(origin);
    if (word == "from") {
      route.from = take_word(origin);
    } else if (!word.empty()) {
      route.since.append(route.since.empty() ? "" : " ").append(word);
    }
  }
  route.is_best = take_until(line, '(').find('*') != std::string_view::npos;
  auto preference = take_until(line, ')');
  route.preference = take_until(preference, '/');
  return route;
}

// "via 10.255.0.2 on rv0 weight 1", "dev rv0".
NextHop read_next_hop(std::string_view line) {
  NextHop hop;
  while (!line.empty()) {
    const auto key = take_word(line);
    if (key == "via") hop.address = take_word(line);
    if (key == "on" || key == "dev") hop.interface = take_word(line);
    if (key == "weight") hop.weight = take_word(line);
  }
  return hop;
}

void read_detail(std::string_view line, Route& route) {
  if (line.starts_with("via ") || line.starts_with("dev ")) {
    route.next_hops.push_back(read_next_hop(line));
    return;
  }
  const auto name = take_until(line, ':');
  route.attributes.emplace_back(name, trimmed(line));
}

// BIRD indents details by a tab, and a further route by as many blanks as the column of networks
// has.
bool is_detail(std::string_view line) {
  return line.front() == '\t';
}

}  // namespace

std::string route_command(const IpPrefix& prefix) {
  return "show route for " + prefix.network().to_string() + " table all all";
}

bool is_no_route(std::string_view error) {
  return error == "Network not found" || error == "Network not in table";
}

std::vector<Route> routes(std::string_view answer) {
  std::vector<Route> found;
  std::string table;
  while (!answer.empty()) {
    auto line = take_line(answer);
    if (trimmed(line).empty()) continue;
    if (line.starts_with(table_mark)) {
      line.remove_prefix(table_mark.size());
      table = take_until(line, ':');
    } else if (!is_detail(line)) {
      // Without a table, the line is no route: BIRD's greeting, for example.
      if (table.empty()) continue;
      auto route = read_head(line, found.empty() ? nullptr : &found.back());
      route.table = table;
      found.push_back(std::move(route));
    } else if (!found.empty()) {
      read_detail(trimmed(line), found.back());
    }
  }
  return found;
}

}  // namespace routevpn::bird
