// The program is flow_hash() in instructions of eBPF: a change of flow_hash() needs the same change
// here. It has no loop, and its newest instruction is of Linux 5.2 (BPF_PSEUDO_MAP_VALUE). Words
// are in host order, as in flow_hash(), so the program fits little and big endian.
#include "steering_program.hpp"

#include <cstring>
#include <initializer_list>
#include <utility>

#include <netinet/in.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/inside/steering.hpp"

#include "flow_hash_constants.hpp"
#include "packet_fields.hpp"

namespace routevpn::inside {

namespace {

// A call of a helper destroys registers 1 to 5.
enum Register : std::uint8_t {
  unused = 0,
  result = BPF_REG_0,  // of a helper, and of the program
  argument_1 = BPF_REG_1,
  argument_2 = BPF_REG_2,
  argument_3 = BPF_REG_3,
  argument_4 = BPF_REG_4,
  scratch = BPF_REG_1,
  protocol = BPF_REG_2,
  packet = BPF_REG_6,  // the kernel's sk_buff, whose data begins with the IP header
  hash = BPF_REG_7,
  multiplier = BPF_REG_8,
  ports_at = BPF_REG_9,  // in the packet
  stack_end = BPF_REG_10,
};

// The instructions so far. Jumps go forward only: land() sets their targets.
class Assembler {
 public:
  using Jump = std::size_t;

  void set(Register to, std::size_t value) { add(BPF_ALU64 | BPF_MOV | BPF_K, to, unused, value); }
  void set(Register to, Register from) { add(BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0); }
  void set_wide(Register to, std::uint64_t value) { add_wide(to, 0, value); }
  // The address of the map's only value.
  void set_map_value(Register to, const Fd& map) {
    add_wide(to, BPF_PSEUDO_MAP_VALUE, static_cast<std::uint32_t>(map.get()));
  }
  // Operations are those of linux/bpf.h, such as BPF_ADD, with 64 bits.
  void apply(int operation, Register to, int value) {
    add(BPF_ALU64 | operation | BPF_K, to, unused, static_cast<std::size_t>(value));
  }
  void apply(int operation, Register to, Register from) {
    add(BPF_ALU64 | operation | BPF_X, to, from, 0);
  }
  // A byte (BPF_B), 2 (BPF_H) or 4 bytes (BPF_W) at `from` + `offset`, zeros above.
  void load(int size, Register to, Register from, int offset) {
    add(BPF_LDX | BPF_MEM | size, to, from, 0, offset);
  }
  void call(bpf_func_id helper) { add(BPF_JMP | BPF_CALL, unused, unused, helper); }
  void exit() { add(BPF_JMP | BPF_EXIT, unused, unused, 0); }
  // Conditions are BPF_JEQ, BPF_JNE and BPF_JSET.
  [[nodiscard]] Jump jump_if(int condition, Register left, std::size_t right) {
    add(BPF_JMP | condition | BPF_K, left, unused, right);
    return program_.size() - 1;
  }
  [[nodiscard]] Jump jump() {
    add(BPF_JMP | BPF_JA, unused, unused, 0);
    return program_.size() - 1;
  }
  // The next instruction is the target of these jumps.
  void land(std::initializer_list<Jump> jumps) {
    for (const Jump at : jumps) {
      program_[at].off = static_cast<std::int16_t>(program_.size() - at - 1);
    }
  }

  std::vector<bpf_insn> take() { return std::move(program_); }

 private:
  void add(int code, std::uint8_t to, std::uint8_t from, std::size_t value, int offset = 0) {
    bpf_insn one{};
    one.code = static_cast<std::uint8_t>(code);
    one.dst_reg = to & 0x0f;
    one.src_reg = from & 0x0f;
    one.off = static_cast<std::int16_t>(offset);
    one.imm = static_cast<std::int32_t>(value);
    program_.push_back(one);
  }
  // The one instruction with a 64-bit number has two places.
  void add_wide(Register to, std::uint8_t kind, std::uint64_t value) {
    constexpr int load_number = BPF_LD | BPF_DW;  // BPF_IMM is 0
    add(load_number, to, kind, value & 0xffffffff);
    add(0, unused, unused, value >> 32);
  }

