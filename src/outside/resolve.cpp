#include "routevpn/outside/resolve.hpp"

#include <cerrno>
#include <cstring>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <netdb.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/owned.hpp"

namespace routevpn::outside {

struct Resolver::Shared {
  Fd netns;
  Fd event;
  std::mutex mutex;
  bool busy = false;  // from ask() to take()
  std::optional<Resolution> answer;

  void answer_with(Resolution resolution) {
    const std::lock_guard lock(mutex);
    answer = std::move(resolution);
    eventfd_write(event.get(), 1);
  }
};

namespace {

Fd current_netns() {
  return Fd(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
}

// A thread starts in the network namespace of its creator. If that is another one now, the thread
// enters `netns`, which needs CAP_SYS_ADMIN.
bool enter(const Fd& netns) {
  const Fd here = current_netns();
  struct stat is {};
  struct stat wanted {};
  if (!here || fstat(here.get(), &is) != 0 || fstat(netns.get(), &wanted) != 0) return false;
  if (is.st_dev == wanted.st_dev && is.st_ino == wanted.st_ino) return true;
  return setns(netns.get(), CLONE_NEWNET) == 0;
}

Resolution resolve(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* list = nullptr;
  const int error = getaddrinfo(host.c_str(), nullptr, &hints, &list);
  if (error == EAI_SYSTEM) return {host, {}, std::generic_category().message(errno)};
  if (error != 0) return {host, {}, gai_strerror(error)};
  const Owned<addrinfo, freeaddrinfo> owned(list);

  Resolution result{host, {}, {}};
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    sockaddr_storage name{};
    std::memcpy(&name, entry->ai_addr, entry->ai_addrlen);
    SocketAddress address = SocketAddress::from_kernel(name);
    address.port = port;
    result.addresses.push_back(address);
  }
  return result;
}

}  // namespace

Resolver::Resolver() : shared_(std::make_shared<Shared>()) {
  shared_->netns = current_netns();
  if (!shared_->netns) throw system_error("/proc/thread-self/ns/net");
  shared_->event.reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!shared_->event) throw system_error("eventfd");
}

int Resolver::fd() const {
  return shared_->event.get();
}

bool Resolver::ask(const std::string& host, std::uint16_t port) {
  {
    const std::lock_guard lock(shared_->mutex);
    if (std::exchange(shared_->busy, true)) return false;
  }
  if (IpAddress::parse(host)) {  // getaddrinfo() parses it without a query
    shared_->answer_with(resolve(host, port));
    return true;
  }
  try {
    std::thread([shared = shared_, host, port] {
      pthread_setname_np(pthread_self(), "resolver");
      if (enter(shared->netns)) {
        shared->answer_with(resolve(host, port));
      } else {
        shared->answer_with({host, {}, system_error("entering its network namespace").what()});
      }
    }).detach();
  } catch (const std::system_error& failure) {
    shared_->answer_with(
        {host, {}, std::string("cannot start a resolver thread: ") + failure.what()});
  }
  return true;
}

std::optional<Resolution> Resolver::take() {
  const std::lock_guard lock(shared_->mutex);
  if (!shared_->answer) return std::nullopt;
  eventfd_t count = 0;
  eventfd_read(shared_->event.get(), &count);
  shared_->busy = false;
  return std::exchange(shared_->answer, std::nullopt);
}

}  // namespace routevpn::outside
