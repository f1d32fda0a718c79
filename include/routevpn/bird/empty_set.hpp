// BIRD 2.0.12 has no empty prefix sets, so the planner's empty set contains one prefix that no
// route has.
#pragma once

#include <string_view>

namespace routevpn::bird {

inline constexpr std::string_view empty_set4 = "0.0.0.0/32";
inline constexpr std::string_view empty_set6 = "::/128";

}  // namespace routevpn::bird
