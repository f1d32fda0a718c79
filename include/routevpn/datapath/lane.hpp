// The path of packets through the process, without system calls:
//
// clang-format off
//     inside -> outside   from_inside()   segments a super-packet into the batch of its class
//                         seal()          seals the batches in place, returns the runs to send
//     outside -> inside   from_outside()  splits datagrams into records, opens them in place,
//                                         answers control messages
//                         join()          returns the super-packets to write
// clang-format on
//
// from_outside() passes handshake records to the mailbox. A lane allocates nothing
// after construction and reads no clock. Its one system call draws the random numbers of a path
// challenge (candidates.hpp). Only one thread uses it. A second thread may carry the data of sparse
// flows over its associations: sparse_lane.hpp.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "routevpn/base/drop.hpp"
#include "routevpn/base/rate_limit.hpp"
#include "routevpn/datapath/datagram_run.hpp"
#include "routevpn/datapath/flow_classes.hpp"
#include "routevpn/datapath/fragments.hpp"
#include "routevpn/datapath/lane_counters.hpp"
#include "routevpn/datapath/lane_policy.hpp"
#include "routevpn/datapath/lane_state.hpp"
#include "routevpn/datapath/mailbox.hpp"
#include "routevpn/datapath/source_table.hpp"
#include "routevpn/datapath/sparse_flow.hpp"
#include "routevpn/datapath/sparse_lane.hpp"
#include "routevpn/inside/coalesce.hpp"
#include "routevpn/inside/outbound_batch.hpp"
#include "routevpn/inside/segment.hpp"
#include "routevpn/inside/steering.hpp"
#include "routevpn/outside/udp.hpp"

namespace routevpn::datapath {

class Lane {
 public:
  // `udp_offload`: the interface accepts UDP super-packets.
  Lane(Mailbox& mailbox, LaneCounters& counters, bool udp_offload, LanePolicy policy = {});

  // Executes the commands in the mailbox. Call it between the receive of a datagram and
  // from_outside(): then the keys that the peer may already use are installed.
  void execute_commands(Time now);
  // The next keepalive, or the time at which one is missing. Call on_timer() then, after what was
  // received is handed in.
  [[nodiscard]] std::optional<Time> due() const { return keepalives_.due(); }

  // What a second thread may do now. Any call of this class may change it. sparse_view_until() is
  // when the view closes unless the peer answers before.
  [[nodiscard]] SparseView sparse_view(Time now) const;
  [[nodiscard]] std::optional<Time> sparse_view_until() const { return sparse_.late_at(); }
  FlowClasses& classes() { return classes_; }
  // The flows that a second thread reads. Call it before the first packet.
  void steered_by(const inside::Steering& steering) { steering_ = &steering; }
  [[nodiscard]] const OuterClass& outer_class() const { return policy_.outer_class; }
  // The second thread has used the sparse flow, so seal() may have a request to send.
  void sparse_is_used() { sparse_wanted_ = true; }
  // The slots of flows that have sent a sparse packet since forget_sparse_slots(). Flows that are
  // steered already are left out.
  [[nodiscard]] std::span<const FlowClasses::Slot> sparse_slots() const { return sparse_slots_; }
  void forget_sparse_slots() { sparse_slots_.clear(); }
  void on_timer(Time now);

  // Inside -> outside. When must_flush() is true, seal and send before the next packet. If the peer
  // reassembles fragments, packets above `mtu` pass: they waited when the MTU fell. `keep_sparse`:
  // the packet's flow has the sparse way, whatever it sends.
  void from_inside(const inside::VirtioNetHeader& header, Bytes packet, std::size_t mtu, Time now,
                   bool keep_sparse = false);
  [[nodiscard]] bool must_flush() const;
  [[nodiscard]] bool has_outbound() const {
    return !outbound_.empty() || !sparse_outbound_.empty();
  }
  // The runs to send, those of the sparse flow first. Valid until sent(), which empties the
  // batches. May queue a control message.
  std::span<const DatagramRun> seal(Time now);
  void sent();

