#include "routevpn/host/event_loop.hpp"

#include <algorithm>
#include <array>

#include <sys/epoll.h>

#include "routevpn/base/error.hpp"

namespace routevpn::host {

EventLoop::EventLoop() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  if (!epoll_) throw system_error("epoll_create1");
}

void EventLoop::watch(int fd, Callback callback) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) throw system_error("epoll_ctl");
  callbacks_[fd] = std::make_shared<Callback>(std::move(callback));
}

void EventLoop::forget(int fd) {
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  callbacks_.erase(fd);
}

void EventLoop::turn(std::optional<Duration> timeout) {
  using std::chrono::ceil, std::chrono::milliseconds;
  const int wait = timeout ? static_cast<int>(std::clamp<std::int64_t>(
                                 ceil<milliseconds>(*timeout).count(), 0, 3'600'000))
                           : -1;
  std::array<epoll_event, 16> events{};
  const int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), wait);
  for (int i = 0; i < count; ++i) {
    const auto found = callbacks_.find(events[static_cast<std::size_t>(i)].data.fd);
    if (found == callbacks_.end()) continue;  // forgotten by a callback before it
    const auto callback = found->second;      // kept while it runs, should it forget itself
    (*callback)();
  }
}

}  // namespace routevpn::host
