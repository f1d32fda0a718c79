#include "routevpn/exporter/http_server.hpp"

#include <sstream>

#include <poll.h>
#include <unistd.h>

#include "routevpn/exporter/listeners.hpp"

#include "catch.hpp"

using namespace routevpn;
using namespace routevpn::exporter;

namespace {

constexpr std::chrono::seconds deadline{30};

EventStreams::Event event(const std::string& text) {
  return std::make_shared<const std::string>("data: " + text + "\n\n");
}

// A server on a free port of the loopback address, driven by the thread of the test.
class Site {
 public:
  explicit Site(std::vector<std::string> hosts = {})
      : server_(&Site::handle, std::move(hosts)),
        listener_(listen_on({IpAddress::v4({127, 0, 0, 1}), 0})) {}

  Fd connect() {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &length);
    Fd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    REQUIRE(::connect(client.get(), reinterpret_cast<sockaddr*>(&address), length) == 0);
    Fd accepted(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    while (!accepted) {
      accepted.reset(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    }
    server_.add(std::move(accepted));
    return client;
  }
  static void send(const Fd& client, std::string_view text) {
    [[maybe_unused]] const auto n = ::send(client.get(), text.data(), text.size(), MSG_NOSIGNAL);
  }
  // What the server sends until it closes the connection.
  std::string read_all(const Fd& client) { return read_until(client, {}); }
  // Until the text ends so, or the connection is closed.
  std::string read_until(const Fd& client, std::string_view last) {
    std::string text;
    const auto end = read_clock() + deadline;
    while (read_clock() < end) {
      if (!last.empty() && text.ends_with(last)) return text;
      pollfd waiting[] = {{client.get(), POLLIN, 0}, {server_.fd(), POLLIN, 0}};
      ::poll(waiting, 2, 10);
      server_.run();
      char buffer[65536];
      const auto n = ::recv(client.get(), buffer, sizeof buffer, MSG_DONTWAIT);
      if (n == 0 || (n < 0 && errno == ECONNRESET)) return text;
      if (n > 0) text.append(buffer, static_cast<std::size_t>(n));
    }
    return text + "\nnot closed";
  }
  std::string ask(const std::string& request) {
    const auto client = connect();
    send(client, request);
    return read_all(client);
  }
  std::string get(const std::string& path, const std::string& fields = "Host: 127.0.0.1:9586\r\n") {
    return ask("GET " + path + " HTTP/1.1\r\n" + fields + "Connection: close\r\n\r\n");
  }
  HttpServer& server() { return server_; }

 private:
  static HttpAnswer handle(const HttpRequest& request) {
    const auto& path = request.path;
    if (path == "/fails") throw std::runtime_error("no directory");
    if (path == "/large") {
      return {200, "text/plain", std::make_shared<const std::string>(2'000'000, 'x')};
    }
    if (path == "/events") return {200, "text/event-stream", event("first"), true};
    std::string text = "you asked for " + path + "\n";
    for (const auto& [name, value] : request.arguments) {
      text.append(name).append("=").append(value).append("\n");
    }
    return text_answer(200, text);
  }

  HttpServer server_;
  Fd listener_;
};

// In the coding of HTTP/1.1 that an answer without end has.
std::string chunk(const std::string& text) {
  std::ostringstream out;
  out << std::hex << std::uppercase << text.size() << "\r\n" << text << "\r\n";
  return out.str();
}

constexpr auto events_request = "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n";

bool has_status(const std::string& answer, const std::string& status) {
  return answer.starts_with("HTTP/1.1 " + status + " ") ||
         answer.starts_with("HTTP/1.0 " + status + " ");
}

}  // namespace

TEST_CASE("a request gets the answer of its path, and fields that keep other sites out") {
  Site site;
  const auto answer = site.get("/metrics");
  CHECK(has_status(answer, "200"));
  CHECK(answer.ends_with("\r\n\r\nyou asked for /metrics\n"));
  for (const char* const field :
       {"\r\nContent-Security-Policy: default-src 'none';", "frame-ancestors 'none'",
        "\r\nX-Content-Type-Options: nosniff\r\n", "\r\nCross-Origin-Resource-Policy: same-origin",
        "\r\nCache-Control: no-store\r\n"}) {
    CHECK_THAT(answer, ContainsSubstring(field));
  }
  CHECK_THAT(answer, !ContainsSubstring("Access-Control"));
}

TEST_CASE("the arguments of a query are decoded") {
  Site site;
  CHECK(site.get("/routes?prefix=2001%3adb8%3A%3A%2f48&x")
            .ends_with("\r\n\r\nyou asked for /routes\nprefix=2001:db8::/48\nx=\n"));
}

TEST_CASE("a large answer arrives whole") {
  Site site;
  CHECK(site.get("/large").ends_with(std::string(2'000'000, 'x')));
}

TEST_CASE("only GET and HEAD are answered") {
  Site site;
  const auto fields = std::string(" / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
  const std::string method = GENERATE("POST", "PUT", "DELETE", "OPTIONS", "TRACE", "NONSENSE");
  const auto refused = site.ask(method + fields + "Content-Length: 0\r\n\r\n");
  CAPTURE(method);
  CHECK(has_status(refused, "405"));
  CHECK_THAT(refused, ContainsSubstring("\r\nAllow: GET, HEAD\r\n"));
  const auto head = site.ask("HEAD" + fields + "\r\n");
  CHECK(has_status(head, "200"));
  CHECK(head.ends_with("\r\n\r\n"));
}

TEST_CASE("the field Host names this server") {
  Site site({"gw.example.net"});
  for (const std::string host :
       {"localhost", "LOCALHOST:9586", "127.0.0.1", "192.0.2.1:80", "[::1]:9586", "[2001:db8::1]",
        "gw.example.net", "GW.example.net:9586"}) {
    CAPTURE(host);
    CHECK(has_status(site.get("/", "Host: " + host + "\r\n"), "200"));
  }
  for (const std::string host : {"evil.example", "localhost.evil.example", "gw.example.net.",
                                 "[::1", "127.0.0.1.evil.example", "", "example.net"}) {
    CAPTURE(host);
    CHECK(has_status(site.get("/", "Host: " + host + "\r\n"), "421"));
  }
  CHECK(has_status(site.ask("GET / HTTP/1.0\r\n\r\n"), "400"));
  CHECK(has_status(site.get("/", ""), "400"));
}

TEST_CASE("a fault of the exporter is an answer, too") {
  Site site;
  const auto answer = site.get("/fails");
  CHECK(has_status(answer, "500"));
  CHECK_THAT(answer, ContainsSubstring("no directory"));
}

TEST_CASE("what is not HTTP ends its connection alone") {
  Site site;
  for (const std::string& request :
       {std::string("\x16\x03\x01\x02\r\n\r\n"), std::string("GET\r\n\r\n"),
        std::string("GET / HTTP/1.1\r\nHost: x\r\n" + std::string(100'000, 'a'))}) {
    CHECK_THAT(site.ask(request), !ContainsSubstring("not closed"));
  }
  CHECK(has_status(site.get("/"), "200"));
}

TEST_CASE("silent clients do not keep a request out") {
  Site site;
  std::vector<Fd> silent;
  for (int i = 0; i < 1000; ++i) silent.push_back(site.connect());
  CHECK(site.server().connections() == HttpServer::max_connections);
  CHECK(has_status(site.get("/metrics"), "200"));
  // The oldest were told so.
  CHECK(has_status(site.read_all(silent.front()), "503"));
  CHECK(has_status(site.read_all(silent[900]), "503"));
}

TEST_CASE("clients that do not read do not keep a request out") {
  Site site;
  std::vector<Fd> slow;
  for (int i = 0; i < 200; ++i) {
    slow.push_back(site.connect());
    Site::send(slow.back(), "GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
    site.server().run();
  }
  CHECK(has_status(site.get("/metrics"), "200"));
  CHECK(site.server().connections() <= HttpServer::max_connections);
}

TEST_CASE("a client that leaves frees its place") {
  Site site;
  for (int i = 0; i < 10; ++i) site.connect();
  const auto end = read_clock() + deadline;
  while (site.server().connections() != 0 && read_clock() < end) site.server().run();
  CHECK(site.server().connections() == 0);
}

TEST_CASE("a stream sends each event when it is published") {
  Site site;
  const auto client = site.connect();
  Site::send(client, events_request);
  const auto begin = site.read_until(client, chunk("data: first\n\n"));
  CHECK(has_status(begin, "200"));
  CHECK_THAT(begin, ContainsSubstring("\r\nContent-Type: text/event-stream\r\n"));
  CHECK_THAT(begin, ContainsSubstring("\r\nContent-Security-Policy: default-src 'none';"));
  for (const std::string text : {"second", "third"}) {
    site.server().streams().publish(event(text));
    const auto expected = chunk("data: " + text + "\n\n");
    CHECK(site.read_until(client, expected) == expected);
  }
  CHECK(site.server().streams().size() == 1);
  site.server().streams().end_all();
  CHECK_THAT(site.read_all(client), !ContainsSubstring("not closed"));
  CHECK(site.server().streams().size() == 0);
}

TEST_CASE("a stream without an event keeps the server quiet") {
  Site site;
  const auto client = site.connect();
  Site::send(client, events_request);
  site.read_until(client, chunk("data: first\n\n"));
  // The server suspends the connection when it asks for the next event.
  const auto end = read_clock() + deadline;
  while (site.server().timeout() == Duration::zero() && read_clock() < end) site.server().run();
  CHECK(site.server().timeout() != Duration::zero());
}

TEST_CASE("a request for one stream too many is refused, and others are answered") {
  Site site;
  std::vector<Fd> clients;
  for (int i = 0; i < 1000; ++i) {
    clients.push_back(site.connect());
    Site::send(clients.back(), events_request);
    // The client before it has been answered.
    if (i < 64) site.get("/metrics");
  }
  CHECK(site.server().streams().size() == EventStreams::max_streams);
  CHECK(site.server().connections() <= HttpServer::max_connections);
  CHECK(has_status(site.get("/metrics"), "200"));
  const auto refused = site.get("/events");
  CHECK(has_status(refused, "503"));
  CHECK_THAT(refused, ContainsSubstring("\r\nRetry-After: 10\r\n"));
  // The streams still get events.
  site.server().streams().publish(event("last"));
  CHECK(site.read_until(clients.front(), chunk("data: last\n\n")).ends_with("last\n\n\r\n"));
}

TEST_CASE("a client that does not read skips events, and one that leaves frees its place") {
  Site site;
  auto slow = site.connect();
  Site::send(slow, events_request);
  site.read_until(slow, chunk("data: first\n\n"));
  const std::string large(1'000'000, 'x');
  for (int i = 0; i < 50; ++i) {
    site.server().streams().publish(event(large));
    site.server().run();
  }
  site.server().streams().publish(event("last"));
  const auto all = site.read_until(slow, chunk("data: last\n\n"));
  CHECK(all.ends_with(chunk("data: last\n\n")));
  CHECK(all.size() < 50 * large.size());
  slow.reset();
  const auto end = read_clock() + deadline;
  while (site.server().streams().size() != 0 && read_clock() < end) {
    site.server().streams().publish(event("again"));
    site.server().run();
  }
  CHECK(site.server().streams().size() == 0);
}

TEST_CASE("HEAD and a foreign host get no stream") {
  Site site;
  CHECK(has_status(
      site.ask("HEAD /events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"), "200"));
  CHECK(has_status(site.get("/events", "Host: evil.example\r\n"), "421"));
  CHECK(site.server().streams().size() == 0);
}

TEST_CASE("a server with open streams ends") {
  Fd client;
  {
    Site site;
    client = site.connect();
    Site::send(client, events_request);
    site.read_until(client, chunk("data: first\n\n"));
    REQUIRE(site.server().streams().size() == 1);
  }
  char buffer[16];
  pollfd waiting{client.get(), POLLIN, 0};
  REQUIRE(::poll(&waiting, 1, 10'000) == 1);
  CHECK(::recv(client.get(), buffer, sizeof buffer, 0) <= 7);  // the last chunk, or nothing
}