  // Outside -> inside. Received bytes must stay in place until the packets of join() are written.
  // Between two calls of join() at most receive_bytes are handed in.
  static constexpr std::size_t receive_bytes = std::size_t{4} * 65536;
  // `flow`: whose socket received it.
  void from_outside(const outside::Received& received, Time now, UdpFlow flow = UdpFlow::bulk);
  // The super-packets of everything handed in since the last call, valid until from_outside().
  std::span<const inside::SuperPacket> join();
  // Control messages and alerts of from_outside() and execute_commands(). Send them at once. Each
  // is sealed when it is queued, because the next command may retire its association.
  [[nodiscard]] std::span<const DatagramRun> control_runs() const { return control_runs_; }
  void control_sent();

  void count_sent(const DatagramRun& run, std::size_t bytes);
  void count_written(const inside::SuperPacket& packet);
  void drop(Drop reason, std::uint64_t n = 1) { counters_.drops.add(reason, n); }
  // In the order of a hand-over: the lane seals and opens nothing from now on. Its successor
  // resumes before its first packet. resume() throws SystemError when the library of a cipher
  // fails.
  [[nodiscard]] LaneState hand_over();
  void resume(const LaneState& state, Time now);
  // False if the queue of events is full. Callers repeat events that must not be lost.
  bool announce(AssociationId id, const decltype(LaneEvent::what)& what);
  // Whether there is an event since the last call that the control thread must learn of now.
  bool take_wake() { return std::exchange(wakes_control_, false); }

 private:
  // One seals, one or two are being installed, the others only open late records.
  static constexpr std::size_t max_associations = 4;
  static constexpr std::uint64_t max_forgeries = std::uint64_t{1} << 28;  // RFC 9325 section 4.4

  void install(InstallAssociation&& command, Time now);
  void retire(AssociationId id, Time now);
  void activate(Association& association);
  void seal_batch(inside::OutboundBatch& batch, const Way& way, Time now);
  void queue_control(const ControlMessage& message, std::size_t padded_bytes = 0);
  void queue_alert(const SendAlert& alert);
  bool append_control(const ControlMessage& message, std::size_t padded_bytes);
  bool seal_control(Association& association, record::ContentType type, const Way& way);
  void copy_to_candidate(std::vector<DatagramRun>& runs, std::size_t from);
  void limit_reached(Association& association, std::uint64_t packets);

  // Where and when the argument of from_outside() arrived.
  struct Arrival {
    outside::Endpoint from;
    Time now;
    bool from_endpoint;  // of an association
    bool allowed;        // from there, or from where the peer may move to
    bool sparse;         // by the sparse flow
  };
  [[nodiscard]] bool is_bulk_endpoint(const SocketAddress& address) const;
  void split_datagram(Bytes datagram, const Arrival& arrival);
  void forward_handshake(Bytes record, const Arrival& arrival);
  [[nodiscard]] bool is_peer(const IpAddress& address) const;
  bool open_record(const record::Split& split, const Arrival& arrival);
  void record_without_keys(const record::Split& split, const Arrival& arrival);
  Association* open_with_any(const record::Split& split, const Arrival& arrival,
                             record::Opened& opened);
  bool open_with(Association& association, const record::Split& split, const Arrival& arrival,
                 record::Opened& opened);
  void follow_peer(Association& association, std::size_t bytes, const Arrival& arrival);
  bool challenge(Association& association, Candidate& candidate, std::size_t payload_bytes,
                 Time now);
  bool take_path_proof(const ControlMessage& reply, const Arrival& arrival);
  void move_endpoint(Association& association, const Arrival& arrival);
  void announce_roam(Association& association);
  void confirm(Association& association);
  void deliver(Association& association, Bytes payload, const Arrival& arrival);
  void deliver_packet(Bytes packet, inside::Ecn outer_ecn);
  void check_limits(Association& association);

