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

double Admission::Bucket::level(const Rate& rate, Time now) const {
  const double seconds = std::chrono::duration<double>(now - filled).count();
  return std::min(rate.burst, tokens + rate.per_second * std::max(0.0, seconds));
}

void Admission::Bucket::take(const Rate& rate, Time now) {
  tokens = level(rate, now) - 1;
  filled = std::max(filled, now);
}

bool Admission::allows(const IpAddress& source) const {
  return allowed_.empty() || std::any_of(allowed_.begin(), allowed_.end(), [&](const auto& prefix) {
           return prefix.contains(source);
         });
}

const Admission::Bucket* Admission::find(const IpAddress& source, unsigned length) const {
  const auto found = by_prefix_.find(IpPrefix{source, length}.network());
  return found == by_prefix_.end() ? nullptr : &found->second->bucket;
}

// A full table loses the bucket from which a token was taken the longest time ago. That bucket is
// full again, as a new one is: an admission takes at most three buckets, so the table turns over in
// 2048 / 3 / 100 = 6.8 s, and every bucket is full after 1/3 s.
void Admission::take(const IpAddress& source, const Level& level, Time now) {
  const IpPrefix prefix = IpPrefix{source, level.length}.network();
  const auto found = by_prefix_.find(prefix);
  if (found != by_prefix_.end()) {
    networks_.splice(networks_.begin(), networks_, found->second);
  } else {
    if (networks_.size() >= max_networks) {
      by_prefix_.erase(networks_.back().prefix);
      networks_.pop_back();
    }
    networks_.push_front({prefix, {level.rate.burst, now}});
    by_prefix_.emplace(prefix, networks_.begin());
  }
  networks_.front().bucket.take(level.rate, now);
}

bool Admission::is_first_contact(const IpAddress& source, Time now) const {
  const auto* const bucket = find(source, levels_of(source).back().length);
  return bucket == nullptr || now - bucket->filled >= first_contact_after;
}

// Tokens are taken only when all buckets have one: a flood from one source uses up neither the
// tokens of its neighbours nor the total, and a refused ClientHello costs no memory.
Admission::Decision Admission::admit(const IpAddress& source, Time now, bool peer) {
  if (!allows(source)) return {Drop::handshake_not_allowed};
  if (peer) {
    if (peer_.level(peer_rate, now) < 1) return {Drop::handshake_rate_limited};
    peer_.take(peer_rate, now);
    return {};
  }
  const auto levels = levels_of(source);
  for (const Level& level : levels) {
    const auto* const bucket = find(source, level.length);
    if (bucket != nullptr && bucket->level(level.rate, now) < 1) {
      return {Drop::handshake_rate_limited};
    }
  }
  const bool first_contact =
      is_first_contact(source, now) && first_contacts_.level(first_contact_rate, now) >= 1;
  if (!first_contact && total_.level(total_rate, now) < 1) return {Drop::handshake_rate_limited};
  if (first_contact) {
    first_contacts_.take(first_contact_rate, now);
  } else {
    total_.take(total_rate, now);
  }
  for (const Level& level : levels) take(source, level, now);
  return {std::nullopt, first_contact};
}

}  // namespace routevpn::dtls
