#include "routevpn/cli/render.hpp"

#include <optional>
#include <string_view>

#include "routevpn/base/text.hpp"
#include "routevpn/cli/human.hpp"

#include "members.hpp"

namespace routevpn::cli {

namespace {

using nlohmann::json;
using pki::TimePoint;

// Puts the separator between `more` and a text before it.
void append(std::string& to, std::string_view separator, const std::string& more) {
  if (more.empty()) return;
  if (!to.empty()) to += separator;
  to += more;
}

std::string interface_text(const json& link) {
  std::string result = text_in(link, "ifname");
  const std::string netns = text_in(link, "netns");
  if (!netns.empty()) result += " in namespace " + netns;
  std::string addresses;
  const json& list = member(link, "addresses");
  if (list.is_array()) {
    for (const auto& address : list) {
      if (address.is_string()) append(addresses, " ", printable(address.get<std::string>()));
    }
  }
  append(result, ", ", addresses);
  if (const auto mtu = count_in(link, "mtu")) append(result, ", ", "mtu " + std::to_string(mtu));
  return result;
}

std::string expiry_text(TimePoint not_after, TimePoint now) {
  using std::chrono::days;
  if (not_after <= now) return "certificate expired";
  const auto left = not_after - now;
  if (left < days{2}) return "certificate expires in " + human_duration(left);
  return "certificate expires in " + std::to_string(left / days{1}) + " days";
}

// Empty without a remote address.
std::string endpoints_text(const json& link) {
  const std::string remote = text_in(link, "remote");
  const std::string local = text_in(link, "local");
  if (remote.empty()) return {};
  return "at " + remote + (local.empty() ? "" : ", our address is " + local);
}

std::string certificate_text(const json& certificate, TimePoint now) {
  std::string result = text_in(certificate, "name");
  const auto not_after = time_in(certificate, "not_after");
  if (!result.empty() && not_after) result += " (" + expiry_text(*not_after, now) + ")";
  return result;
}

std::string peer_text(const json& link, TimePoint now) {
  std::string result = certificate_text(member(link, "peer"), now);
  const std::string expected = text_in(link, "expected_peer");
  if (result.empty() && !expected.empty()) result = expected + " is expected";
  append(result, ", ", endpoints_text(link));
  return result;
}

// Empty if the head of the link already tells all of it.
std::string failure_text(const json& link, TimePoint now) {
  const json& failure = member(link, "last_failure");
  const auto at = time_in(failure, "at");
  const auto times = count_in(failure, "times");
  const std::string what = text_in(failure, "text");
  const bool is_reason = what == reason_of(link);
  if (!at || (is_reason && times < 2)) return {};
  std::string result = human_duration(now - *at) + " ago";
  if (times > 1) result += ", " + std::to_string(times) + " times in a row";
  return is_reason ? result : result + ": " + what;
}

std::string association_text(const json& link, TimePoint now) {
  std::string result = text_in(link, "version");
  if (result.empty()) return {};
  append(result, " ", text_in(link, "cipher"));
  const std::string crypto = text_in(link, "crypto");
  if (!crypto.empty()) result += " by " + crypto;
  if (const auto made = time_in(link, "last_handshake")) {
    const char* what = count_in(link, "rekeys") > 0 ? "renewed " : "made ";
    append(result, ", ", what + human_duration(now - *made) + " ago");
  }
  return result;
}

// With both directions where they differ.
std::string loss_text(const json& link) {
  const std::string loss = amount_in(link, "loss", percent, 1);
  if (loss.empty()) return {};
  const std::string sent = amount_in(link, "loss_tx", percent, 1);
  const std::string received = amount_in(link, "loss_rx", percent, 1);
  if (sent == received) return "loss " + loss + " %";
  return "loss " + loss + " % (sent " + sent + ", received " + received + ")";
}

std::string path_text(const json& link) {
  const json& rtt = member(link, "rtt_us");
  std::string result = amount_in(rtt, "smoothed", us_per_ms, 2);
  if (!result.empty()) {
    result = "rtt " + result + " ms";
    const std::string least = amount_in(rtt, "min", us_per_ms, 2);
    const std::string jitter = amount_in(rtt, "jitter", us_per_ms, 2);
    const bool both = !least.empty() && !jitter.empty();
    if (both) result += " (min " + least + ", jitter " + jitter + ")";
  }
  append(result, ", ", loss_text(link));
  if (const auto mtu = count_in(link, "path_mtu")) {
    append(result, ", ", "path mtu " + std::to_string(mtu));
  }
  return result;
}

std::string transfer_text(const json& link) {
  return human_bytes(count_in(member(link, "rx"), "bytes")) + " received, " +
         human_bytes(count_in(member(link, "tx"), "bytes")) + " sent";
}

std::string takeovers_text(const json& link) {
  const auto takeovers = count_in(link, "takeovers");
  return takeovers == 0
             ? ""
             : std::to_string(takeovers) + ", by another gateway with the same certificate";
}

std::string lane_text(const json& lane) {
  std::string result = text_in(lane, "state");
  append(result, ", ", endpoints_text(lane));
  append(result, ", ", path_text(lane));
  append(result, ", ", transfer_text(lane));
  return result;
}

std::string drops_text(const json& link) {
  const json& drops = member(link, "drops");
  std::string result;
  if (!drops.is_object()) return result;
  for (const auto& [reason, times] : drops.items()) {
    if (!times.is_number_unsigned() || times == 0) continue;
    append(result, ", ", printable(reason) + " " + times.dump());
  }
  return result;
}

// `style`: the numbers of an ECMA-48 SGR sequence.
std::string paint(bool colour, const std::string& style, const std::string& text) {
  return colour ? "\x1b[" + style + "m" + text + "\x1b[0m" : text;
}

std::string head(const json& link, TimePoint now, bool colour) {
  const std::string state = state_of(link);
  const auto* const style = state == "up" ? "1;32" : state == "connecting" ? "1;33" : "1;31";
  std::string line = paint(colour, style, "link") + ": " +
                     paint(colour, style, text_in(link, "link")) + " (" + state;
  if (const auto since = time_in(link, "since")) line += " " + human_duration(now - *since);
  const std::string reason = reason_of(link);
  if (state != "up" && reason != state && !reason.empty()) line += ": " + reason;
  return line + ")\n";
}

}  // namespace

std::string state_of(const json& link) {
  return text_in(link, "state");
}

std::string reason_of(const json& link) {
  const std::string sentence = text_in(link, "reason_text");
  return sentence.empty() ? text_in(link, "reason") : sentence;
}

std::string render(const json& link, TimePoint now, bool colour) {
  std::string result = head(link, now, colour);
  const auto line = [&](const char* label, const std::string& what) {
    if (!what.empty()) result += "  " + paint(colour, "1", label) + ": " + what + "\n";
  };
  line("interface", interface_text(link));
  line("peer", peer_text(link, now));
  line("last failure", failure_text(link, now));
  if (state_of(link) != "up") {
    line("certificate", certificate_text(member(member(link, "credentials"), "certificate"), now));
  }
  if (text_in(link, "remote").empty()) line("local", text_in(link, "local"));
  line("association", association_text(link, now));
  line("rekey failed", text_in(link, "renewal_failure"));
  line("takeovers", takeovers_text(link));
  const json& warnings = member(member(link, "credentials"), "warnings");
  for (std::size_t i = 0; warnings.is_array() && i < warnings.size(); ++i) {
    if (warnings[i].is_string()) line("warning", printable(warnings[i].get<std::string>()));
  }
  line("path", path_text(link));
  line("transfer", transfer_text(link));
  line("drops", drops_text(link));
  line("last send error", text_in(link, "send_error"));
  const json& lanes = member(link, "lanes");
  for (std::size_t i = 0; lanes.is_array() && lanes.size() > 1 && i < lanes.size(); ++i) {
    line(("lane " + std::to_string(i)).c_str(), lane_text(lanes[i]));
  }
  if (member(link, "udp_segment") == false) {
    line("note", "the kernel refused UDP_SEGMENT: each packet is sent alone, which is slower");
  }
  return result;
}

}  // namespace routevpn::cli