  // control.cpp
  void take_alert(Association& association, ConstBytes payload, std::uint64_t sequence, Time now);
  void control_message(Association& association, ConstBytes payload, const Arrival& arrival);
  void take_echo_reply(const Association& association, const ControlMessage& reply,
                       const Arrival& arrival);
  bool put_event(AssociationId id, const decltype(LaneEvent::what)& what);

  // sparse.cpp
  inside::OutboundBatch& batch_for(ConstBytes packet, std::size_t mtu, Time now, bool keep_sparse);
  void note_sparse_slot(FlowClasses::Slot slot);
  [[nodiscard]] bool is_sparse(const SocketAddress& from, UdpFlow flow, Time now) const;
  [[nodiscard]] bool is_sparse_remote(const SocketAddress& address) const {
    return sparse_.remote() && sparse_.remote()->remote == address;
  }
  void follow(Association& association, ConstBytes payload, std::size_t record_bytes,
              const Arrival& arrival);
  void show_bulk(Time now);
  void answer_echo(const Association& association, const ControlMessage& request,
                   const Arrival& arrival);
  void reply(const ControlMessage& message, const Arrival& arrival);
  void request_sparse(std::size_t payload_bytes, Time now);
  void probe_sparse(Time now);
  void probe_sparse_limit(Time now);
  void answer_sparse(Association& association, const ControlMessage& request,
                     std::size_t payload_bytes, const Arrival& arrival);
  void sparse_answered(const Association& association, const ControlMessage& reply,
                       const Arrival& arrival);
  bool take_sparse_proof(const ControlMessage& reply, const Arrival& arrival);
  void sparse_found(const outside::Endpoint& remote, std::size_t payload_bytes);
  void lose_sparse();
  void announce_sparse();
  void bulk_answered(const ControlMessage& reply, Duration round_trip);

  Mailbox& mailbox_;
  LaneCounters& counters_;
  LanePolicy policy_;
  std::shared_ptr<const PrefixSet> inner_sources_;  // in the place of the policy's

  // Newest first. sending_ and receiving_ point into it or are nullptr.
  std::vector<std::shared_ptr<Association>> associations_;
  Association* sending_ = nullptr;
  Association* receiving_ = nullptr;  // opened the last record; tried first for the next

  inside::OutboundBatch outbound_;
  inside::OutboundBatch sparse_outbound_;
  std::vector<DatagramRun> runs_;
  Fragmenter fragmenter_;
  std::size_t payload_limit_ = record::max_plaintext_bytes;
  // Each packet is sent as its own run. The headroom fits the cipher suite with the longest nonce.
  inside::OutboundBatch control_;
  std::vector<DatagramRun> control_runs_;

  inside::Ecn outer_ecn_ = inside::Ecn::not_ect;  // of the argument of from_outside()
  std::vector<Bytes> payloads_;
  Reassembler reassembler_;
  inside::Coalescer coalescer_;
  Keepalives keepalives_;
  SparseFlow sparse_;
  FlowClasses classes_;
  std::vector<FlowClasses::Slot> sparse_slots_;
  const inside::Steering* steering_ = nullptr;
  bool wakes_control_ = false;    // see take_wake()
  bool sparse_wanted_ = false;    // a packet took the sparse flow, or would have
  bool sparse_announced_ = true;  // the mailbox took the event for its current state
  std::optional<Time> bulk_shown_at_;
  Time overtaking_request_{};               // sealed while a batch waited
  HandshakeDatagram* handshake_ = nullptr;  // takes the records of the current datagram
  RateLimit challenges_;                    // sent
  RateLimit peer_control_;                  // control messages and alerts of the peer
  // Of strangers' records: those that the cipher refuses, and events RecordWithoutKeys.
  struct Source {
    RateLimit forgeries;
    RateLimit without_keys;
  };
  SourceTable<Source, 6> sources_;
  // Where else the peer's handshakes may come from: the address that the control thread expects,
  // and the endpoint of the association retired last.
  std::optional<IpAddress> expected_peer_;
  std::optional<IpAddress> last_peer_;
  SocketAddress ended_peer_;  // of the association that was retired last
  Time ended_at_{};
};

}  // namespace routevpn::datapath
