// The eBPF program of Steering and its map.
#pragma once

#include <cstdint>
#include <vector>

#include <linux/bpf.h>

#include "routevpn/base/owned.hpp"

namespace routevpn::inside {

// bpf(2), which glibc has not. -1 and errno on failure.
int call_bpf(bpf_cmd command, bpf_attr& attributes);
// Zero in every byte: the kernel refuses others where a command uses none.
bpf_attr bpf_attributes();

// A map of one value: Steering::slots bytes, all zero, which mmap(2) can share. Throws SystemError.
Fd make_slots();

// Returns the byte of the packet's slot, or 0 for a packet without flow_hash().
std::vector<bpf_insn> steering_program(const Fd& slots);
// Throws SystemError.
Fd load_program(const std::vector<bpf_insn>& program);

}  // namespace routevpn::inside
