// The progress of a long command: a bar on a terminal, elsewhere a line every few seconds. A
// command that ends within a second shows nothing.
#pragma once

#include <chrono>
#include <string>

#include "routevpn/base/clock.hpp"
#include "routevpn/cli/console.hpp"

namespace routevpn::cli {

class ProgressBar {
 public:
  static constexpr std::chrono::seconds delay{1};
  static constexpr std::chrono::seconds between_lines{5};

  // "NAME: 1200 of 5000 THINGS" on console.err.
  ProgressBar(const Console& console, std::string name, std::string things, Time begin)
      : console_(console),
        name_(std::move(name)),
        things_(std::move(things)),
        next_(begin + delay) {}
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  ~ProgressBar();  // removes the bar

  void show(std::size_t done, std::size_t all, Time now);

 private:
  const Console& console_;
  std::string name_;
  std::string things_;
  Time next_;
  bool is_shown_ = false;
};

}  // namespace routevpn::cli
