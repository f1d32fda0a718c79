#include "routevpn/bird/sessions.hpp"

#include <charconv>
#include <optional>

#include "words.hpp"

namespace routevpn::bird {

namespace {

// The number before a word: 2 of "1 imported, 2 exported, 1 preferred". 0 without the word.
std::uint64_t number_before(std::string_view line, std::string_view word) {
  const auto at = line.find(word);
  if (at == std::string_view::npos || at < 2 || line[at - 1] != ' ') return 0;
  const auto before = line.substr(0, at - 1);
  const auto begin = before.find_last_not_of("0123456789") + 1;  // npos + 1 is 0
  std::uint64_t number = 0;
  std::from_chars(before.data() + begin, before.data() + before.size(), number);
  return number;
}

// Reads the lines of one session, one after the other.
class Reader {
 public:
  explicit Reader(BgpSession& session) : session_(session) {}

  void read(std::string_view line) {
    constexpr std::string_view channel_mark = "Channel ";
    if (line.starts_with(channel_mark)) channel_ = line.substr(channel_mark.size());
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return;
    const auto key = line.substr(0, colon);
    const auto value = trimmed(line.substr(colon + 1));
    if (key == "BGP state") session_.state = value;
    if (key == "Neighbor address") read_neighbor(value);
    if (key == "State" && value == "UP") session_.routes[channel_] = {};
    const auto found = session_.routes.find(channel_);
    if (key == "Routes" && found != session_.routes.end()) {
      found->second = {number_before(value, "imported"), number_before(value, "exported")};
    }
  }

 private:
  void read_neighbor(std::string_view value) {
    const auto percent = value.find('%');
    session_.neighbor = value.substr(0, percent);
    if (percent != std::string_view::npos) session_.zone = value.substr(percent + 1);
  }

  BgpSession& session_;
  std::string channel_;
};

}  // namespace

std::vector<BgpSession> bgp_sessions(std::string_view answer) {
  std::vector<BgpSession> sessions;
  std::optional<Reader> reader;
  while (!answer.empty()) {
    auto line = take_line(answer);
    if (line.empty() || blanks.find(line.front()) != std::string_view::npos) {
      if (reader) reader->read(trimmed(line));
      continue;
    }
    reader.reset();
    const auto name = take_word(line);
    if (take_word(line) != "BGP") continue;
    sessions.push_back({std::string(name), {}, {}, {}, {}});
    reader.emplace(sessions.back());
  }
  return sessions;
}

}  // namespace routevpn::bird
