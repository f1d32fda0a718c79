// Server-sent events: HTTP answers that do not end, for libmicrohttpd.
//
// Each stream holds the event that it sends and at most one more, both shared with the other
// streams. A client that reads too slowly skips the events between them.
#pragma once

#include <list>
#include <memory>
#include <string>

#include <sys/types.h>

struct MHD_Connection;
struct MHD_Response;

namespace routevpn::exporter {

class EventStreams {
 public:
  // Half of the connections of HttpServer: streams leave the other half to scrapes.
  static constexpr std::size_t max_streams = 32;

  using Event = std::shared_ptr<const std::string>;

  // The answer to a request on this connection, which begins with this event. The caller destroys
  // it. Null when there are max_streams, or no memory.
  MHD_Response* open(MHD_Connection* connection, Event first);
  void publish(const Event& event);  // to every stream
  void end_all();                    // when the server runs next

  [[nodiscard]] std::size_t size() const { return streams_.size(); }
  [[nodiscard]] bool contains(const MHD_Connection* connection) const;

 private:
  struct Stream {
    EventStreams* owner;
    MHD_Connection* connection;
    Event event;  // that is being sent; null: none
    std::size_t sent = 0;
    Event next = {};
    bool is_suspended = false;  // by libmicrohttpd, until there is an event
    bool is_ending = false;
  };
  struct Callbacks;  // of libmicrohttpd

  static void resume(Stream& stream);

  std::list<Stream> streams_;
};

}  // namespace routevpn::exporter
