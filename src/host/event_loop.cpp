#include "routevpn/host/event_loop.hpp"

#include <array>

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "routevpn/base/error.hpp"

namespace routevpn::host {

EventLoop::EventLoop()
    : epoll_(epoll_create1(EPOLL_CLOEXEC)),
      timer_(timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC)) {
  if (!epoll_) throw system_error("epoll_create1");
  if (!timer_) throw system_error("timerfd_create");
  watch(timer_.get(), [this] {
    std::uint64_t times = 0;
    [[maybe_unused]] const auto got = ::read(timer_.get(), &times, sizeof times);
  });
}

void EventLoop::watch(int fd, Callback callback) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) throw system_error("epoll_ctl");
  callbacks_[fd] = std::make_shared<Callback>(std::move(callback));
}

void EventLoop::unwatch(int fd) {
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  callbacks_.erase(fd);
}

void EventLoop::turn(std::optional<Duration> timeout) {
  const bool due = timeout && *timeout <= Duration::zero();
  const Duration wait = due ? Duration::zero() : timeout.value_or(Duration::zero());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(wait);
  itimerspec wanted{};  // zero disarms the timer
  wanted.it_value = {seconds.count(), (wait - seconds).count()};
  timerfd_settime(timer_.get(), 0, &wanted, nullptr);
  std::array<epoll_event, 16> events{};
  const int count =
      epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), due ? 0 : -1);
  ends_turn_ = false;
  for (int i = 0; i < count && !ends_turn_; ++i) {
    const auto found = callbacks_.find(events[static_cast<std::size_t>(i)].data.fd);
    if (found == callbacks_.end()) continue;  // unwatched by a callback before it
    const auto callback = found->second;      // keeps it alive if it unwatches itself
    (*callback)();
  }
}

}  // namespace routevpn::host
