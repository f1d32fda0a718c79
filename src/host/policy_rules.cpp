#include "policy_rules.hpp"

#include <algorithm>
#include <array>
#include <string>

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <sys/socket.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/log.hpp"

namespace routevpn::host {

namespace {

// Marks the rules as ours in `ip rule`; rtnetlink.h and iproute2 do not use this number.
constexpr std::uint8_t rule_protocol = 77;
constexpr std::uint32_t whole_mark = 0xffffffff;
constexpr std::uint32_t main_rule_priority = 32766;

std::string to_string(const PolicyRule& rule) {
  const std::string family = rule.family == AF_INET6 ? "ip -6 rule" : "ip -4 rule";
  if (rule.suppress_default) return family + " \"from all lookup main suppress_prefixlength 0\"";
  return family + " \"not from all fwmark " + std::to_string(rule.fwmark) + " lookup " +
         std::to_string(rule.table) + "\"";
}

NlMessage request_for(const PolicyRule& rule, int type, int flags) {
  fib_rule_hdr header{};
  header.family = rule.family;
  header.action = FR_ACT_TO_TBL;
  header.flags = rule.fwmark != 0 ? FIB_RULE_INVERT : 0;
  NlMessage message = new_message(type, flags, &header, sizeof header);
  int failed = nla_put_u32(message.get(), FRA_PRIORITY, rule.priority);
  failed |= nla_put_u32(message.get(), FRA_TABLE, rule.table);
  failed |= nla_put_u8(message.get(), FRA_PROTOCOL, rule_protocol);
  if (rule.fwmark != 0) {
    failed |= nla_put_u32(message.get(), FRA_FWMARK, rule.fwmark);
    failed |= nla_put_u32(message.get(), FRA_FWMASK, whole_mark);
  }
  if (rule.suppress_default) failed |= nla_put_u32(message.get(), FRA_SUPPRESS_PREFIXLEN, 0);
  if (failed != 0) throw SystemError("netlink message: no room for a rule");
  return message;
}

struct Attributes {
  std::array<nlattr*, FRA_MAX + 1> at{};

  explicit Attributes(nlmsghdr* message) {
    nlmsg_parse(message, sizeof(fib_rule_hdr), at.data(), FRA_MAX, nullptr);
  }
  [[nodiscard]] std::uint32_t u32(int type, std::uint32_t otherwise) const {
    const nlattr* attribute = at.at(static_cast<std::size_t>(type));
    return attribute == nullptr ? otherwise : nla_get_u32(attribute);
  }
};

// The existing rules of a family.
struct Survey {
  std::uint32_t lowest_priority = main_rule_priority;  // except 0, that of table local
  bool marked_rule_exists = false;
};

Survey survey(NetlinkSocket& socket, const PolicyRule& wanted) {
  Survey result;
  fib_rule_hdr header{};
  header.family = wanted.family;
  const auto request = new_message(RTM_GETRULE, 0, &header, sizeof header);
  for (const NlMessage& message : socket.dump(request)) {
    const Attributes attributes(nlmsg_hdr(message.get()));
    const auto* rule = static_cast<const fib_rule_hdr*>(nlmsg_data(nlmsg_hdr(message.get())));
    const std::uint32_t priority = attributes.u32(FRA_PRIORITY, 0);
    if (priority != 0) result.lowest_priority = std::min(result.lowest_priority, priority);
    if ((rule->flags & FIB_RULE_INVERT) != 0 && rule->action == FR_ACT_TO_TBL &&
        attributes.u32(FRA_FWMARK, 0) == wanted.fwmark &&
        attributes.u32(FRA_TABLE, rule->table) == wanted.table) {
      result.marked_rule_exists = true;
    }
  }
  return result;
}

}  // namespace

PolicyRules::PolicyRules(std::uint32_t fwmark, std::uint32_t table, bool ipv4, bool ipv6)
    : socket_(NETLINK_ROUTE) {
  try {
    if (ipv4) add_family(AF_INET, fwmark, table);
    if (ipv6) add_family(AF_INET6, fwmark, table);
  } catch (...) {
    remove_all();
    throw;
  }
}

PolicyRules::~PolicyRules() {
  remove_all();
}

void PolicyRules::add_family(std::uint8_t family, std::uint32_t fwmark, std::uint32_t table) {
  PolicyRule marked{.family = family, .table = table, .fwmark = fwmark};
  Survey found;
  const bool free = poll_until(
      [&] {
        found = survey(socket_, marked);
        return !found.marked_rule_exists;
      },
      predecessor_grace);
  if (!free) throw UsageError("--fwmark: " + to_string(marked) + " already exists");
  if (found.lowest_priority <= 2) {
    throw UsageError("--fwmark: " + to_string(marked) + ": no priority is left before rule " +
                     std::to_string(found.lowest_priority));
  }
  // Each link adds its own rule for main, even if another link has the same one: so links may start
  // and stop in any order.
  marked.priority = found.lowest_priority - 1;
  add({.family = family,
       .priority = found.lowest_priority - 2,
       .table = RT_TABLE_MAIN,
       .suppress_default = true});
  add(marked);
}

void PolicyRules::add(const PolicyRule& rule) {
  const auto answer = socket_.ask(request_for(rule, RTM_NEWRULE, NLM_F_CREATE));
  if (!answer) throw SystemError("--fwmark: " + to_string(rule) + ": " + answer.reason);
  added_.push_back(rule);
}

void PolicyRules::remove_all() {
  for (; !added_.empty(); added_.pop_back()) {
    const auto answer = socket_.ask(request_for(added_.back(), RTM_DELRULE, 0));
    if (!answer) log_warning(to_string(added_.back()) + " was not removed: " + answer.reason);
  }
}

}  // namespace routevpn::host
