#include "routevpn/plan/lock.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <sstream>

#include "routevpn/base/blanks.hpp"
#include "routevpn/pki/certificate.hpp"

#include "values.hpp"

namespace routevpn::plan {

namespace {

constexpr std::uint32_t highest_number = 999'999;

// A large plan has 20,000 lines: no stream per line.
std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  for (std::size_t at = 0; (at = line.find_first_not_of(blanks, at)) != std::string_view::npos;) {
    const auto end = std::min(line.find_first_of(blanks, at), line.size());
    words.push_back(line.substr(at, end - at));
    at = end;
  }
  return words;
}

std::optional<std::uint32_t> id_of(std::string_view word) {
  const auto address = IpAddress::parse(word);
  if (!address || !address->is_v4()) return std::nullopt;
  const auto& bytes = address->bytes();
  return bytes[0] << 24U | bytes[1] << 16U | bytes[2] << 8U | bytes[3];
}

bool is_digest(std::string_view word) {
  return word.size() == pki::key_digest_characters &&
         word.find_first_not_of("0123456789ABCDEF") == std::string_view::npos;
}

class LockParser {
 public:
  explicit LockParser(Faults& faults) : faults_(faults) {}

  void line(std::string_view text) {
    ++line_;
    const auto words = words_of(text);
    if (words.empty() || words.front().starts_with('#')) return;
    if (!parse(words)) {
      fault(
          "must be 'id A.B.C.D NAME', 'gateway NUMBER NAME', 'link NUMBER NAME NAME', "
          "'reflector NAME', 'psk-steps NUMBER' or 'ca DIGEST'");
    }
  }

  Lock result() { return std::move(lock_); }

 private:
  void fault(std::string text) { faults_.push_back({line_, std::move(text)}); }

  // False for a malformed line. A duplicate is reported here.
  bool parse(const std::vector<std::string_view>& words) {
    const auto& kind = words.front();
    if (kind == "reflector" && words.size() == 2) {
      lock_.reflectors.emplace_back(words[1]);
      return true;
    }
    if (kind == "ca" && words.size() == 2 && is_digest(words[1])) {
      if (!lock_.authority.empty()) fault("the plan already has a CA");
      lock_.authority = words[1];
      return true;
    }
    if (kind == "psk-steps" && words.size() == 2) return set_psk_steps(words[1]);
    if (words.size() != (kind == "link" ? 4 : 3)) return false;
    const auto number = kind == "id" ? id_of(words[1]) : parse_number(words[1], highest_number);
    if (!number) return false;
    const std::string name(words[2]);
    if (kind == "id") return add(lock_.ids, name, *number);
    if (kind == "gateway") return add(lock_.gateways, name, *number);
    return kind == "link" && add(lock_.links, LinkName(name, words[3]), *number);
  }

  bool set_psk_steps(std::string_view word) {
    const auto steps = parse_number(word, highest_number);
    if (steps && lock_.psk_steps != 0) fault("the plan already has psk-steps");
    if (steps) lock_.psk_steps = *steps;
    return steps.has_value();
  }

  template <typename Name>
  bool add(std::map<Name, std::uint32_t>& into, const Name& name, std::uint32_t number) {
    if (!into.emplace(name, number).second) {
      fault("the name already has a number");
    } else if (!taken_.emplace(&into, number).second) {
      fault("the number is already in use");
    }
    return true;
  }

  Faults& faults_;
  Lock lock_;
  Line line_ = 0;
  std::set<std::pair<const void*, std::uint32_t>> taken_;  // a map of lock_, and a number in it
};

template <typename Map>
auto by_number(const Map& map) {
  std::vector<const typename Map::value_type*> entries;
  entries.reserve(map.size());
  for (const auto& entry : map) entries.push_back(&entry);
  std::ranges::sort(entries, {}, [](const auto* entry) { return entry->second; });
  return entries;
}

}  // namespace

std::string text_of_id(std::uint32_t id) {
  const auto byte = [id](unsigned shift) { return static_cast<std::uint8_t>(id >> shift & 0xff); };
  return IpAddress::v4({byte(24), byte(16), byte(8), byte(0)}).to_string();
}

Lock parse_lock(std::string_view text, Faults& faults) {
  LockParser parser(faults);
  std::istringstream in{std::string(text)};
  for (std::string line; std::getline(in, line);) parser.line(line);
  return parser.result();
}

std::string format_lock(const Lock& lock) {
  std::string text =
      "# Numbers of routevpn plan, which determine addresses and ports. Keep this file with the\n"
      "# topology: without it, the next plan may renumber links.\n";
  for (const auto* const id : by_number(lock.ids)) {
    text += "id " + text_of_id(id->second) + " " + id->first + "\n";
  }
  for (const auto* const gateway : by_number(lock.gateways)) {
    text += "gateway " + std::to_string(gateway->second) + " " + gateway->first + "\n";
  }
  for (const auto* const link : by_number(lock.links)) {
    text += "link " + std::to_string(link->second) + " " + link->first.first + " " +
            link->first.second + "\n";
  }
  for (const auto& name : lock.reflectors) text += "reflector " + name + "\n";
  if (lock.psk_steps != 0) text += "psk-steps " + std::to_string(lock.psk_steps) + "\n";
  if (!lock.authority.empty()) text += "ca " + lock.authority + "\n";
  return text;
}

}  // namespace routevpn::plan
