#include "routevpn/exporter/http_server.hpp"

#include <algorithm>
#include <array>

#include <microhttpd.h>
#include <strings.h>

#include "routevpn/base/address.hpp"
#include "routevpn/base/error.hpp"
#include "routevpn/base/log.hpp"
#include "routevpn/base/text.hpp"

namespace routevpn::exporter {

namespace {

// A request with more bytes of header fields is refused.
constexpr std::size_t request_bytes = 16UL * 1024;
// Evicted connections are closed in the next turn of libmicrohttpd.
constexpr unsigned slack_connections = 16;

constexpr std::string_view busy =
    "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n"
    "Connection: close\r\n\r\n";

// For every answer. No other site may frame, script or read it.
constexpr std::array<std::pair<const char*, const char*>, 7> safety_fields = {{
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
     "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cache-Control", "no-store"},
}};

using Body = std::shared_ptr<const std::string>;
using Response = Owned<MHD_Response, MHD_destroy_response>;

Response response_with(const Body& body) {
  auto* const held = new Body(body);
  Response response(MHD_create_response_from_buffer_with_free_callback_cls(
      (*held)->size(), const_cast<char*>((*held)->data()),
      [](void* freed) { delete static_cast<Body*>(freed); }, held));
  if (!response) delete held;
  return response;
}

void add_fields(MHD_Response* response, const HttpAnswer& answer) {
  MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer.content_type.c_str());
  for (const auto& [name, value] : safety_fields) MHD_add_response_header(response, name, value);
  if (answer.status == MHD_HTTP_METHOD_NOT_ALLOWED) {
    MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
  }
  if (answer.status == MHD_HTTP_SERVICE_UNAVAILABLE ||
      answer.status == MHD_HTTP_TOO_MANY_REQUESTS) {
    MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, "10");
  }
}

// The host of "HOST", "HOST:PORT" and "[IPV6]:PORT", without brackets.
std::string_view without_port(std::string_view host) {
  if (host.starts_with('[')) {
    const auto end = host.find(']');
    return end == std::string_view::npos ? std::string_view() : host.substr(1, end - 1);
  }
  return host.substr(0, host.find(':'));
}

bool equal_names(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

int socket_of(MHD_Connection* connection) {
  const auto* const info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  return info == nullptr ? -1 : info->connect_fd;
}

}  // namespace

bool is_allowed_host(std::string_view host, std::span<const std::string> names) {
  const auto name = without_port(host);
  if (IpAddress::parse(name) || equal_names(name, "localhost")) return true;
  return std::ranges::any_of(names,
                             [&](const std::string& known) { return equal_names(name, known); });
}

struct HttpServer::Callbacks {
  static void notify(void* cls, MHD_Connection* connection, void** /*socket_context*/,
                     MHD_ConnectionNotificationCode code) {
    auto& server = *static_cast<HttpServer*>(cls);
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
      server.open_.push_back({connection, socket_of(connection), false});
    } else {
      std::erase_if(server.open_, [&](const Open& open) { return open.connection == connection; });
    }
  }

  // A name without '=' has no value.
  static MHD_Result add_argument(void* cls, MHD_ValueKind /*kind*/, const char* name,
                                 const char* value) {
    static_cast<HttpRequest*>(cls)->arguments[name] = value == nullptr ? "" : value;
    return MHD_YES;
  }

  static MHD_Result handle(void* cls, MHD_Connection* connection, const char* url,
                           const char* method, const char* /*version*/, const char* /*upload_data*/,
                           size_t* upload_data_size, void** /*request_context*/) {
    auto& server = *static_cast<HttpServer*>(cls);
    *upload_data_size = 0;  // content of a request is not used
    for (auto& open : server.open_) {
      if (open.connection == connection) open.answered = true;
    }
    const auto* const host =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST);
    HttpRequest request{url};
    request.is_deliberate =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "X-Routevpn") != nullptr;
    MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, &Callbacks::add_argument,
                              &request);
    auto answer = server.answer(method, request, host);
    Response response;
    if (answer.is_stream) {
      response.reset(server.streams_.open(connection, answer.body));
      if (!response)
        answer = text_answer(MHD_HTTP_SERVICE_UNAVAILABLE, "too many streams are open\n");
    }
    if (!response) response = response_with(answer.body);
    if (!response) return MHD_NO;
    add_fields(response.get(), answer);
    return MHD_queue_response(connection, answer.status, response.get());
  }
};

