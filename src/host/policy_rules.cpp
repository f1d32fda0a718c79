#include "policy_rules.hpp"

#include <algorithm>
#include <string>

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <sys/socket.h>

#include "routevpn/base/error.hpp"

namespace routevpn::host {

namespace {

// Marks the rules as ours in `ip rule`; rtnetlink.h and iproute2 do not use this number.
constexpr std::uint8_t rule_protocol = 77;
constexpr std::uint32_t whole_mark = 0xffffffff;
constexpr std::uint32_t main_rule_priority = 32766;

struct PolicyRule {
  std::uint8_t family = 0;
  std::uint32_t priority = 0;
  std::uint32_t table = 0;
  std::uint32_t fwmark = 0;       // inverted; 0: any packet
  bool suppress_default = false;  // ignore a default route of the table
};

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
  put(message, FRA_PRIORITY, rule.priority);
  put(message, FRA_TABLE, rule.table);
  put(message, FRA_PROTOCOL, rule_protocol);
  if (rule.fwmark != 0) {
    put(message, FRA_FWMARK, rule.fwmark);
    put(message, FRA_FWMASK, whole_mark);
  }
  if (rule.suppress_default) put(message, FRA_SUPPRESS_PREFIXLEN, std::uint32_t{0});
  return message;
}

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
    const auto* rule = static_cast<const fib_rule_hdr*>(nlmsg_data(nlmsg_hdr(message.get())));
    const auto number = [&](int type, std::uint32_t otherwise) {
      const nlattr* found = nlmsg_find_attr(nlmsg_hdr(message.get()), sizeof(fib_rule_hdr), type);
      return found == nullptr ? otherwise : nla_get_u32(found);
    };
    const std::uint32_t priority = number(FRA_PRIORITY, 0);
    if (priority != 0) result.lowest_priority = std::min(result.lowest_priority, priority);
    if ((rule->flags & FIB_RULE_INVERT) != 0 && rule->action == FR_ACT_TO_TBL &&
        number(FRA_FWMARK, 0) == wanted.fwmark && number(FRA_TABLE, rule->table) == wanted.table) {
      result.marked_rule_exists = true;
    }
  }
  return result;
}

void add(Additions& additions, const PolicyRule& rule) {
  const auto answer = additions.add(request_for(rule, RTM_NEWRULE, NLM_F_CREATE),
                                    request_for(rule, RTM_DELRULE, 0), to_string(rule));
  if (!answer) throw SystemError("--fwmark: " + to_string(rule) + ": " + answer.reason);
}

void add_family(Additions& additions, PolicyRule marked) {
  Survey found;
  const bool free = poll_until(
      [&] {
        found = survey(additions.socket(), marked);
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
  add(additions, {.family = marked.family,
                  .priority = found.lowest_priority - 2,
                  .table = RT_TABLE_MAIN,
                  .suppress_default = true});
  add(additions, marked);
}

}  // namespace

void add_policy_rules(Additions& additions, std::uint32_t fwmark, std::uint32_t table, bool ipv4,
                      bool ipv6) {
  if (ipv4) add_family(additions, {.family = AF_INET, .table = table, .fwmark = fwmark});
  if (ipv6) add_family(additions, {.family = AF_INET6, .table = table, .fwmark = fwmark});
}

}  // namespace routevpn::host
