#include "routevpn/base/error.hpp"
#include "routevpn/cli/run.hpp"

namespace routevpn::cli {

int run_help(const Help& help, const Console& console) {
  console.out << help.text;
  return static_cast<int>(Exit::stopped);
}

int run_version(const Console& console) {
  console.out << "routevpn " ROUTEVPN_VERSION "\n";
  return static_cast<int>(Exit::stopped);
}

}  // namespace routevpn::cli
