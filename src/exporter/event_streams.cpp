#include "routevpn/exporter/event_streams.hpp"

#include <algorithm>

#include <microhttpd.h>

namespace routevpn::exporter {

// libmicrohttpd calls read() when the connection can take more. A stream without an event suspends
// its connection, so that the server does not turn in a circle.
struct EventStreams::Callbacks {
  static ssize_t read(void* cls, std::uint64_t /*position*/, char* buffer, size_t room) {
    auto& stream = *static_cast<Stream*>(cls);
    if (stream.is_ending) return MHD_CONTENT_READER_END_OF_STREAM;
    if (!stream.event) {
      stream.is_suspended = true;
      MHD_suspend_connection(stream.connection);
      return 0;
    }
    const auto length = stream.event->copy(buffer, room, stream.sent);
    stream.sent += length;
    if (stream.sent == stream.event->size()) {
      stream.event = std::move(stream.next);
      stream.next.reset();
      stream.sent = 0;
    }
    return static_cast<ssize_t>(length);
  }

  // When the connection has ended, before libmicrohttpd frees it.
  static void free(void* cls) {
    auto* const ended = static_cast<Stream*>(cls);
    ended->owner->streams_.remove_if([&](const Stream& stream) { return &stream == ended; });
  }
};

MHD_Response* EventStreams::open(MHD_Connection* connection, Event first) {
  constexpr std::size_t block_bytes = 4096;  // for clients of HTTP/1.0; others get chunks
  if (streams_.size() >= max_streams) return nullptr;
  streams_.push_back({this, connection, std::move(first)});
  auto* const response = MHD_create_response_from_callback(
      MHD_SIZE_UNKNOWN, block_bytes, &Callbacks::read, &streams_.back(), &Callbacks::free);
  if (response == nullptr) streams_.pop_back();
  return response;
}

void EventStreams::publish(const Event& event) {
  for (auto& stream : streams_) {
    (stream.event ? stream.next : stream.event) = event;
    resume(stream);
  }
}

void EventStreams::end_all() {
  for (auto& stream : streams_) {
    stream.is_ending = true;
    resume(stream);
  }
}

bool EventStreams::contains(const MHD_Connection* connection) const {
  return std::ranges::find(streams_, connection, &Stream::connection) != streams_.end();
}

void EventStreams::resume(Stream& stream) {
  if (!stream.is_suspended) return;
  stream.is_suspended = false;
  MHD_resume_connection(stream.connection);
}

}  // namespace routevpn::exporter
