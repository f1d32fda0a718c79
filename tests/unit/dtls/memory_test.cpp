// What a stranger's half-open handshake costs an acceptor.
#include <fstream>

#include <malloc.h>
#include <unistd.h>

#include "routevpn/dtls/listener.hpp"

#include "catch.hpp"
#include "forged.hpp"
#include "pair.hpp"
#include "virtual_clock.hpp"

using namespace routevpn;
using namespace routevpn::test;
using dtls::Handshake;
using dtls::Progress;
using record::ContentType;

namespace {

// Bytes that the program has allocated, without free ones.
std::size_t allocated() {
  const auto info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

// Whether glibc's allocator is in use: a sanitizer's gives no memory back.
bool counts_allocations() {
  const auto before = allocated();
  const Fragment probe(100'000, 1);
  REQUIRE(probe.back() == 1);
  return allocated() >= before + probe.size();
}

// A stranger, whose certificate does not matter: it sends a ClientHello with its cookie, and then
// what makes an acceptor allocate most.
struct Stranger {
  std::unique_ptr<Handshake> handshake;  // the acceptor's
  std::uint64_t number = 0;              // of the ClientHello

  Stranger(dtls::Listener& listener, const Identities& identities, Time now) {
    const auto initiator = Handshake::initiate(identities.initiator, now);
    auto answer = listener.receive(initiator->take_output().at(0), initiator_address, now);
    initiator->receive(answer.output.at(0), now);
    const auto hello = initiator->take_output().at(0);
    number = record::decode(hello.data()).sequence;
    handshake = std::move(listener.receive(hello, initiator_address, now).handshake);
    REQUIRE(handshake != nullptr);
    handshake->take_output();
  }

  void flood(Time now) const {
    for (unsigned i = 1; i <= 100; ++i) {
      handshake->receive(forged_record(ContentType::handshake, i, Fragment(250), 1), now);
      handshake->receive(forged_record(ContentType::handshake, i, Fragment(48), 1), now);
    }
    std::uint64_t next = number;
    for (std::uint8_t sequence = 1; sequence < 12; ++sequence) {
      // The beginnings of ClientHello, Certificate, CertificateVerify and ClientKeyExchange, as
      // long as a filter might let them be.
      handshake->receive(forged_message(1, sequence, ++next, {0}, 4096), now);
      handshake->receive(forged_message(11, sequence, ++next, {0}, 16384), now);
      handshake->receive(forged_message(15, sequence, ++next, {0}, 2048), now);
      handshake->receive(forged_message(16, sequence, ++next, {0}, 256), now);
      handshake->receive(forged_message(16, sequence, ++next, {0}, 16384), now);
    }
    handshake->take_drops();
  }
};

// Pages of the program in memory, as the kernel counts them.
std::size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t all = 0;
  std::size_t resident = 0;
  REQUIRE(statm >> all >> resident);
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

TEST_CASE("a half-open handshake takes a bounded amount of memory and gives it back") {
  constexpr std::size_t strangers = 16;
  constexpr std::size_t most_at_begin = 70'000;
  constexpr std::size_t most = 100'000;
  const auto identities = make_identities();
  const Time now(std::chrono::hours(1));
  virtual_clock::set(now);
  dtls::Listener listener(identities.acceptor);
  Stranger(listener, identities, now).flood(now);  // fills OpenSSL's caches
  if (!counts_allocations()) return;               // a sanitizer's
  const auto before = allocated();
  const auto resident_before = resident_bytes();
  std::size_t each_begun = 0;
  std::size_t each_flooded = 0;
  std::size_t resident_flooded = 0;
  // Parts in use between the handshakes, so that the heap does not just shrink at its end.
  std::vector<std::unique_ptr<Fragment>> between;
  {
    std::vector<Stranger> all;
    all.reserve(strangers);
    for (std::size_t i = 0; i < strangers; ++i) {
      all.emplace_back(listener, identities, now);
      between.push_back(std::make_unique<Fragment>(100));
    }
    each_begun = (allocated() - before) / strangers;
    for (const auto& stranger : all) {
      stranger.flood(now);
      CHECK(stranger.handshake->progress() == Progress::waiting);
      between.push_back(std::make_unique<Fragment>(100));
    }
    each_flooded = (allocated() - before) / strangers;
    resident_flooded = resident_bytes();
  }
  const auto resident_after = resident_bytes();
  CAPTURE(each_begun, each_flooded, resident_before, resident_flooded, resident_after);
  CHECK(each_begun <= most_at_begin);
  CHECK(each_flooded <= most);
  CHECK(allocated() <= before + 48 * 1024);
  CHECK(resident_after <= resident_before + 512 * 1024);
}
