#include "routevpn/inside/steering.hpp"

#include <atomic>
#include <utility>

#include <linux/if_tun.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "routevpn/base/error.hpp"

#include "steering_program.hpp"

namespace routevpn::inside {

Steering::Program Steering::load() {
  Fd map = make_slots();
  Fd code = load_program(steering_program(map));
  return {std::move(code), std::move(map)};
}

void Steering::attach(const Program& program, const Tun& queue) {
  const int code = program.code.get();
  if (ioctl(queue.fd(), TUNSETSTEERINGEBPF, &code) != 0) {
    throw system_error("interface " + queue.name() + ": TUNSETSTEERINGEBPF");
  }
}

Steering::Steering(const Fd& map) {
  void* const at = mmap(nullptr, slots, PROT_READ | PROT_WRITE, MAP_SHARED, map.get(), 0);
  if (at == MAP_FAILED) throw system_error("mapping the slots of flows");
  bytes_ = static_cast<std::uint8_t*>(at);
}

Steering::Steering(Steering&& other) noexcept : bytes_(std::exchange(other.bytes_, nullptr)) {}

Steering& Steering::operator=(Steering&& other) noexcept {
  std::swap(bytes_, other.bytes_);
  return *this;
}

Steering::~Steering() {
  if (bytes_ != nullptr) munmap(bytes_, slots);
}

// The kernel reads the bytes meanwhile. No other memory depends on their values, so the order of
// the accesses is free.
void Steering::steer(std::size_t slot, bool to_sparse) {
  std::atomic_ref(bytes_[slot]).store(to_sparse ? 1 : 0, std::memory_order_relaxed);
}

void Steering::steer_all(bool to_sparse) {
  for (std::size_t slot = 0; slot < slots; ++slot) steer(slot, to_sparse);
}

bool Steering::is_sparse(std::size_t slot) const {
  return std::atomic_ref(bytes_[slot]).load(std::memory_order_relaxed) != 0;
}

}  // namespace routevpn::inside
