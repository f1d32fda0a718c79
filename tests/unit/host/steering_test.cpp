#include "routevpn/inside/steering.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <fcntl.h>

#include "routevpn/base/error.hpp"
#include "routevpn/inside/carrier.hpp"
#include "routevpn/inside/flow_hash.hpp"
#include "routevpn/inside/virtio_net.hpp"

#include "catch.hpp"
#include "namespace_lab.hpp"
#include "steering_program.hpp"

using namespace routevpn;
using namespace routevpn::host;
using namespace routevpn::inside;

namespace {

using Octets = std::vector<std::uint8_t>;

constexpr std::size_t ethernet_header_bytes = 14;

// The program and its map, without an interface. The kernel runs the program on a packet that the
// test gives.
class LoadedProgram {
 public:
  [[nodiscard]] const Fd& map() const { return program_.map; }
  [[nodiscard]] std::uint32_t run(const Octets& packet) const {
    // The kernel removes an Ethernet header first. Type 0: the kernel does not look at the rest.
    Octets frame(ethernet_header_bytes);
    frame.insert(frame.end(), packet.begin(), packet.end());
    bpf_attr attributes = bpf_attributes();
    attributes.test.prog_fd = static_cast<std::uint32_t>(program_.code.get());
    attributes.test.data_in = reinterpret_cast<std::uintptr_t>(frame.data());
    attributes.test.data_size_in = static_cast<std::uint32_t>(frame.size());
    attributes.test.repeat = 1;
    if (call_bpf(BPF_PROG_TEST_RUN, attributes) != 0) throw system_error("running the program");
    return attributes.test.retval;
  }

 private:
  Steering::Program program_ = Steering::load();
};

// Neighbouring slots differ, so a wrong hash gives a wrong byte in half of all cases.
void fill_at_random(Steering& steering, std::mt19937_64& random) {
  for (std::size_t slot = 0; slot < Steering::slots; ++slot) steering.steer(slot, random() & 1);
}

std::uint32_t expected(const Steering& steering, const Octets& packet) {
  const auto hash = flow_hash(packet);
  return hash && steering.is_sparse(Steering::slot_of(*hash)) ? 1 : 0;
}

// Random bytes, with those fields set that decide which bytes are hashed.
Octets random_packet(std::mt19937_64& random) {
  const auto below = [&](std::size_t end) { return static_cast<std::size_t>(random() % end); };
  constexpr std::array<std::uint8_t, 8> protocols{6, 6, 17, 17, 1, 58, 50, 44};
  Octets packet(1 + below(100));
  for (auto& byte : packet) byte = static_cast<std::uint8_t>(random());
  packet.resize(std::max<std::size_t>(packet.size(), 10));
  const auto protocol = protocols[below(protocols.size())];
  switch (below(8)) {
    case 0:  // no version, or any
      break;
    case 1:
    case 2:
    case 3:
      packet[0] = static_cast<std::uint8_t>(0x60 | (packet[0] & 0x0f));
      packet[6] = protocol;
      break;
    default:
      packet[0] = static_cast<std::uint8_t>(0x40 | (below(4) == 0 ? below(16) : 5));
      if (below(4) != 0) packet[6] &= 0xc0;
      if (below(4) != 0) packet[7] = 0;
      packet[9] = protocol;
  }
  return packet;
}

// A UDP datagram from 10.255.0.1 to 10.255.0.2 through the interface.
void send_from(const TestNetns& lab, unsigned source_port) {
  lab.must(
      "python3 -c 'import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); "
      "s.bind((\"10.255.0.1\", " +
      std::to_string(source_port) +
      ")); "
      "s.sendto(b\"hello\", (\"10.255.0.2\", 9))'");
}

// The source ports of the datagrams that wait in the queue, with the flow's hash.
std::map<unsigned, std::uint32_t> waiting_in(const Tun& queue) {
  std::map<unsigned, std::uint32_t> found;
  Octets buffer(70000);
  std::size_t length = 0;
  while (queue.read(buffer, length) == IoResult::ok) {
    const auto packet = ConstBytes(buffer).first(length).subspan(sizeof(VirtioNetHeader));
    if (packet.size() < 28) continue;
    found[load_be16(&packet[20])] = flow_hash(packet).value_or(0);
  }
  return found;
}

}  // namespace

