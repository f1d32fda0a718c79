// The table of `routevpn show --brief`: one line per link.
#pragma once

#include <map>
#include <string>

#include <nlohmann/json.hpp>

#include "routevpn/pki/time.hpp"

namespace routevpn::cli {

// More links than these are printed as a table.
inline constexpr std::size_t most_in_full = 4;

// Inside bytes per second.
struct Throughput {
  double received = 0;
  double sent = 0;
};
using Throughputs = std::map<std::string, Throughput>;  // by link

struct Screen {
  bool colour = false;
  unsigned rows = 0;     // 0: no limit
  unsigned columns = 0;  // 0: no limit
};

// The links in this order. With `rates` the columns of the transfer have rates in place of sums. If
// the screen has too few rows, the last line tells how many links are left out.
std::string render_brief(const nlohmann::json& links, const Throughputs& rates, pki::TimePoint now,
                         const Screen& screen);

// The same links: those that are not up first, then those with a warning or with loss.
nlohmann::json by_trouble(nlohmann::json links);

}  // namespace routevpn::cli