  std::vector<bpf_insn> program_;
};

// What is copied of the packet lies at the end of the stack.
constexpr int copy_at = -static_cast<int>(ip6::header_bytes);
constexpr int in_copy(std::size_t at) {
  return copy_at + static_cast<int>(at);
}

// Copies bytes from `at`, a number or a register. The jump is taken if the packet is shorter.
template <typename Offset>
[[nodiscard]] Assembler::Jump copy_or_jump(Assembler& code, Offset at, std::size_t bytes) {
  code.set(argument_1, packet);
  code.set(argument_2, at);
  code.set(argument_3, stack_end);
  code.apply(BPF_ADD, argument_3, copy_at);
  code.set(argument_4, bytes);
  code.call(BPF_FUNC_skb_load_bytes);
  return code.jump_if(BPF_JNE, result, 0);
}

void hash_word(Assembler& code, Register word) {
  code.apply(BPF_XOR, hash, word);
  code.apply(BPF_MUL, hash, multiplier);
}

void hash_copied(Assembler& code, std::size_t at, std::size_t bytes) {
  for (const std::size_t end = at + bytes; at < end; at += sizeof(std::uint32_t)) {
    code.load(BPF_W, scratch, stack_end, in_copy(at));
    hash_word(code, scratch);
  }
}

void hash_protocol(Assembler& code) {
  code.set_wide(hash, flow_hash_seed);
  code.set_wide(multiplier, flow_hash_multiplier);
  hash_word(code, protocol);
}

}  // namespace

std::vector<bpf_insn> steering_program(const Fd& slots) {
  Assembler code;
  code.set(packet, argument_1);
  const auto shorter_than_ip4 = copy_or_jump(code, std::size_t{0}, ip4::header_bytes);
  code.load(BPF_B, scratch, stack_end, in_copy(0));
  code.apply(BPF_RSH, scratch, 4);  // the version
  const auto is_ip6 = code.jump_if(BPF_JEQ, scratch, 6);
  const auto not_ip = code.jump_if(BPF_JNE, scratch, 4);

  code.load(BPF_H, scratch, stack_end, in_copy(ip4::fragment_at));
  const auto ip4_fragment = code.jump_if(BPF_JSET, scratch, htons(fragment_bits));
  code.load(BPF_B, protocol, stack_end, in_copy(ip4::protocol_at));
  hash_protocol(code);
  hash_copied(code, ip4::addresses_at, ip4::addresses_bytes);
  code.load(BPF_B, ports_at, stack_end, in_copy(0));
  code.apply(BPF_AND, ports_at, 0x0f);
  code.apply(BPF_LSH, ports_at, 2);  // from words of the header to bytes
  const auto ip4_done = code.jump();

  code.land({is_ip6});
  const auto shorter_than_ip6 = copy_or_jump(code, std::size_t{0}, ip6::header_bytes);
  code.load(BPF_B, protocol, stack_end, in_copy(ip6::next_header_at));
  const auto ip6_fragment = code.jump_if(BPF_JEQ, protocol, fragment_header);
  hash_protocol(code);
  hash_copied(code, ip6::addresses_at, ip6::addresses_bytes);
  code.set(ports_at, ip6::header_bytes);

  code.land({ip4_done});
  const auto is_tcp = code.jump_if(BPF_JEQ, protocol, tcp::protocol);
  const auto without_ports = code.jump_if(BPF_JNE, protocol, udp::protocol);
  code.land({is_tcp});
  const auto shorter_than_ports = copy_or_jump(code, ports_at, port_bytes);
  hash_copied(code, 0, port_bytes);

  code.land({without_ports, shorter_than_ports});
  // Steering::slot_of() of the upper half, which is flow_hash(). The kernel's verifier sees that
  // the result is below Steering::slots.
  code.apply(BPF_RSH, hash, 64 - static_cast<int>(Steering::slot_bits));
  code.set_map_value(scratch, slots);
  code.apply(BPF_ADD, scratch, hash);
  code.load(BPF_B, result, scratch, 0);
  code.exit();

  code.land({shorter_than_ip4, not_ip, ip4_fragment, shorter_than_ip6, ip6_fragment});
  code.set(result, std::size_t{0});
  code.exit();
  return code.take();
}

bpf_attr bpf_attributes() {
  bpf_attr attributes;
  std::memset(&attributes, 0, sizeof attributes);
  return attributes;
}

int call_bpf(bpf_cmd command, bpf_attr& attributes) {
  return static_cast<int>(syscall(SYS_bpf, command, &attributes, sizeof attributes));
}

Fd make_slots() {
  bpf_attr attributes = bpf_attributes();
  attributes.map_type = BPF_MAP_TYPE_ARRAY;
  attributes.key_size = sizeof(std::uint32_t);
  attributes.value_size = Steering::slots;
  attributes.max_entries = 1;
  attributes.map_flags = BPF_F_MMAPABLE;
  std::strncpy(attributes.map_name, "routevpn_slots", sizeof attributes.map_name - 1);
  Fd map(call_bpf(BPF_MAP_CREATE, attributes));
  if (!map) throw system_error("the map of the steering program");
  return map;
}

Fd load_program(const std::vector<bpf_insn>& program) {
  // It uses no helper that is for GPL programs only.
  constexpr const char* license = "Apache-2.0";
  bpf_attr attributes = bpf_attributes();
  attributes.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
  attributes.insn_cnt = static_cast<std::uint32_t>(program.size());
  attributes.insns = reinterpret_cast<std::uintptr_t>(program.data());
  attributes.license = reinterpret_cast<std::uintptr_t>(license);
  std::strncpy(attributes.prog_name, "routevpn_steer", sizeof attributes.prog_name - 1);
  Fd loaded(call_bpf(BPF_PROG_LOAD, attributes));
  if (!loaded) throw system_error("loading the steering program");
  return loaded;
}

}  // namespace routevpn::inside
