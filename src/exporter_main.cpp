// routevpn-exporter: composes the room exporter and runs it.

#include <iostream>

#include "routevpn/base/error.hpp"
#include "routevpn/base/log.hpp"
#include "routevpn/base/text.hpp"
#include "routevpn/exporter/command_line.hpp"
#include "routevpn/exporter/run.hpp"

using namespace routevpn;

namespace {

void report(const std::string& fault) {
  std::cerr << "routevpn-exporter: " << printable(fault) << "\n";
}

int run(const exporter::CommandLine& line) {
  for (const auto& fault : line.faults) report(fault);
  if (!line.faults.empty()) return static_cast<int>(Exit::usage);
  if (!line.print.empty()) {
    std::cout << line.print;
  } else if (!line.options.once) {
    exporter::serve(line.options);
  } else if (!exporter::print_once(line.options, std::cout)) {
    report("a named link is not running");
    return static_cast<int>(Exit::failed);
  }
  return static_cast<int>(Exit::stopped);
}

}  // namespace

int main(int argc, char** argv) {
  Log::configure(LogLevel::info, LogFormat::text, "");
  try {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    return run(exporter::parse_command_line(arguments));
  } catch (const UsageErrors& errors) {
    for (const auto& line : errors.lines) report(line);
    return static_cast<int>(errors.status);
  } catch (const UsageError& error) {
    report(error.what());
    return static_cast<int>(error.status);
  } catch (const std::exception& error) {
    report(error.what());
    return static_cast<int>(Exit::failed);
  }
}
