// A packet's way through the process, without the system calls at its ends:
//
//   inside -> outside  from_inside() segments a super-packet into the batch, seal() protects the
//                      batch in place and gives the runs to send
//   outside -> inside  from_outside() splits datagrams into records, opens them in place and
//   answers
//                      control messages; join() gives the super-packets to write
//
// Handshake records leave this way at the split, into the mailbox. No lock, no allocation, no
// clock: one thread uses a lane, or a test that plays the thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "routevpn/base/drop.hpp"
#include "routevpn/datapath/fragments.hpp"
#include "routevpn/datapath/lane_counters.hpp"
#include "routevpn/datapath/mailbox.hpp"
#include "routevpn/datapath/outer_class.hpp"
#include "routevpn/inside/coalesce.hpp"
#include "routevpn/inside/outbound_batch.hpp"
#include "routevpn/inside/segment.hpp"
#include "routevpn/outside/udp.hpp"

namespace routevpn::datapath {

// Sealed datagrams of one size and traffic class, the last possibly shorter, one behind the other.
struct DatagramRun {
  const std::uint8_t* data = nullptr;
  std::size_t bytes = 0;
  std::size_t segment_bytes = 0;
  std::size_t overhead_bytes = 0;  // of each datagram, around its packet
  bool control = false;            // no inside packets: not counted as such
  outside::Endpoint to;
  std::uint8_t traffic_class = 0;
};

class Lane {
 public:
  // `udp_offload`: the interface takes UDP super-packets.
  Lane(Mailbox& mailbox, LaneCounters& counters, bool udp_offload,
       OuterClass outer_class = OuterClass());

  // Does what the control thread has asked for since. Call it between receiving a datagram and
  // handing it in: keys that the peer may already use are then always there.
  void execute_commands(Time now);

  // Inside -> outside. wants_flush() says when the batch must be sealed and sent before more. To a
  // peer that knows pieces, packets above `mtu` pass: they are what waited when it fell.
  void from_inside(const inside::VirtioNetHeader& header, Bytes packet, std::size_t mtu);
  [[nodiscard]] bool wants_flush() const;
  // The runs of the batch, good until the batch is begun anew, which sent() does.
  std::span<const DatagramRun> seal();
  void sent();

  // Outside -> inside. What was received must stay where it is until it was joined and written; of
  // at most receive_bytes between two joins.
  static constexpr std::size_t receive_bytes = std::size_t{2} * 65536;
  void from_outside(const outside::Received& received, Time now);
  // The super-packets of all that was handed in since the last call; good until something is.
  std::span<const inside::SuperPacket> join();
  // What from_outside() and execute_commands() want sent at once: answers, probes, alerts. Each is
  // sealed when it is asked for, for its association may be gone a moment later.
  [[nodiscard]] std::span<const DatagramRun> control_runs() const { return control_runs_; }
  void control_sent();

  void count_sent(const DatagramRun& run, std::size_t bytes);
  void count_written(const inside::SuperPacket& packet);
  void drop(Drop reason, std::uint64_t n = 1) { counters_.drops.add(reason, n); }
  // Whether there was room: what must be known is announced again until there is.
  bool announce(AssociationId id, const decltype(LaneEvent::what)& what);

 private:
  // The one that seals, one or two being taken over, and those still open for stragglers.
  static constexpr std::size_t max_associations = 4;
  static constexpr std::uint64_t max_forgeries = std::uint64_t{1} << 28;  // RFC 9325 section 4.4

  void install(InstallAssociation&& command);
  void retire(AssociationId id);
  void activate(Association& association);
  Association* find(AssociationId id);
  void queue_control(const ControlMessage& message, std::size_t padded_bytes = 0);
  void queue_alert(const SendAlert& alert);
  void seal_control(record::ContentType type);
  void limit_reached(std::uint64_t packets);

  void split_datagram(Bytes datagram, const outside::Endpoint& from, Time now);
  void forward_handshake(Bytes record, const outside::Endpoint& from);
  void open_record(const record::Split& split, const outside::Endpoint& from, Time now);
  void record_without_keys(const record::Split& split, const outside::Endpoint& from, Time now);
  Association* open_with_any(const record::Split& split, record::Opened& opened);
  bool open_with(Association& association, const record::Split& split, record::Opened& opened);
  void authentic(Association& association, bool newest, const outside::Endpoint& from, Time now);
  void confirmed(Association& association);
  void deliver(Association& association, Bytes payload, Time now);
  void control_message(Association& association, ConstBytes payload, Time now);
  void deliver_packet(Bytes packet, inside::Ecn outer_ecn);
  void check_limits(Association& association);

  Mailbox& mailbox_;
  LaneCounters& counters_;
  OuterClass outer_class_;

  // Newest first. The other two are one of them, or nullptr.
  std::vector<std::unique_ptr<Association>> associations_;
  Association* sending_ = nullptr;
  Association* receiving_ = nullptr;  // opened the last record: most likely the next one's, too

  inside::OutboundBatch outbound_;
  std::vector<DatagramRun> runs_;
  Fragmenter fragmenter_;
  std::size_t payload_limit_ = record::max_plaintext_bytes;
  // Each of these goes as a run of its own, so its headroom is that of the longest record header.
  inside::OutboundBatch control_;
  std::vector<DatagramRun> control_runs_;

  inside::Ecn outer_ecn_ = inside::Ecn::not_ect;  // of what from_outside() was given
  std::vector<Bytes> payloads_;
  Reassembler reassembler_;
  inside::Coalescer coalescer_;
  HandshakeDatagram* handshake_ = nullptr;  // the slot this datagram's records go to
  Time next_without_keys_event_{};          // when the control thread is told of one again
};

}  // namespace routevpn::datapath
