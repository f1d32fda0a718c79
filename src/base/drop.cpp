#include "routevpn/base/drop.hpp"

namespace routevpn {

std::string_view name_of(Drop reason) {
  static constexpr std::array<std::string_view, drop_count> names = {
#define DROP(name) #name,
#include "routevpn/base/drop_reasons.def"
#undef DROP
  };
  return names[static_cast<std::size_t>(reason)];
}

}  // namespace routevpn