HttpServer::HttpServer(Handler handler, std::vector<std::string> hosts)
    : handler_(std::move(handler)), hosts_(std::move(hosts)) {
  daemon_.reset(MHD_start_daemon(
      MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME, 0, nullptr, nullptr,
      &Callbacks::handle, this, MHD_OPTION_NOTIFY_CONNECTION, &Callbacks::notify, this,
      MHD_OPTION_CONNECTION_LIMIT, static_cast<unsigned>(max_connections) + slack_connections,
      MHD_OPTION_CONNECTION_TIMEOUT, idle_seconds, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
      request_bytes, MHD_OPTION_END));
  if (!daemon_) throw SystemError("the HTTP server does not start");
}

// libmicrohttpd aborts the process when it is stopped with suspended connections.
HttpServer::~HttpServer() {
  streams_.end_all();
  run();
}

int HttpServer::fd() const {
  const auto* const info = MHD_get_daemon_info(daemon_.get(), MHD_DAEMON_INFO_EPOLL_FD);
  return info == nullptr ? -1 : info->epoll_fd;
}

std::optional<Duration> HttpServer::timeout() const {
  MHD_UNSIGNED_LONG_LONG milliseconds = 0;
  if (MHD_get_timeout(daemon_.get(), &milliseconds) != MHD_YES) return std::nullopt;
  return std::chrono::milliseconds(milliseconds);
}

void HttpServer::run() {
  MHD_run(daemon_.get());
}

void HttpServer::add(Fd connection) {
  while (open_.size() >= max_connections) evict_oldest();
  sockaddr_storage peer{};
  socklen_t length = sizeof peer;
  if (getpeername(connection.get(), reinterpret_cast<sockaddr*>(&peer), &length) != 0) return;
  // libmicrohttpd closes it, also when it refuses it.
  MHD_add_connection(daemon_.get(), connection.release(), reinterpret_cast<sockaddr*>(&peer),
                     length);
  run();  // starts the connection, and closes those that were evicted
}

void HttpServer::evict_oldest() {
  const auto found = std::ranges::find_if(
      open_, [&](const Open& open) { return !streams_.contains(open.connection); });
  const auto oldest = *found;  // there are fewer streams than connections
  if (!oldest.answered) {
    [[maybe_unused]] const auto sent =
        ::send(oldest.fd, busy.data(), busy.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  ::shutdown(oldest.fd, SHUT_RDWR);
  open_.erase(found);  // libmicrohttpd closes it when it sees the end of the stream
}

HttpAnswer HttpServer::answer(std::string_view method, const HttpRequest& request,
                              const char* host) const {
  if (method != MHD_HTTP_METHOD_GET && method != MHD_HTTP_METHOD_HEAD) {
    return text_answer(MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD are answered\n");
  }
  if (host == nullptr) return text_answer(MHD_HTTP_BAD_REQUEST, "the field Host is missing\n");
  if (!is_allowed_host(host, hosts_)) {
    return text_answer(MHD_HTTP_MISDIRECTED_REQUEST,
                       "the name in the field Host is not known; routevpn-exporter --host NAME "
                       "makes it known\n");
  }
  try {
    return handler_(request);
  } catch (const std::exception& error) {
    log_error(error.what());
    return text_answer(MHD_HTTP_INTERNAL_SERVER_ERROR, printable(error.what()) + "\n");
  }
}

}  // namespace routevpn::exporter
