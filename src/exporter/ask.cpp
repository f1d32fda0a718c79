#include "routevpn/exporter/ask.hpp"

#include <array>
#include <cerrno>
#include <optional>
#include <system_error>

#include <poll.h>
#include <sys/socket.h>

#include "routevpn/base/clock.hpp"
#include "routevpn/base/owned.hpp"
#include "routevpn/base/unix_address.hpp"

namespace routevpn::exporter {

namespace {

struct Dialogue {
  const Question& question;
  Answer& answer;
  Fd fd = {};

  void refuse(Refusal refusal, int error = 0) {
    answer.refusal = refusal;
    if (refusal == Refusal::inaccessible) answer.error = std::generic_category().message(error);
    answer.text = {};
    fd.reset();
  }

  // ECONNREFUSED and ENOENT: the process has ended. EAGAIN: the queue of its socket is full,
  // because it has accepted nothing for some time. EPIPE and ECONNRESET: it ends at this moment.
  void refuse_error(int error) {
    if (error == ECONNREFUSED || error == ENOENT) {
      refuse(Refusal::not_running);
    } else if (error == EAGAIN) {
      refuse(Refusal::no_answer);
    } else if (error == EPIPE || error == ECONNRESET) {
      refuse(Refusal::cut_off);
    } else {
      refuse(Refusal::inaccessible, error);
    }
  }

  void begin() {
    const auto address = UnixAddress::of(question.path);
    if (!address) return refuse_error(ENAMETOOLONG);
    fd.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd || ::connect(fd.get(), address->get(), UnixAddress::size()) != 0) {
      return refuse_error(errno);
    }
    const auto sent = ::send(fd.get(), question.text.data(), question.text.size(), MSG_NOSIGNAL);
    if (sent < 0) return refuse_error(errno);
    if (static_cast<std::size_t>(sent) != question.text.size()) refuse(Refusal::no_answer);
  }

  // Returns the number of bytes that arrived.
  std::size_t read(const AskLimits& limits) {
    std::array<char, 65536> buffer;  // recv() fills it
    const auto length = ::recv(fd.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (length < 0) {
      if (errno != EAGAIN && errno != EINTR) refuse_error(errno);
      return 0;
    }
    if (length == 0) {
      if (question.is_complete != nullptr) {
        refuse(Refusal::cut_off);
      } else {
        fd.reset();
      }
      return 0;
    }
    answer.text.append(buffer.data(), static_cast<std::size_t>(length));
    if (answer.text.size() > limits.bytes_each) {
      refuse(Refusal::too_long);
    } else if (question.is_complete != nullptr && question.is_complete(answer.text)) {
      fd.reset();
    }
    return static_cast<std::size_t>(length);
  }
};

class Round {
 public:
  Round(std::span<const Question> questions, std::vector<Answer>& answers, const AskLimits& limits)
      : limits_(limits), deadline_(read_clock() + limits.time) {
    dialogues_.reserve(questions.size());
    for (std::size_t i = 0; i < questions.size(); ++i) {
      dialogues_.push_back({questions[i], answers[i]});
      dialogues_.back().begin();
    }
  }

  void run() {
    while (wait()) {
      for (std::size_t i = 0; i < waiting_.size(); ++i) {
        if (waiting_[i].revents != 0) bytes_ += waiting_dialogues_[i]->read(limits_);
      }
      if (bytes_ > limits_.bytes_all) return refuse_rest(Refusal::too_long);
    }
    refuse_rest(Refusal::no_answer);
  }

 private:
  // False: no dialogue is left, or no time.
  bool wait() {
    waiting_.clear();
    waiting_dialogues_.clear();
    for (auto& dialogue : dialogues_) {
      if (!dialogue.fd) continue;
      waiting_.push_back({dialogue.fd.get(), POLLIN, 0});
      waiting_dialogues_.push_back(&dialogue);
    }
    const auto left = deadline_ - read_clock();
    if (waiting_.empty() || left <= Duration::zero()) return false;
    const auto left_ms = std::chrono::ceil<std::chrono::milliseconds>(left).count();
    const int ready = ::poll(waiting_.data(), waiting_.size(), static_cast<int>(left_ms));
    return ready > 0 || (ready < 0 && errno == EINTR);
  }

  void refuse_rest(Refusal refusal) {
    for (auto& dialogue : dialogues_) {
      if (dialogue.fd) dialogue.refuse(refusal);
    }
  }

  const AskLimits& limits_;
  Time deadline_;
  std::vector<Dialogue> dialogues_;
  std::vector<pollfd> waiting_;
  std::vector<Dialogue*> waiting_dialogues_;  // in the order of waiting_
  std::size_t bytes_ = 0;
};

}  // namespace

std::string_view name_of(Refusal refusal) {
  constexpr std::array<std::string_view, 6> names = {"",        "not_running", "no_answer",
                                                     "cut_off", "too_long",    "inaccessible"};
  return names[static_cast<std::size_t>(refusal)];
}

std::vector<Answer> ask(std::span<const Question> questions, const AskLimits& limits) {
  std::vector<Answer> answers(questions.size());
  Round(questions, answers, limits).run();
  return answers;
}

}  // namespace routevpn::exporter
