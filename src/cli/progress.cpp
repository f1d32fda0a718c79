#include "progress.hpp"

#include <algorithm>

namespace routevpn::cli {

namespace {

constexpr std::size_t width = 30;
constexpr auto clear_line = "\r\x1b[K";

}  // namespace

ProgressBar::~ProgressBar() {
  if (is_shown_) console_.err << clear_line << std::flush;
}

void ProgressBar::show(std::size_t done, std::size_t all, Time now) {
  if (now < next_) return;
  std::string text = name_ + ": ";
  if (console_.err_terminal) {
    const auto part = std::min(width, all == 0 ? width : width * done / all);
    text.append("[").append(part, '#').append(width - part, ' ').append("] ");
  }
  text.append(std::to_string(done)).append(" of ").append(std::to_string(all)).append(" ");
  text.append(things_);
  if (console_.err_terminal) {
    console_.err << clear_line << text << std::flush;
    is_shown_ = true;
  } else {
    console_.err << text << std::endl;
    next_ = now + between_lines;
  }
}

}  // namespace routevpn::cli
