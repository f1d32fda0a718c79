#include "routevpn/bird/reply.hpp"

#include <algorithm>

namespace routevpn::bird {

namespace {

constexpr std::size_t code_digits = 4;

bool has_code(std::string_view line) {
  return line.size() > code_digits && std::all_of(line.begin(), line.begin() + code_digits,
                                                  [](char c) { return c >= '0' && c <= '9'; });
}

bool is_error(std::string_view code) {
  return code >= "8000";
}

}  // namespace

std::string request(std::string_view command) {
  return "restrict\n" + std::string(command) + "\n";
}

bool is_complete(std::string_view received) {
  if (!received.ends_with('\n')) return false;
  received.remove_suffix(1);
  const auto line = received.substr(received.rfind('\n') + 1);  // npos + 1 is 0
  if (!has_code(line) || line[code_digits] != ' ') return false;
  return line.starts_with("0000") || is_error(line.substr(0, code_digits));
}

Reply read_reply(std::string_view received) {
  Reply reply;
  std::string_view code;
  while (!received.empty()) {
    const auto end = std::min(received.find('\n'), received.size());
    auto line = received.substr(0, end);
    received.remove_prefix(std::min(end + 1, received.size()));
    if (has_code(line)) {
      code = line.substr(0, code_digits);
      line.remove_prefix(code_digits);
    }
    if (!line.empty()) line.remove_prefix(1);  // '-' or ' '
    if (code >= "1000" && code < "3000") reply.text.append(line).append("\n");
    if (is_error(code)) reply.error = line;
  }
  return reply;
}

}  // namespace routevpn::bird
