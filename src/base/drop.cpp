#include "routevpn/base/drop.hpp"

namespace routevpn {

namespace {

constexpr std::array<std::string_view, drop_count> names = {
    "inside_not_ip",         "inside_malformed",
    "inside_too_big",        "inside_no_association",
    "inside_own_datagram",   "record_limit",
    "outside_busy",          "outside_send_failed",
    "record_truncated",      "record_version",
    "record_type",           "record_epoch",
    "record_length",         "record_no_keys",
    "record_forged",         "record_replayed",
    "record_too_old",        "payload_not_ip",
    "payload_malformed",     "payload_control",
    "payload_incomplete",    "payload_not_ect",
    "inside_write_failed",   "handshake_malformed",
    "handshake_not_allowed", "handshake_rate_limited",
    "handshake_half_open",   "handshake_unexpected",
    "handshake_queue_full",  "handshake_failed",
    "handshake_timed_out",   "certificate_refused",
    "plaintext_alert",
};
static_assert(!names.back().empty(), "every reason has a name");

}  // namespace

std::string_view name_of(Drop reason) {
  return names[static_cast<std::size_t>(reason)];
}

}  // namespace routevpn
