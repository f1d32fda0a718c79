#include "routevpn/host/netns.hpp"

#include <cerrno>
#include <cstdlib>

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/log.hpp"
#include "routevpn/host/capabilities.hpp"

namespace routevpn::host {

namespace {

constexpr const char* own_namespace = "/proc/thread-self/ns/net";

Fd open_namespace(const std::string& path) {
  return Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
}

}  // namespace

std::string Netns::path_of(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const bool is_pid = name.find_first_not_of("0123456789") == std::string::npos;
  return is_pid ? "/proc/" + name + "/ns/net" : "/run/netns/" + name;
}

Netns Netns::current() {
  Fd fd = open_namespace(own_namespace);
  if (!fd) throw system_error(own_namespace);
  return Netns(std::move(fd));
}

Netns Netns::of_start() {
  if (ioctl(STDIN_FILENO, NS_GET_NSTYPE) != CLONE_NEWNET) return current();
  Fd fd(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  if (!fd) throw system_error("standard input");
  return Netns(std::move(fd));
}

Netns Netns::open(const std::string& name, const std::string& option) {
  const std::string what = option + " " + name;
  Fd fd = name.empty() ? Fd() : open_namespace(path_of(name));
  if (!fd && !name.empty() && errno != ENOENT && errno != ENOTDIR) throw system_error(what);
  // The mount point of a deleted namespace can be opened too.
  if (!fd || ioctl(fd.get(), NS_GET_NSTYPE) != CLONE_NEWNET) {
    throw UsageError(what + ": no such network namespace (a name of 'ip netns', a path, or a pid)",
                     Exit::failed);
  }
  return Netns(std::move(fd));
}

void Netns::enter() const {
  const Raised right(CAP_SYS_ADMIN);
  if (setns(fd(), CLONE_NEWNET) != 0) {
    throw system_error("entering a network namespace (needs CAP_SYS_ADMIN)");
  }
}

bool Netns::same_as(const Netns& other) const {
  struct stat ours {};
  struct stat theirs {};
  return fstat(fd(), &ours) == 0 && fstat(other.fd(), &theirs) == 0 &&
         ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

NetnsScope::NetnsScope(const Netns& where)
    : back_(Netns::current()), moved_(!where.same_as(back_)) {
  if (moved_) where.enter();
}

NetnsScope::~NetnsScope() {
  if (!moved_) return;
  try {
    back_.enter();
  } catch (const SystemError& error) {
    log_error(error.what(), {{"to", "the former namespace"}});
    std::_Exit(static_cast<int>(Exit::failed));
  }
}

}  // namespace routevpn::host
