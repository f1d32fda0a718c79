// The routes to an address or prefix, as the BIRDs of this gateway have them: the answer of
// /api/v1/routes.
#pragma once

#include <chrono>
#include <string>

#include "routevpn/base/clock.hpp"
#include "routevpn/base/rate_limit.hpp"
#include "routevpn/exporter/http_server.hpp"
#include "routevpn/exporter/report.hpp"

namespace routevpn::exporter {

class LookingGlass {
 public:
  // Each question asks the BIRDs, and a BIRD that hangs delays all other answers by limits.time.
  // So many questions leave half of the time to them. A BIRD that gave no answer for the report is
  // not asked.
  static constexpr Rate rate{std::chrono::milliseconds(200), 5};
  static constexpr AskLimits limits{std::chrono::milliseconds(100), 256UL * 1024, 1024UL * 1024};

  // `text` comes from the request. BIRD gets the prefix that it spells, never the text. The report
  // says which BIRDs there are and which link an interface belongs to.
  HttpAnswer answer(const std::string& text, const Report& report, Time now);

 private:
  RateLimit questions_;
};

}  // namespace routevpn::exporter
