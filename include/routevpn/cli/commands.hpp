// The options of the commands besides the link itself. The setters write to what they are given,
// which must outlive the table.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "routevpn/cli/command_line.hpp"
#include "routevpn/cli/option_table.hpp"

namespace routevpn::cli {

OptionTable show_table(ShowLinks& show, bool& help);
OptionTable authority_table(pki::AuthorityOrder& order, bool& help);
OptionTable request_table(pki::RequestOrder& order, bool& help);
OptionTable sign_table(pki::SignOrder& order, bool& help);
OptionTable revoke_table(pki::RevokeOrder& order, bool& help);
OptionTable list_table(ListCertificates& list, bool& help);
OptionTable plan_table(plan::PlanRequest& request, bool& help);

// `arguments` are those after the command's name.
CommandLine parse_show(std::span<const std::string> arguments);
CommandLine parse_pki(std::span<const std::string> arguments);
CommandLine parse_plan(std::span<const std::string> arguments);

// "unexpected argument 'x'", one for each.
std::vector<std::string> unexpected(std::span<const std::string> operands);

}  // namespace routevpn::cli
