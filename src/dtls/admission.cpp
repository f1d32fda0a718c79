#include "routevpn/dtls/admission.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace routevpn::dtls {

namespace {

double seconds_between(Time from, Time to) {
  return std::max(0.0, std::chrono::duration<double>(to - from).count());
}

IpPrefix source_prefix(const IpAddress& source) {
  return IpPrefix{source, source.is_v4() ? 24U : 64U}.network();
}

}  // namespace

Admission::Admission(std::vector<IpPrefix> allowed) : allowed_(std::move(allowed)) {}

std::size_t Admission::PrefixHash::operator()(const IpPrefix& prefix) const {
  const auto& bytes = prefix.address.bytes();
  return std::hash<std::string_view>{}(
             {reinterpret_cast<const char*>(bytes.data()), bytes.size()}) +
         prefix.length;
}

double Admission::level(const Bucket& bucket, double rate, double burst, Time now) {
  return std::min(burst, bucket.tokens + rate * seconds_between(bucket.filled, now));
}

bool Admission::take(Bucket& bucket, double rate, double burst, Time now) {
  bucket = {level(bucket, rate, burst, now), std::max(bucket.filled, now)};
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}

// Full buckets go first, because a source without a bucket starts with a full one. If no bucket is
// full, the fullest goes: losing it gives its source the fewest tokens.
void Admission::evict(Time now) {
  if (sources_.size() < max_sources) return;
  const auto level_of = [now](const auto& entry) {
    return level(entry.second, per_source_rate, per_source_burst, now);
  };
  if (std::erase_if(sources_,
                    [&](const auto& entry) { return level_of(entry) >= per_source_burst; }) > 0) {
    return;
  }
  sources_.erase(
      std::max_element(sources_.begin(), sources_.end(),
                       [&](const auto& a, const auto& b) { return level_of(a) < level_of(b); }));
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
  if (!total_) total_ = Bucket{total_burst, now};
  if (!known && level(*total_, total_rate, total_burst, now) < 1) {
    return Drop::handshake_rate_limited;
  }

  const IpPrefix prefix = source_prefix(source);
  auto found = sources_.find(prefix);
  if (found == sources_.end()) {
    evict(now);
    found = sources_.emplace(prefix, Bucket{per_source_burst, now}).first;
  }
  if (!take(found->second, per_source_rate, per_source_burst, now)) {
    return Drop::handshake_rate_limited;
  }
  take(*total_, total_rate, total_burst, now);
  return std::nullopt;
}

}  // namespace routevpn::dtls
