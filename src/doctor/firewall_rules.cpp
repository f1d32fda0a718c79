#include "firewall_rules.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

#include "link_facts.hpp"

namespace routevpn::doctor {

namespace {

using nlohmann::json;

constexpr int deepest_jump = 16;  // NFT_JUMP_STACK_SIZE
constexpr int udp = 17;           // IANA protocol number

enum class Matches : std::uint8_t { no, maybe, yes };
// What becomes of the datagram in a chain. falls: it reaches the end of the chain.
enum class Fate : std::uint8_t { accepted, unknown, falls, dropped };

template <typename Test>
Matches any_of(const json& value, Test test);

template <typename Test>
Matches any_in(const json& list, Test test) {
  Matches best = Matches::no;
  for (const auto& element : list) best = std::max(best, any_of(element, test));
  return best;
}

// Whether the value, or one of a set of values, passes the test of single values.
template <typename Test>
Matches any_of(const json& value, Test test) {
  if (value.is_array()) return any_in(value, test);
  const json& set = member(value, "set");
  if (!set.is_null()) return any_in(set, test);
  const json& element = member(value, "elem");  // with a comment or a counter
  return element.is_null() ? test(value) : any_of(member(element, "val"), test);
}

Matches certain(bool matches) {
  return matches ? Matches::yes : Matches::no;
}

Matches port_matches(const json& value, std::uint16_t port) {
  if (value.is_number_integer()) return certain(value == port);
  const json& range = member(value, "range");
  const bool numbers = range.is_array() && range.size() == 2 && range[0].is_number_integer() &&
                       range[1].is_number_integer();
  return numbers ? certain(range[0] <= port && port <= range[1]) : Matches::maybe;
}

Matches is_udp(const json& value) {
  if (value.is_number_integer()) return certain(value == udp);
  if (!value.is_string() || value.get<std::string>().starts_with("@")) return Matches::maybe;
  return certain(value == "udp");
}

Matches is_new(const json& value) {
  return value.is_string() ? certain(value == "new" || value == "untracked") : Matches::maybe;
}

Matches is_other_interface(const json& value) {
  return value == "lo" ? Matches::no : Matches::maybe;
}

Matches equals(const json& left, const json& right, std::uint16_t port) {
  const json& payload = member(left, "payload");
  const auto protocol = text(payload, "protocol");
  const auto field = text(payload, "field");
  const bool port_field = protocol == "udp" || protocol == "th";
  if (port_field && field == "dport") {
    return any_of(right, [port](const json& value) { return port_matches(value, port); });
  }
  for (const std::string_view other : {"tcp", "sctp", "dccp", "icmp", "icmpv6", "igmp"}) {
    if (protocol == other) return Matches::no;
  }
  const auto meta = text(member(left, "meta"), "key");
  const bool names_protocol = meta == "l4proto" || (protocol == "ip" && field == "protocol") ||
                              (protocol == "ip6" && field == "nexthdr");
  if (names_protocol) return any_of(right, is_udp);
  if (meta == "iif" || meta == "iifname") return any_of(right, is_other_interface);
  if (text(member(left, "ct"), "key") == "state") return any_of(right, is_new);
  return Matches::maybe;
}

Matches match(const json& expression, std::uint16_t port) {
  const Matches equal = equals(member(expression, "left"), member(expression, "right"), port);
  const auto op = text(expression, "op");
  if (op == "==" || op == "in") return equal;
  if (op != "!=" || equal == Matches::maybe) return Matches::maybe;
  return certain(equal == Matches::no);
}

class Ruleset {
 public:
  Ruleset(const json& all, std::uint16_t port) : all_(all), port_(port) {}

