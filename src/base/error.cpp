#include "routevpn/base/error.hpp"

#include <system_error>

namespace routevpn {

SystemError system_error(std::string_view what, int error_number) {
  return SystemError(std::string(what) + ": " + std::generic_category().message(error_number));
}

}  // namespace routevpn
