// HTTP/1.1 by libmicrohttpd, for connections that the caller has accepted. Reads only: GET and
// HEAD.
//
// There are at most max_connections. A new connection beyond them evicts the oldest that is no
// stream of events: clients that connect and stay silent cannot lock out a scrape. The evicted
// client gets 503, unless its answer is under way. Of streams there are at most
// EventStreams::max_streams; a request for another one gets 503.
#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sys/socket.h>

#include "routevpn/base/clock.hpp"
#include "routevpn/base/owned.hpp"
#include "routevpn/exporter/event_streams.hpp"

struct MHD_Connection;
struct MHD_Daemon;
extern "C" void MHD_stop_daemon(struct MHD_Daemon*);

namespace routevpn::exporter {

struct HttpAnswer {
  unsigned status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::shared_ptr<const std::string> body;  // shared with other answers
  bool is_stream = false;                   // the body is the first event, publish() sends more
};

struct HttpRequest {
  std::string path;
  std::map<std::string, std::string> arguments = {};  // of the query, decoded
  // It has the field X-Routevpn. A page of another site cannot send that without being allowed.
  bool is_deliberate = false;
};

inline HttpAnswer text_answer(unsigned status, std::string text) {
  return {status, "text/plain; charset=utf-8",
          std::make_shared<const std::string>(std::move(text))};
}

class HttpServer {
 public:
  static constexpr std::size_t max_connections = 64;
  static constexpr unsigned idle_seconds = 10;  // then a connection is closed

  using Handler = std::function<HttpAnswer(const HttpRequest& request)>;

  // `hosts`: names that a request may give in its field Host, besides IP addresses and localhost.
  // A page of another site whose name leads to this address (DNS rebinding) has the name of that
  // site there. Throws SystemError.
  HttpServer(Handler handler, std::vector<std::string> hosts);
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer();

  [[nodiscard]] int fd() const;  // readable when run() has something to do
  [[nodiscard]] std::optional<Duration> timeout() const;
  void run();
  void add(Fd connection);
  [[nodiscard]] std::size_t connections() const { return open_.size(); }
  EventStreams& streams() { return streams_; }

 private:
  struct Open {
    MHD_Connection* connection;
    int fd;
    bool answered;
  };
  struct Callbacks;  // of libmicrohttpd

  [[nodiscard]] HttpAnswer answer(std::string_view method, const HttpRequest& request,
                                  const char* host) const;
  void evict_oldest();

  Handler handler_;
  std::vector<std::string> hosts_;
  std::list<Open> open_;  // the oldest first
  EventStreams streams_;  // outlives the daemon, which ends them
  Owned<MHD_Daemon, MHD_stop_daemon> daemon_;
};

// Whether a request with this field Host is answered: see HttpServer.
bool is_allowed_host(std::string_view host, std::span<const std::string> names);

}  // namespace routevpn::exporter
