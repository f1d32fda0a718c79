#include "answers.hpp"

#include "routevpn/base/error.hpp"
#include "routevpn/cli/status_client.hpp"

#include "not_running.hpp"

namespace routevpn::cli {

namespace {

constexpr std::chrono::milliseconds answer_timeout{2000};

}  // namespace

Answers collect(const ShowLinks& show) {
  Answers answers;
  for (const auto& link : wanted_links(show)) {
    try {
      auto stream = StatusStream::ask(show.run_dir, link, "status");
      if (stream) {
        answers.links.push_back(stream->read_object(answer_timeout));
      } else if (show.links.empty()) {
        answers.links.push_back(not_running(link));
      } else {
        answers.faults.push_back(link);
        auto& fault = answers.faults.back();
        fault.append(": not running, there is no link behind ").append(show.run_dir);
        fault.append("/").append(link).append(".sock");
      }
    } catch (const SystemError& error) {
      answers.faults.emplace_back(error.what());
    }
  }
  return answers;
}

}  // namespace routevpn::cli
