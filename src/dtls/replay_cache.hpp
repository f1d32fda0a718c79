// Recognises envelopes that arrive again. Only authentic envelopes enter the cache, so a sender
// without the PSK cannot fill it. Pure: time is an argument.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace routevpn::dtls {

class ReplayCache {
 public:
  // An initiator that finds no acceptor sends 5 datagrams in 2 s, so 1500 in the 600 s for which an
  // envelope can be fresh. 16 bytes each: 32 KiB.
  static constexpr std::size_t capacity = 2048;

  // Whether the envelope is new. `identifier`: the random part of its nonce. `stamp`: its time in
  // seconds. After this many envelopes the cache forgets the oldest; no envelope with the stamp of
  // a forgotten one, or an older stamp, is new. So a full cache refuses more, never less.
  bool add(std::uint64_t identifier, std::int64_t stamp) {
    if (stamp <= forgotten_ ||
        std::find(identifiers_.begin(), identifiers_.end(), identifier) != identifiers_.end()) {
      return false;
    }
    if (identifiers_.size() < capacity) {
      identifiers_.push_back(identifier);
      stamps_.push_back(stamp);
      return true;
    }
    forgotten_ = std::max(forgotten_, stamps_[next_]);
    identifiers_[next_] = identifier;
    stamps_[next_] = stamp;
    next_ = (next_ + 1) % capacity;
    return true;
  }

 private:
  std::vector<std::uint64_t> identifiers_;
  std::vector<std::int64_t> stamps_;
  std::size_t next_ = 0;
  std::int64_t forgotten_ = INT64_MIN;
};

}  // namespace routevpn::dtls
