// What the options set for a lane. A reload replaces `sources`.
#pragma once

#include "routevpn/datapath/outer_class.hpp"
#include "routevpn/datapath/prefix_set.hpp"

namespace routevpn::datapath {

struct LanePolicy {
  OuterClass outer_class = OuterClass();
  PrefixSet peers{};    // --allow: the peer's endpoint moves only within it; empty: anywhere
  PrefixSet sources{};  // --accept: of inner packets from the peer; empty: every source
};

}  // namespace routevpn::datapath
