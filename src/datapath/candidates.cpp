#include "routevpn/datapath/candidates.hpp"

#include <algorithm>

#include <sys/random.h>

namespace routevpn::datapath {

Candidate& Candidates::heard(const outside::Endpoint& from, std::size_t bytes, Time now) {
  const auto known = all_.begin() + static_cast<std::ptrdiff_t>(count_);
  auto found = std::find_if(all_.begin(), known, [&from](const Candidate& each) {
    return each.endpoint.remote == from.remote;
  });
  if (found == known) {
    if (count_ < all_.size()) {
      ++count_;
    } else {
      --found;  // displaces the one heard longest ago
    }
    *found = {};
    found->since = now;
  }
  found->endpoint = from;
  found->credit += amplification * bytes;
  std::rotate(all_.begin(), found, found + 1);
  latest_is_current_ = true;
  return all_.front();
}

const ControlMessage* Candidates::challenge(Candidate& candidate, Time now) {
  const bool asked = candidate.challenged != Time{};
  if (asked && now - candidate.challenged < retry) return nullptr;
  if (!asked || now - candidate.challenged >= reply_time) {
    struct {
      std::uint64_t stamp;
      std::uint32_t sequence;
    } random{};
    if (getrandom(&random, sizeof random, GRND_NONBLOCK) != sizeof random) return nullptr;
    candidate.challenge = {ControlMessage::Kind::echo_request, random.sequence | path_probe,
                           random.stamp};
  }
  candidate.challenged = now;
  return &candidate.challenge;
}

bool Candidates::proven_by(const ControlMessage& reply, const SocketAddress& from, Time now) const {
  const auto known = all_.begin() + static_cast<std::ptrdiff_t>(count_);
  return std::any_of(all_.begin(), known, [&](const Candidate& each) {
    return each.endpoint.remote == from && each.challenged != Time{} &&
           now - each.challenged < reply_time && each.challenge.sequence == reply.sequence &&
           each.challenge.stamp == reply.stamp;
  });
}

bool Candidates::expects(const SocketAddress& address, Time now) const {
  const auto known = all_.begin() + static_cast<std::ptrdiff_t>(count_);
  return std::any_of(all_.begin(), known, [&](const Candidate& each) {
    return each.endpoint.remote == address && each.challenged != Time{} &&
           now - each.challenged < reply_time;
  });
}

void Candidates::forget(const SocketAddress& address) {
  const auto known = all_.begin() + static_cast<std::ptrdiff_t>(count_);
  const auto found = std::find_if(all_.begin(), known, [&address](const Candidate& each) {
    return each.endpoint.remote == address;
  });
  if (found == known) return;
  if (found == all_.begin()) latest_is_current_ = false;
  std::rotate(found, found + 1, known);
  --count_;
}

void Candidates::clear() {
  count_ = 0;
  latest_is_current_ = false;
}

}  // namespace routevpn::datapath
