#include "brief.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "routevpn/cli/human.hpp"
#include "routevpn/cli/render.hpp"

#include "members.hpp"

namespace routevpn::cli {

namespace {

using nlohmann::json;
using pki::TimePoint;

constexpr std::size_t columns = 9;
using Row = std::array<std::string, columns>;

constexpr std::array<bool, columns> is_right = {false, false, true, false, true,
                                                true,  true,  true, false};

std::string or_dash(std::string text) {
  return text.empty() ? "-" : std::move(text);
}

std::size_t warnings_of(const json& link) {
  const json& warnings = member(member(link, "credentials"), "warnings");
  return warnings.is_array() ? warnings.size() : 0;
}

// What an operator has to know besides the figures. Empty: nothing.
std::string note_of(const json& link) {
  if (state_of(link) != "up") return reason_of(link);
  if (member(link, "certificate_shared") == true) return "another gateway has the same certificate";
  if (!text_in(link, "renewal_failure").empty())
    return "rekey failed: " + text_in(link, "renewal_failure");
  const auto warnings = warnings_of(link);
  if (warnings > 0) return printable_text(member(member(link, "credentials"), "warnings")[0]);
  return {};
}

std::string peer_of(const json& link) {
  const std::string name = text_in(member(link, "peer"), "name");
  return name.empty() ? text_in(link, "expected_peer") : name;
}

std::string with_unit(const std::string& amount, const char* unit) {
  return amount.empty() ? "-" : amount + unit;
}

Row row_of(const json& link, const Throughputs& rates, TimePoint now) {
  const auto since = time_in(link, "since");
  Row row = {text_in(link, "link"),
             state_of(link),
             since ? human_duration(now - *since) : "-",
             or_dash(peer_of(link)),
             with_unit(amount_in(member(link, "rtt_us"), "smoothed", us_per_ms, 2), " ms"),
             with_unit(amount_in(link, "loss", percent, 1), " %"),
             human_bytes(count_in(member(link, "rx"), "bytes")),
             human_bytes(count_in(member(link, "tx"), "bytes")),
             note_of(link)};
  if (const auto rate = rates.find(row[0]); rate != rates.end()) {
    row[6] = human_bytes(static_cast<std::uint64_t>(rate->second.received)) + "/s";
    row[7] = human_bytes(static_cast<std::uint64_t>(rate->second.sent)) + "/s";
  }
  return row;
}

std::string padded(const std::string& text, std::size_t width, bool right) {
  const std::string space(width - std::min(width, text.size()), ' ');
  return right ? space + text : text + space;
}

// The note is the last column: it alone is cut.
std::string line_of(const Row& row, const std::array<std::size_t, columns>& widths,
                    const Screen& screen) {
  std::string line;
  for (std::size_t i = 0; i < columns; ++i) {
    if (i > 0) line += "  ";
    line += padded(row[i], i + 1 == columns ? 0 : widths[i], is_right[i]);
  }
  if (screen.columns > 0 && line.size() > screen.columns) line.resize(screen.columns);
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

const char* style_of(const std::string& state) {
  if (state == "up") return "32";
  return state == "connecting" ? "33" : "31";
}

// The state is the second column of the line.
void paint_state(std::string& line, const Row& row, std::size_t first_width) {
  const std::size_t at = first_width + 2;
  if (line.size() < at + row[1].size()) return;
  line.insert(at + row[1].size(), "\x1b[0m");
  line.insert(at, std::string("\x1b[") + style_of(row[1]) + "m");
}

int trouble_of(const json& link) {
  if (state_of(link) == "down") return 0;
  if (state_of(link) != "up") return 1;
  if (!note_of(link).empty()) return 2;
  const json& loss = member(link, "loss");
  return loss.is_number() && loss.get<double>() > 0 ? 3 : 4;
}

}  // namespace

std::string render_brief(const json& links, const Throughputs& rates, TimePoint now,
                         const Screen& screen) {
  std::vector<Row> rows = {
      {"LINK", "STATE", "SINCE", "PEER", "RTT", "LOSS", "RECEIVED", "SENT", ""}};
  for (const json& link : links) rows.push_back(row_of(link, rates, now));
  std::array<std::size_t, columns> widths{};
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < columns; ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::size_t shown = rows.size();
  if (screen.rows > 2) shown = std::min<std::size_t>(shown, screen.rows - 2);
  std::string result;
  for (std::size_t i = 0; i < shown; ++i) {
    std::string line = line_of(rows[i], widths, screen);
    if (screen.colour && i > 0) paint_state(line, rows[i], widths[0]);
    result += line;
    result += '\n';
  }
  if (shown < rows.size()) result += "and " + std::to_string(rows.size() - shown) + " more links\n";
  return result;
}

json by_trouble(json links) {
  std::stable_sort(links.begin(), links.end(),
                   [](const json& a, const json& b) { return trouble_of(a) < trouble_of(b); });
  return links;
}

}  // namespace routevpn::cli
