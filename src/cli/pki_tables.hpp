// The options of `routevpn pki`.
#pragma once

#include "routevpn/cli/command_line.hpp"
#include "routevpn/options/settings.hpp"

namespace routevpn::cli {

using options::OptionTable;

OptionTable authority_table(pki::AuthorityOrder& order);
OptionTable request_table(pki::RequestOrder& order);
OptionTable sign_table(pki::SignOrder& order);
OptionTable renew_table(pki::RenewOrder& order);
OptionTable revocation_list_table(pki::RevocationListOrder& order);
OptionTable revoke_table(pki::RevokeOrder& order);
OptionTable list_table(ListCertificates& list);
OptionTable psk_table(pki::PskOrder& order);

}  // namespace routevpn::cli
