// Puts one question to each of many stream sockets at the same time, until one deadline. Answers
// that have arrived by then are read also when this process runs late.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "routevpn/base/address.hpp"

namespace routevpn::exporter {

struct Question {
  std::string path;  // of the UNIX socket
  std::string text;  // to send
  // Whether the answer has arrived completely. Null: the answer ends with the stream.
  bool (*is_complete)(std::string_view received) = nullptr;
  std::optional<SocketAddress> address = {};  // TCP, in place of the path
  std::optional<IpAddress> source = {};       // of TCP, if it is of the same family
};

// Why there is no complete answer.
enum class Refusal : std::uint8_t {
  none,
  not_running,   // no process listens: it ended, perhaps without removing its socket
  no_answer,     // until the deadline, or the process takes no connection
  cut_off,       // the stream ended within the answer
  too_long,      // the answers together take more memory than allowed
  inaccessible,  // another error, such as a missing permission
};
std::string_view name_of(Refusal refusal);

struct Answer {
  std::string text;  // complete if refusal is none
  Refusal refusal = Refusal::none;
  std::string error;  // of Refusal::inaccessible: the system's message
};

struct AskLimits {
  std::chrono::milliseconds time{100};
  std::size_t bytes_each = 512UL * 1024;  // a link's status has 3 KiB
  std::size_t bytes_all = 16UL * 1024 * 1024;
  std::size_t sockets = std::numeric_limits<std::size_t>::max();  // that are open at the same time
  int cancel = -1;  // a descriptor; when it is readable, the other answers are not waited for
};

// The answers, in the order of the questions.
std::vector<Answer> ask(std::span<const Question> questions, const AskLimits& limits);

// Calls `on_answer` for each answer when it is complete or refused.
using OnAnswer = std::function<void(std::size_t question, const Answer& answer)>;
void ask(std::span<const Question> questions, const AskLimits& limits, const OnAnswer& on_answer);

}  // namespace routevpn::exporter
