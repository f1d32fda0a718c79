// What links and BIRDs answered at one time.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "routevpn/bird/sessions.hpp"
#include "routevpn/exporter/ask.hpp"

namespace routevpn::exporter {

struct LinkReport {
  std::string name;
  nlohmann::json status = nullptr;  // as in `routevpn show --json`; null: it gave none
  std::string reason = {};          // why there is no status: one word
  std::string error = {};           // more about the reason, or empty
};

struct BirdReport {
  std::string name;  // of its namespace: the name of the socket's file without its suffix
  std::string socket;
  std::vector<bird::BgpSession> sessions = {};
  std::string reason = {};  // why there is no answer: one word; empty: there is one
  std::string error = {};
};

struct Report {
  std::vector<LinkReport> links;  // in alphabetical order
  std::vector<BirdReport> birds;
  double seconds = 0;  // that the collection took
};

}  // namespace routevpn::exporter
