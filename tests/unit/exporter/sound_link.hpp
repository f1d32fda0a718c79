// The status of a link that works, as the link writes it.
#pragma once

#include "routevpn/exporter/report.hpp"

namespace routevpn::test {

inline exporter::LinkReport sound_link(const std::string& name) {
  return {name, nlohmann::json::parse(R"({
    "link": "rv1", "ifname": "rv1", "netns": "private", "state": "up", "reason": null,
    "carrier": true, "mtu": 1380, "path_mtu": 1440, "worker_starts": 1,
    "addresses": ["10.255.0.1/30", "2001:db8:ff::/127"],
    "peer": {"name": "V2-1", "subject": "CN=V2-1", "not_after": "2027-01-01T00:00:00Z"},
    "remote": "192.0.2.2:7754", "cipher": "AES-128-GCM",
    "rtt_us": {"last": 1000, "min": 900, "smoothed": 1500, "jitter": 250},
    "loss": 0.05, "loss_tx": 0.03, "loss_rx": 0.02,
    "handshakes": 2, "rekeys": 1, "roams": 3, "flaps": 4,
    "rx": {"bytes": 12345678901, "packets": 1000, "drops": 7},
    "tx": {"bytes": 2000, "packets": 20, "drops": 0},
    "drops": {"record_forged": 5, "handshake_of_the_future": 2},
    "credentials": {
      "certificate": {"subject": "CN=V1-1", "not_after": "2026-12-31T23:59:59Z"},
      "authorities": [{"subject": "CN=CA", "not_after": "2030-01-01T00:00:00Z"},
                      {"subject": "CN=CA", "not_after": "2029-01-01T00:00:00Z"}],
      "crl": {"next_update": "2026-12-01T00:00:00Z"}}})")};
}

}  // namespace routevpn::test
