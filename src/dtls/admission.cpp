#include "routevpn/dtls/admission.hpp"

#include <algorithm>
#include <utility>

namespace routevpn::dtls {

Admission::Admission(std::vector<IpPrefix> allowed) : allowed_(std::move(allowed)) {}

bool Admission::names(const IpAddress& source) const {
  return std::ranges::any_of(allowed_, [&](const IpPrefix& prefix) {
    return prefix.address == source && prefix.length == source.bits();
  });
}

double Admission::Bucket::level(Time now) const {
  const double seconds = std::chrono::duration<double>(now - filled).count();
  return std::min(burst, tokens + rate * std::max(0.0, seconds));
}

bool Admission::Bucket::take(Time now) {
  tokens = level(now);
  filled = std::max(filled, now);
  if (tokens < 1) return false;
  tokens -= 1;
  return true;
}

// Full buckets go first, because a source without a bucket starts with a full one. If no bucket is
// full, the fullest goes: losing it gives its source the fewest tokens.
void Admission::evict(Time now) {
  if (sources_.size() < max_sources) return;
  const auto is_full = [&](const auto& entry) {
    return entry.second.level(now) >= per_source_burst;
  };
  if (std::erase_if(sources_, is_full) > 0) return;
  sources_.erase(std::ranges::max_element(
      sources_, {}, [&](const auto& entry) { return entry.second.level(now); }));
}

bool Admission::allows(const IpAddress& source) const {
  return allowed_.empty() || std::any_of(allowed_.begin(), allowed_.end(), [&](const auto& prefix) {
           return prefix.contains(source);
         });
}

std::optional<Drop> Admission::admit(const IpAddress& source, Time now, bool known) {
  if (!allows(source)) return Drop::handshake_not_allowed;

  // The total is checked first, so that a flood from many sources costs no memory. Its token is
  // taken last, so that a flood from one source does not use up the tokens of the others.
  if (!known && total_.level(now) < 1) return Drop::handshake_rate_limited;

  const IpPrefix prefix = IpPrefix{source, source.is_v4() ? 24U : 64U}.network();
  auto found = sources_.find(prefix);
  if (found == sources_.end()) {
    evict(now);
    found = sources_.emplace(prefix, Bucket{per_source_rate, per_source_burst}).first;
  }
  if (!found->second.take(now)) return Drop::handshake_rate_limited;
  total_.take(now);
  return std::nullopt;
}

}  // namespace routevpn::dtls
