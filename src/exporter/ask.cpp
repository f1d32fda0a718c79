#include "routevpn/exporter/ask.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <system_error>

#include <netinet/in.h>
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
  bool has_begun = false;
  bool is_sent = false;
  bool is_reported = false;

  void refuse(Refusal refusal, int error = 0) {
    answer.refusal = refusal;
    if (refusal == Refusal::inaccessible) answer.error = std::generic_category().message(error);
    answer.text = {};
    fd.reset();
  }

  // ECONNREFUSED and, of a UNIX socket, ENOENT: the process has ended. EAGAIN: the queue of the
  // UNIX socket is full, because the process has accepted nothing for some time. EPIPE and
  // ECONNRESET: it ends at this moment.
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
    has_begun = true;
    const int error = question.address ? connect_tcp() : connect_unix();
    if (error == EINPROGRESS) return;  // proceed() sends when the connection is there
    if (error != 0) return refuse_error(error);
    send();
  }

  [[nodiscard]] short events() const { return is_sent ? POLLIN : POLLOUT; }

  // One of the events is there. Returns the number of bytes that arrived.
  std::size_t proceed(const AskLimits& limits) {
    if (is_sent) return read(limits);
    int error = 0;
    socklen_t length = sizeof error;
    if (::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &length) != 0) error = errno;
    if (error != 0) {
      refuse_error(error);
    } else {
      send();
    }
    return 0;
  }

 private:
  int connect_unix() {
    const auto address = UnixAddress::of(question.path);
    if (!address) return ENAMETOOLONG;
    fd.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const bool ok = fd && ::connect(fd.get(), address->get(), UnixAddress::size()) == 0;
    return ok ? 0 : errno;
  }

  int connect_tcp() {
    const bool is_v4 = question.address->address.is_v4();
    const int family = is_v4 ? AF_INET : AF_INET6;
    sockaddr_storage storage{};
    const auto* const address = reinterpret_cast<const sockaddr*>(&storage);
    fd.reset(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) return errno;
    if (question.source && question.source->is_v4() == is_v4) {
      // The port is chosen by connect(), so that connections to different peers can share it.
      const int on = 1;
      ::setsockopt(fd.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
      const auto length = SocketAddress{*question.source, 0}.to_kernel(storage, family);
      if (::bind(fd.get(), address, length) != 0) return errno;
    }
    const auto length = question.address->to_kernel(storage, family);
    return ::connect(fd.get(), address, length) == 0 ? 0 : errno;
  }

  void send() {
    const auto sent = ::send(fd.get(), question.text.data(), question.text.size(), MSG_NOSIGNAL);
    if (sent < 0) return refuse_error(errno);
    if (static_cast<std::size_t>(sent) != question.text.size()) return refuse(Refusal::no_answer);
    is_sent = true;
  }

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
  Round(std::span<const Question> questions, std::vector<Answer>& answers, const AskLimits& limits,
        const OnAnswer& on_answer)
      : limits_(limits), on_answer_(on_answer), deadline_(read_clock() + limits.time) {
    dialogues_.reserve(questions.size());
    for (std::size_t i = 0; i < questions.size(); ++i) {
      dialogues_.push_back({questions[i], answers[i]});
    }
  }

  void run() {
    begin_some();
    while (wait()) {
      for (std::size_t i = 0; i < waiting_dialogues_.size(); ++i) {
        if (waiting_[i].revents != 0) bytes_ += waiting_dialogues_[i]->proceed(limits_);
      }
      if (bytes_ > limits_.bytes_all) return refuse_rest(Refusal::too_long);
      begin_some();
    }
    refuse_rest(Refusal::no_answer);
  }

 private:
  // As many as may be open. Reports those that have ended.
  void begin_some() {
    auto open = std::ranges::count_if(dialogues_, [](const Dialogue& one) { return bool{one.fd}; });
    for (auto& dialogue : dialogues_) {
      if (static_cast<std::size_t>(open) >= limits_.sockets || late_reads_ != 0) break;
      if (dialogue.has_begun) continue;
      dialogue.begin();
      if (dialogue.fd) ++open;
    }
    report_ended();
  }

  // False: no dialogue is left, or no time, or the round is cancelled. After the deadline, what has
  // arrived is still read, because a busy machine may have delayed this process.
  bool wait() {
    waiting_.clear();
    waiting_dialogues_.clear();
    for (auto& dialogue : dialogues_) {
      if (!dialogue.fd) continue;
      waiting_.push_back({dialogue.fd.get(), dialogue.events(), 0});
      waiting_dialogues_.push_back(&dialogue);
    }
    const auto left = std::max(deadline_ - read_clock(), Duration::zero());
    if (waiting_.empty()) return false;
    if (left == Duration::zero() && late_reads_++ == most_late_reads) return false;
    waiting_.push_back({limits_.cancel, POLLIN, 0});  // poll() leaves out a negative one
    const auto left_ms = std::chrono::ceil<std::chrono::milliseconds>(left).count();
    const int ready = ::poll(waiting_.data(), waiting_.size(), static_cast<int>(left_ms));
    if (ready < 0) return errno == EINTR;
    return ready > 0 && waiting_.back().revents == 0;
  }

  void refuse_rest(Refusal refusal) {
    for (auto& dialogue : dialogues_) {
      if (dialogue.fd || !dialogue.has_begun) dialogue.refuse(refusal);
      dialogue.has_begun = true;
    }
    report_ended();
  }

  // Of the dialogues that have ended since the last call.
  void report_ended() {
    if (!on_answer_) return;
    for (std::size_t i = 0; i < dialogues_.size(); ++i) {
      auto& dialogue = dialogues_[i];
      if (dialogue.fd || !dialogue.has_begun || dialogue.is_reported) continue;
      dialogue.is_reported = true;
      on_answer_(i, dialogue.answer);
      dialogue.answer = {};  // the texts of all together are the largest part of the memory
    }
  }

  // A process that never ends its answer always has something to read. A connection, an answer of
  // 512 KiB and its end take 10.
  static constexpr int most_late_reads = 10;

  const AskLimits& limits_;
  OnAnswer on_answer_;
  Time deadline_;
  std::vector<Dialogue> dialogues_;
  std::vector<pollfd> waiting_;               // of waiting_dialogues_, and limits_.cancel
  std::vector<Dialogue*> waiting_dialogues_;  // those with an open socket
  std::size_t bytes_ = 0;
  int late_reads_ = 0;  // after the deadline
};

}  // namespace

std::string_view name_of(Refusal refusal) {
  constexpr std::array<std::string_view, 6> names = {"",        "not_running", "no_answer",
                                                     "cut_off", "too_long",    "inaccessible"};
  return names[static_cast<std::size_t>(refusal)];
}

std::vector<Answer> ask(std::span<const Question> questions, const AskLimits& limits) {
  std::vector<Answer> answers(questions.size());
  Round(questions, answers, limits, {}).run();
  return answers;
}

void ask(std::span<const Question> questions, const AskLimits& limits, const OnAnswer& on_answer) {
  std::vector<Answer> answers(questions.size());
  Round(questions, answers, limits, on_answer).run();
}

}  // namespace routevpn::exporter