  [[nodiscard]] std::vector<InputChain> chains_that_drop() const {
    std::vector<InputChain> found;
    for (const auto& object : all_) {
      const json& chain = member(object, "chain");
      if (text(chain, "hook") != "input" || text(chain, "type") != "filter") continue;
      const InputChain one{text(chain, "family"), text(chain, "table"), text(chain, "name")};
      if (one.family != "ip" && one.family != "ip6" && one.family != "inet") continue;
      const Fate fate = fate_in(one, 0);
      const bool by_policy = fate == Fate::falls && text(chain, "policy") == "drop";
      if (by_policy || fate == Fate::dropped) found.push_back(one);
    }
    return found;
  }

 private:
  [[nodiscard]] Fate fate_in(const InputChain& chain, int depth) const {
    if (depth > deepest_jump) return Fate::unknown;
    for (const auto& object : all_) {
      const json& rule = member(object, "rule");
      const bool here = text(rule, "family") == chain.family &&
                        text(rule, "table") == chain.table && text(rule, "chain") == chain.name;
      if (!here) continue;
      const auto fate = fate_by(member(rule, "expr"), chain, depth);
      if (fate) return *fate;
    }
    return Fate::falls;
  }

  // None: the next rule decides.
  [[nodiscard]] std::optional<Fate> fate_by(const json& expressions, const InputChain& chain,
                                            int depth) const {
    Matches matches = Matches::yes;
    for (const auto& statement : expressions) {
      if (statement.contains("match")) {
        matches = std::min(matches, match(statement["match"], port_));
      } else if (statement.contains("limit")) {
        matches = std::min(matches, Matches::maybe);
      } else if (matches != Matches::no) {
        const auto fate = fate_of(statement, chain, depth);
        if (fate) return weigh(*fate, matches);
      }
      if (matches == Matches::no) return std::nullopt;
    }
    return std::nullopt;
  }

  // Of a rule that may not match: it may accept, and it does not certainly drop.
  static std::optional<Fate> weigh(Fate fate, Matches matches) {
    if (matches == Matches::yes) return fate;
    return fate == Fate::dropped ? std::nullopt : std::optional(Fate::unknown);
  }

  // Of a statement that ends the rule; none for others, such as counter and log.
  [[nodiscard]] std::optional<Fate> fate_of(const json& statement, const InputChain& chain,
                                            int depth) const {
    if (statement.contains("accept")) return Fate::accepted;
    if (statement.contains("drop") || statement.contains("reject")) return Fate::dropped;
    if (statement.contains("return")) return Fate::falls;
    const bool jumps = statement.contains("jump");
    if (jumps || statement.contains("goto")) {
      const auto target = text(statement[jumps ? "jump" : "goto"], "target");
      const Fate fate = fate_in({chain.family, chain.table, target}, depth + 1);
      return jumps && fate == Fate::falls ? std::nullopt : std::optional(fate);
    }
    if (statement.contains("vmap")) return fate_by_map(statement["vmap"], chain, depth);
    for (const char* const unknown : {"xt", "queue", "tproxy", "redirect", "dnat", "synproxy"}) {
      if (statement.contains(unknown)) return Fate::unknown;
    }
    return std::nullopt;
  }

  [[nodiscard]] std::optional<Fate> fate_by_map(const json& map, const InputChain& chain,
                                                int depth) const {
    const json& entries = member(member(map, "data"), "set");
    if (!entries.is_array()) return Fate::unknown;
    for (const auto& entry : entries) {
      if (!entry.is_array() || entry.size() != 2) return Fate::unknown;
      const Matches matches = equals(member(map, "key"), entry[0], port_);
      if (matches == Matches::no) continue;
      const auto fate = fate_of(entry[1], chain, depth);
      if (!fate) continue;
      const auto weighed = weigh(*fate, matches);
      if (weighed) return weighed;
    }
    return std::nullopt;
  }

  const json& all_;
  std::uint16_t port_;
};

}  // namespace

std::vector<InputChain> chains_that_drop(const json& ruleset, std::uint16_t port) {
  return Ruleset(member(ruleset, "nftables"), port).chains_that_drop();
}

}  // namespace routevpn::doctor
