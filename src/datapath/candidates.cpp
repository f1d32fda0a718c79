#include "routevpn/datapath/candidates.hpp"

#include <algorithm>

#include <sys/random.h>

namespace routevpn::datapath {

// The index of this address among the candidates; count_: it is none of them.
std::size_t Candidates::index_of(const SocketAddress& address) const {
  const auto known = all_.begin() + static_cast<std::ptrdiff_t>(count_);
  const auto found = std::find_if(all_.begin(), known, [&address](const Candidate& each) {
    return each.endpoint.remote == address;
  });
  return static_cast<std::size_t>(found - all_.begin());
}

Candidate& Candidates::heard(const outside::Endpoint& from, std::size_t bytes, Time now) {
  std::size_t index = index_of(from.remote);
  if (index == count_) {
    if (count_ < all_.size()) {
      ++count_;
    } else {
      --index;  // displaces the one heard longest ago
    }
    all_[index] = {};
    all_[index].since = now;
  }
  Candidate& candidate = all_[index];
  candidate.endpoint = from;
  candidate.credit += amplification * bytes;
  const auto found = all_.begin() + static_cast<std::ptrdiff_t>(index);
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
  if (!expects(from, now)) return false;
  const ControlMessage& challenge = all_[index_of(from)].challenge;
  return challenge.sequence == reply.sequence && challenge.stamp == reply.stamp;
}

bool Candidates::expects(const SocketAddress& address, Time now) const {
  const std::size_t index = index_of(address);
  return index != count_ && all_[index].challenged != Time{} &&
         now - all_[index].challenged < reply_time;
}

void Candidates::set_aside(const SocketAddress& address) {
  if (index_of(address) == 0) latest_is_current_ = false;
}

void Candidates::clear() {
  count_ = 0;
  latest_is_current_ = false;
}

}  // namespace routevpn::datapath