TEST_CASE("the steering program selects the slot of flow_hash()") {
  if (!can_make_namespaces()) return;
  const LoadedProgram program;
  Steering steering(program.map());
  std::mt19937_64 random(GENERATE(7U));
  std::size_t hashed = 0;
  std::size_t sparse = 0;
  for (int round = 0; round < 50; ++round) {
    fill_at_random(steering, random);
    for (int i = 0; i < 400; ++i) {
      const auto packet = random_packet(random);
      CAPTURE(packet);
      REQUIRE(program.run(packet) == expected(steering, packet));
      hashed += flow_hash(packet).has_value() ? 1 : 0;
      sparse += expected(steering, packet);
    }
  }
  CHECK(hashed > 5000);
  CHECK(sparse > hashed / 3);
}

TEST_CASE("every length of a packet is steered as flow_hash() says") {
  if (!can_make_namespaces()) return;
  const LoadedProgram program;
  Steering steering(program.map());
  std::mt19937_64 random(GENERATE(8U));
  for (const bool v6 : {false, true}) {
    for (const auto protocol : {std::uint8_t{6}, std::uint8_t{17}}) {
      Octets packet(80, 1);
      for (auto& byte : packet) byte = static_cast<std::uint8_t>(random());
      packet[0] = v6 ? 0x60 : 0x46;
      packet[v6 ? 6 : 9] = protocol;
      if (!v6) packet[6] = packet[7] = 0;
      for (std::size_t bytes = 1; bytes <= packet.size(); ++bytes) {
        const Octets first(packet.begin(), packet.begin() + static_cast<std::ptrdiff_t>(bytes));
        const auto hash = flow_hash(first);
        steering.steer_all(true);
        CHECK(program.run(first) == (hash ? 1 : 0));
        if (!hash) continue;
        steering.steer(Steering::slot_of(*hash), false);
        CHECK(program.run(first) == 0);
      }
    }
  }
}

TEST_CASE("a flow goes to the queue of its slot, and other flows stay") {
  if (!can_make_namespaces()) return;
  const TestNetns lab;
  const NetnsScope inside(lab.open());
  const Tun bulk = Tun::create("rv0", true);
  auto program = Steering::load();
  Steering::attach(program, bulk);
  program.code.reset();
  const Tun sparse = bulk.another_queue();
  sparse.attach(true);
  Steering steering(program.map);
  lab.must("sysctl -qw net.ipv6.conf.rv0.disable_ipv6=1");
  lab.must("ip address add 10.255.0.1/30 dev rv0");
  lab.must("ip link set rv0 up");
  Carrier::of(bulk).set(true);

  const auto send_all = [&] {
    for (const unsigned port : {2001U, 2002U, 2003U}) send_from(lab, port);
  };
  send_all();
  const auto at_first = waiting_in(bulk);
  REQUIRE(at_first.size() == 3);
  CHECK(waiting_in(sparse).empty());

  const auto slot = Steering::slot_of(at_first.at(2002));
  CHECK_FALSE(steering.is_sparse(slot));
  steering.steer(slot, true);
  CHECK(steering.is_sparse(slot));
  send_all();
  CHECK(waiting_in(sparse).contains(2002));
  CHECK(waiting_in(sparse).empty());
  CHECK(waiting_in(bulk).size() == 2);

  SECTION("another mapping of the same map changes the slots") {
    Steering other(program.map);
    CHECK(other.is_sparse(slot));
    other.steer_all(false);
    CHECK_FALSE(steering.is_sparse(slot));
    send_all();
    CHECK(waiting_in(bulk).size() == 3);
    other.steer_all(true);
    send_all();
    CHECK(waiting_in(sparse).size() == 3);
  }
  SECTION("the queue that is attached last is that of sparse flows") {
    bulk.attach(false);
    send_all();
    CHECK(waiting_in(sparse).size() == 3);
    bulk.attach(true);
    send_all();
    CHECK(waiting_in(bulk).contains(2002));
    sparse.attach(false);  // drops what waits
    sparse.attach(true);
    CHECK(waiting_in(sparse).empty());
    send_all();
    CHECK(waiting_in(sparse).contains(2002));
    CHECK(waiting_in(bulk).size() == 2);
  }
  SECTION("moved and destroyed mappings change no slot") {
    Steering moved(std::move(steering));
    steering = Steering(program.map);
    CHECK(moved.is_sparse(slot));
    CHECK(steering.is_sparse(slot));
    send_all();
    CHECK(waiting_in(sparse).size() == 1);
  }
}

TEST_CASE("what is no map of slots is refused") {
  CHECK_THROWS_AS(Steering(Fd()), SystemError);
  CHECK_THROWS_AS(Steering(Fd(::open("/dev/null", O_RDWR | O_CLOEXEC))), SystemError);
}
