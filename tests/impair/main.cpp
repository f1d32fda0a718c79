#include <iostream>

#include "routevpn/base/error.hpp"

#include "impair/proxy.hpp"

using namespace routevpn;
using namespace routevpn::test;

namespace {

int run(const std::vector<std::string>& arguments) {
  if (arguments == std::vector<std::string>{"--help"}) {
    std::cout << impair_help();
    return 0;
  }
  if (arguments.size() >= 2 && arguments[0] == "tell") {
    std::cout << tell(arguments[1], {arguments.begin() + 2, arguments.end()});
    return 0;
  }
  Proxy(parse_impair_options(arguments)).run();
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run({argv + 1, argv + argc});
  } catch (const UsageError& error) {
    std::cerr << "impair: " << error.what() << '\n';
    return static_cast<int>(Exit::usage);
  } catch (const std::exception& error) {
    std::cerr << "impair: " << error.what() << '\n';
    return static_cast<int>(Exit::failed);
  }
}
