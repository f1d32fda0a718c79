#include "routevpn/inside/tun.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/text.hpp"
#include "routevpn/inside/virtio_net.hpp"

namespace routevpn::inside {

namespace {

// Linux 6.2; the headers of Debian 12 lack them.
constexpr unsigned offload_uso4 = 0x20;
constexpr unsigned offload_uso6 = 0x40;
constexpr unsigned offload_base = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;

constexpr const char* device = "/dev/net/tun";

Fd open_device() {
  Fd fd(::open(device, O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (fd) return fd;
  if (errno == ENOENT || errno == ENODEV || errno == ENXIO) {
    throw system_error(std::string(device) + " (is the kernel module tun loaded?)");
  }
  throw system_error(device);
}

constexpr unsigned device_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR;

ifreq interface_request(const std::string& name, unsigned flags) {
  ifreq request{};
  std::memcpy(request.ifr_name, name.data(), name.size());
  request.ifr_flags = static_cast<short>(flags);
  return request;
}

// With IFF_TUN_EXCL every existing interface of that name is an error. Without it the kernel would
// attach to a persistent TUN device.
ifreq make_interface(const Fd& fd, const std::string& name, unsigned flags) {
  ifreq request = interface_request(name, flags | device_flags | IFF_TUN_EXCL);
  if (ioctl(fd.get(), TUNSETIFF, &request) == 0) return request;
  const std::string what = "interface " + name;
  if (errno == EBUSY || errno == EEXIST) throw BusyError(what + ": the name is taken");
  if (errno == EPERM) throw system_error(what + ": making it needs CAP_NET_ADMIN");
  throw system_error(what);
}

bool enable_offloads(const Fd& fd, const std::string& name) {
  const auto offer = [&](unsigned offloads) {
    return ioctl(fd.get(), TUNSETOFFLOAD, offloads) == 0;
  };
  if (offer(offload_base | offload_uso4 | offload_uso6)) return true;
  if (!offer(offload_base)) throw system_error("interface " + name + ": TUNSETOFFLOAD");
  return false;
}

}  // namespace

Tun Tun::create(const std::string& name, bool shared) {
  if (!is_interface_pattern(name)) {
    throw UsageError("\"" + name + "\" is no interface name: " + std::string(interface_name_rule) +
                     "; %d at most once");
  }
  Fd fd = open_device();
  unsigned features = 0;
  if (ioctl(fd.get(), TUNGETFEATURES, &features) != 0) throw system_error("TUNGETFEATURES");
  const unsigned no_carrier = features & IFF_NO_CARRIER;  // Linux 6.1

  const ifreq made = make_interface(fd, name, no_carrier | (shared ? IFF_MULTI_QUEUE : 0U));
  const std::string given(made.ifr_name, strnlen(made.ifr_name, IFNAMSIZ));
  const int header_bytes = sizeof(VirtioNetHeader);
  if (ioctl(fd.get(), TUNSETVNETHDRSZ, &header_bytes) != 0) {
    throw system_error("interface " + given + ": TUNSETVNETHDRSZ");
  }
  const bool udp_offload = enable_offloads(fd, given);
  // Before Linux 6.1 the carrier starts on. The interface is still down, so it was not announced.
  const int off = 0;
  if (no_carrier == 0 && ioctl(fd.get(), TUNSETCARRIER, &off) != 0) {
    throw system_error("interface " + given + ": carrier");
  }
  return {std::move(fd), given, udp_offload};
}

Tun::Tun(Fd fd, std::string name, bool udp_offload)
    : fd_(std::move(fd)), name_(std::move(name)), udp_offload_(udp_offload) {}

Tun Tun::adopt(Fd fd, std::string name, bool udp_offload) {
  return {std::move(fd), std::move(name), udp_offload};
}

Tun Tun::another_queue() const {
  Fd fd = open_device();
  ifreq request = interface_request(name_, device_flags | IFF_MULTI_QUEUE);
  if (ioctl(fd.get(), TUNSETIFF, &request) != 0) {
    throw system_error("interface " + name_ + ": another queue");
  }
  Tun queue(std::move(fd), name_, udp_offload_);
  queue.attach(false);
  return queue;
}

void Tun::attach(bool attached) const {
  ifreq request = interface_request({}, attached ? IFF_ATTACH_QUEUE : IFF_DETACH_QUEUE);
  if (ioctl(fd_.get(), TUNSETQUEUE, &request) != 0) {
    throw system_error("interface " + name_ + ": queue");
  }
}

bool Tun::exists() const {
  ifreq request{};
  return ioctl(fd_.get(), TUNGETIFF, &request) == 0;
}

IoResult Tun::read(Bytes buffer, std::size_t& length) const {
  const ssize_t got = ::read(fd_.get(), buffer.data(), buffer.size());
  if (got < 0) return errno == EAGAIN ? IoResult::would_block : IoResult::failed;
  length = static_cast<std::size_t>(got);
  return IoResult::ok;
}

IoResult Tun::write(std::span<const iovec> iovecs) const {
  if (::writev(fd_.get(), iovecs.data(), static_cast<int>(iovecs.size())) >= 0) return IoResult::ok;
  return errno == EAGAIN ? IoResult::would_block : IoResult::failed;
}

}  // namespace routevpn::inside
