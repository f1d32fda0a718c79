// The roll-over of all pre-shared keys (PSKs), in three steps that `plan --new-psks` makes one by
// one. Both ends of a link take a step before the next, in any order, so that each end always
// accepts the key that the other uses:
//
//   step 0   FILE             between two roll-overs
//   step 1   FILE  NEW-FILE   a link uses the first key, and accepts both
//   step 2   NEW-FILE  FILE
//   step 3   NEW-FILE         step 0 of the next roll-over
//
// No file changes its content, so a link never loads a key before its configuration names it. The
// two names of a link alternate: IFNAME.psk, and IFNAME.odd-generation.psk, which is longer than
// any interface name.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace routevpn::plan {

class PskRoll {
 public:
  static constexpr std::uint32_t steps = 3;

  // `steps_made`: in all roll-overs.
  explicit PskRoll(std::uint32_t steps_made)
      : step_(steps_made % steps), is_odd_(steps_made / steps % 2 != 0) {}

  [[nodiscard]] std::uint32_t step() const { return step_; }
  // The files of a link to this interface name. The link uses the first, and accepts all.
  [[nodiscard]] std::vector<std::string> files(const std::string& ifname) const {
    if (step_ == 0) return {old_file(ifname)};
    if (step_ == 1) return {old_file(ifname), new_file(ifname)};
    return {new_file(ifname), old_file(ifname)};
  }
  [[nodiscard]] std::string old_file(const std::string& ifname) const {
    return name(ifname, is_odd_);
  }
  [[nodiscard]] std::string new_file(const std::string& ifname) const {
    return name(ifname, !is_odd_);
  }

 private:
  static std::string name(const std::string& ifname, bool is_odd) {
    return ifname + (is_odd ? ".odd-generation.psk" : ".psk");
  }

  std::uint32_t step_;
  bool is_odd_;
};

}  // namespace routevpn::plan
