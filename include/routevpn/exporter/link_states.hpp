// The states of links that one exporter gets from another: the answer of /api/v1/links.
//
// `links` has one object per link with the fields of `routevpn show --json` that a map needs: link,
// state, reason, reason_text, carrier, rtt_us.smoothed, loss, rx.bytes and tx.bytes. A link without
// an answer has link and fault. `interfaces` has name and running of the other interfaces.
#pragma once

#include <string>

#include "routevpn/exporter/ask.hpp"
#include "routevpn/exporter/interfaces.hpp"
#include "routevpn/exporter/report.hpp"

namespace routevpn::exporter {

// An HTTP request for /api/v1/links of this server. The answer ends with the stream.
std::string link_states_request(const std::string& host);

std::string link_states_text(const Report& report,
                             const std::vector<InterfaceReport>& interfaces = {});

// The answer of the exporter of a gateway.
struct ReportedStates {
  std::string links = "[]";  // JSON: only the fields above, each with its type
  std::string interfaces = "[]";
  std::string fault = {};  // why there are none: one word; empty: there are
  std::string error = {};  // more about it, or empty
};
ReportedStates read_link_states(const Answer& answer);

}  // namespace routevpn::exporter
