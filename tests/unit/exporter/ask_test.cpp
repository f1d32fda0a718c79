#include "routevpn/exporter/ask.hpp"

#include <array>
#include <filesystem>
#include <thread>
#include <utility>

#include <sys/eventfd.h>
#include <sys/socket.h>

#include "routevpn/base/clock.hpp"

#include "catch.hpp"
#include "fake_exporter.hpp"
#include "fake_socket.hpp"
#include "unit/options/parsing.hpp"

using namespace routevpn;
using namespace routevpn::exporter;
using options::ScratchDirectory;
using test::FakeSocket;
using namespace std::chrono_literals;

namespace {

constexpr AskLimits patient{10'000ms};

Answer ask_one(const std::string& path, const AskLimits& limits = patient) {
  const Question question{path, "status\n"};
  return ask({&question, 1}, limits).at(0);
}

}  // namespace

TEST_CASE("an answer ends with the stream, or when it is complete") {
  const ScratchDirectory scratch;
  const FakeSocket link(scratch.path() + "/a.sock", "{\"link\": \"a\"}");
  const FakeSocket bird(scratch.path() + "/bird.ctl", "0000 done\n", FakeSocket::Then::stay);
  const std::vector<Question> questions = {
      {scratch.path() + "/a.sock", "status\n"},
      {scratch.path() + "/bird.ctl", "x\n",
       [](std::string_view received) { return received.ends_with("done\n"); }}};
  const auto answers = ask(questions, patient);
  CHECK(answers[0].text == "{\"link\": \"a\"}");
  CHECK(answers[0].refusal == Refusal::none);
  CHECK(answers[1].text == "0000 done\n");
  CHECK(answers[1].refusal == Refusal::none);
}

TEST_CASE("an answer comes over TCP, too") {
  const test::FakeExporter sound("HTTP/1.0 200 OK\r\n\r\n{}");
  auto ended = test::tcp_listener();
  ended.fd.reset();
  std::vector<Question> questions = {{{}, "GET / HTTP/1.0\r\n\r\n"},
                                     {{}, "GET / HTTP/1.0\r\n\r\n"}};
  questions[0].address = sound.address();
  questions[1].address = ended.address;
  const auto answers = ask(questions, patient);
  CHECK(answers[0].text == "HTTP/1.0 200 OK\r\n\r\n{}");
  CHECK(answers[1].refusal == Refusal::not_running);
}

TEST_CASE("a socket without a process behind it is not running") {
  const ScratchDirectory scratch;
  test::listening_socket(scratch.path() + "/stale.sock").reset();
  CHECK(ask_one(scratch.path() + "/stale.sock").refusal == Refusal::not_running);
  CHECK(ask_one(scratch.path() + "/none.sock").refusal == Refusal::not_running);
}

TEST_CASE("a process that does not answer delays nothing beyond the deadline") {
  const ScratchDirectory scratch;
  const auto silent = test::listening_socket(scratch.path() + "/silent.sock");
  // It answers in part and does not close.
  const FakeSocket partial(scratch.path() + "/partial.sock", "{\"link\":", FakeSocket::Then::stay);
  const FakeSocket sound(scratch.path() + "/sound.sock", "{}");
  const std::vector<Question> questions = {{scratch.path() + "/silent.sock", "status\n"},
                                           {scratch.path() + "/partial.sock", "status\n"},
                                           {scratch.path() + "/sound.sock", "status\n"}};
  const auto answers = ask(questions, {500ms});
  CHECK(answers[0].refusal == Refusal::no_answer);
  CHECK(answers[1].refusal == Refusal::no_answer);
  CHECK(answers[1].text.empty());
  CHECK(answers[2].refusal == Refusal::none);
  CHECK(answers[2].text == "{}");
}

TEST_CASE("an answer is given when it is there, not when the last one is") {
  const auto silent = test::tcp_listener();
  const test::FakeExporter sound("x");
  std::vector<Question> questions(2);
  questions[0].address = silent.address;
  questions[1].address = sound.address();
  for (auto& question : questions) question.text = "GET / HTTP/1.0\r\n\r\n";
  std::vector<std::pair<std::size_t, std::string>> given;
  ask(questions, {2000ms}, [&](std::size_t question, const Answer& answer) {
    given.emplace_back(question, answer.text);
  });
  CHECK(given == std::vector<std::pair<std::size_t, std::string>>{{1, "x"}, {0, ""}});
}

TEST_CASE("an answer that has arrived is read after the deadline") {
  const ScratchDirectory scratch;
  const FakeSocket quick(scratch.path() + "/quick.sock", "{}");
  const auto late = test::listening_socket(scratch.path() + "/late.sock");
  const std::vector<Question> questions = {{scratch.path() + "/quick.sock", "status\n"},
                                           {scratch.path() + "/late.sock", "status\n"}};
  const AskLimits limits{1000ms};
  std::vector<std::string> given;
  ask(questions, limits, [&](std::size_t question, const Answer& answer) {
    given.push_back(answer.text);
    if (question != 0) return;
    const Fd connection(::accept4(late.get(), nullptr, nullptr, SOCK_CLOEXEC));
    std::array<char, 64> request;  // recv() fills it
    CHECK(::recv(connection.get(), request.data(), request.size(), 0) > 0);
    CHECK(::send(connection.get(), "x", 1, MSG_NOSIGNAL) == 1);
    // This process does nothing else until the deadline has passed.
    const auto until = read_clock() + limits.time;
    while (read_clock() < until) std::this_thread::yield();
  });
  CHECK(given == std::vector<std::string>{"{}", "x"});
}

TEST_CASE("a process that always has more to read is given up after the deadline") {
  static Fd connection;
  const auto send_more = [](std::string_view) {
    CHECK(::send(connection.get(), "x", 1, MSG_NOSIGNAL) == 1);
    return false;
  };
  const ScratchDirectory scratch;
  const FakeSocket quick(scratch.path() + "/quick.sock", "{}");
  const auto endless = test::listening_socket(scratch.path() + "/endless.sock");
  const std::vector<Question> questions = {
      {scratch.path() + "/quick.sock", "status\n"},
      {scratch.path() + "/endless.sock", "status\n", send_more}};
  std::vector<Refusal> refusals;
  ask(questions, {200ms}, [&](std::size_t question, const Answer& answer) {
    refusals.push_back(answer.refusal);
    if (question != 0) return;
    connection.reset(::accept4(endless.get(), nullptr, nullptr, SOCK_CLOEXEC));
    send_more({});
  });
  connection.reset();
  CHECK(refusals == std::vector<Refusal>{Refusal::none, Refusal::no_answer});
}

TEST_CASE("no more sockets than allowed are open at the same time, and all are asked") {
  const test::FakeExporter sound("x");
  std::vector<Question> questions(10, {{}, "GET / HTTP/1.0\r\n\r\n"});
  for (auto& question : questions) question.address = sound.address();
  auto limits = patient;
  limits.sockets = 3;
  const auto open_files = [] {
    const std::filesystem::directory_iterator files("/proc/self/fd");
    return std::distance(begin(files), end(files));
  };
  const auto before = open_files();
  int answered = 0;
  ask(questions, limits, [&](std::size_t, const Answer& answer) {
    CHECK(answer.text == "x");
    CHECK(open_files() - before <= 4);  // one is that of the fake exporter
    ++answered;
  });
  CHECK(answered == 10);
}

TEST_CASE("a round that is cancelled ends at once") {
  const auto silent = test::tcp_listener();
  std::vector<Question> questions(2, {{}, "GET / HTTP/1.0\r\n\r\n"});
  for (auto& question : questions) question.address = silent.address;
  const Fd cancel(::eventfd(1, EFD_CLOEXEC));
  auto limits = patient;
  limits.cancel = cancel.get();
  const auto begin = read_clock();
  for (const auto& answer : ask(questions, limits)) CHECK(answer.refusal == Refusal::no_answer);
  CHECK(read_clock() - begin < patient.time / 2);
}

TEST_CASE("a process that accepts nothing any longer gives no answer") {
  const ScratchDirectory scratch;
  const auto path = scratch.path() + "/hung.sock";
  const auto hung = test::listening_socket(path);
  // Connections that are not accepted stay in the queue of the listener while they are open.
  std::vector<Fd> queued;
  const auto address = UnixAddress::of(path).value();
  for (;;) {
    Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (::connect(fd.get(), address.get(), UnixAddress::size()) != 0) break;
    queued.push_back(std::move(fd));
  }
  CHECK(ask_one(path).refusal == Refusal::no_answer);
}

TEST_CASE("an answer that does not end is refused") {
  const ScratchDirectory scratch;
  const FakeSocket endless(scratch.path() + "/a.sock", std::string(100'000, 'x'),
                           FakeSocket::Then::stay);
  AskLimits limits = patient;
  limits.bytes_each = 50'000;
  CHECK(ask_one(scratch.path() + "/a.sock", limits).refusal == Refusal::too_long);
  limits.bytes_each = 1'000'000;
  limits.bytes_all = 50'000;
  CHECK(ask_one(scratch.path() + "/a.sock", limits).refusal == Refusal::too_long);
}

TEST_CASE("a stream that ends within a reply is cut off") {
  const ScratchDirectory scratch;
  const FakeSocket bird(scratch.path() + "/bird.ctl", "1002-x\n");
  const Question question{scratch.path() + "/bird.ctl", "x\n",
                          [](std::string_view) { return false; }};
  CHECK(ask({&question, 1}, patient).at(0).refusal == Refusal::cut_off);
}

TEST_CASE("another error has the system's message") {
  const auto answer = ask_one("/" + std::string(200, 'x'));
  CHECK(answer.refusal == Refusal::inaccessible);
  CHECK(answer.error == "File name too long");
}
