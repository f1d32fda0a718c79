#include "routevpn/datapath/lane.hpp"

#include <algorithm>
#include <utility>

#include "routevpn/base/mtu.hpp"
#include "routevpn/base/overloaded.hpp"

namespace routevpn::datapath {
namespace {

constexpr std::size_t gcm_explicit_nonce_bytes = 8;  // RFC 5288 section 3
constexpr std::size_t max_record_headroom = record::header_bytes + gcm_explicit_nonce_bytes;

// Runs of a batch that are copied to a candidate. Its credit is mostly used up earlier.
constexpr std::size_t max_copies = 256;

// As many of the smallest records with an IP packet as receive_bytes hold.
constexpr std::size_t max_payloads =
    Lane::receive_bytes / (record::header_bytes + ipv4_header_bytes + record::tailroom) + 1;

constexpr std::size_t max_sparse_slots = 64;

// One reply for each datagram of a receive: UDP_GRO returns at most 64.
constexpr std::size_t max_control = 64;
// And two probes of the largest size: one of the search, one for the MTU that ICMP reported.
constexpr std::size_t control_bytes =
    max_control * (max_record_headroom + control_message_bytes + record::tailroom) +
    2UL * maximum_mtu;

}  // namespace

Lane::Lane(Mailbox& mailbox, LaneCounters& counters, bool udp_offload, LanePolicy policy)
    : mailbox_(mailbox),
      counters_(counters),
      policy_(std::move(policy)),
      inner_sources_(std::make_shared<PrefixSet>(std::move(policy_.sources))),
      outbound_(outbound_bytes, outbound_packets),
      sparse_outbound_(outbound_bytes, outbound_packets),
      control_(control_bytes, max_control),
      coalescer_(max_payloads, udp_offload) {
  associations_.reserve(max_associations + 1);
  runs_.reserve(2 * outbound_packets + max_copies);
  control_runs_.reserve(2 * max_control);  // with copies to a candidate
  payloads_.reserve(max_payloads);
  sparse_slots_.reserve(max_sparse_slots);
  control_.clear(max_record_headroom, record::tailroom);
}

void Lane::execute_commands(Time now) {
  while (LaneCommand* const slot = mailbox_.commands.front()) {
    LaneCommand command = std::exchange(*slot, std::monostate{});
    mailbox_.commands.release();
    std::visit(
        Overloaded{
            [](std::monostate) {},
            [this, now](InstallAssociation& wanted) { install(std::move(wanted), now); },
            [this](const ActivateAssociation& wanted) {
              for (const auto& each : associations_) {
                if (each->id == wanted.id) activate(*each);
              }
            },
            [this, now](const RetireAssociation& wanted) { retire(wanted.id, now); },
            [this, now](SendControl& wanted) {
              wanted.message.stamp = stamp_of(now);
              queue_control(wanted.message, wanted.padded_bytes);
            },
            [this, now](const SendEcho& wanted) {
              keepalives_.begin(wanted, now);
              queue_control({ControlMessage::Kind::echo_request, wanted.sequence, stamp_of(now)});
            },
            [this](const SendAlert& wanted) {
              queue_alert(wanted);
              // The peer has no keys for what would follow.
              if (wanted.description == alert_close_notify) keepalives_.end();
            },
            [this, now](const ProbeSparseFlow&) { probe_sparse(now); },
            [this, now](const LimitPayload& wanted) {
              payload_limit_ = wanted.bytes;
              probe_sparse_limit(now);
            },
            [this](const ExpectPeer& wanted) { expected_peer_ = wanted.address; },
            [this](AcceptSources& wanted) { inner_sources_ = std::move(wanted.sources); },
        },
        command);
  }
}

void Lane::install(InstallAssociation&& command, Time now) {
  associations_.insert(associations_.begin(), std::move(command.association));
  if (command.send_now) activate(*associations_.front());
  if (associations_.size() > max_associations) {
    // Retire the oldest association that does not seal.
    const auto& oldest = associations_.back();
    retire((oldest.get() == sending_ ? associations_[max_associations - 1] : oldest)->id, now);
  }
}

void Lane::retire(AssociationId id, Time now) {
  if (sending_ != nullptr && sending_->id == id) sending_ = nullptr;
  if (receiving_ != nullptr && receiving_->id == id) receiving_ = nullptr;
  std::erase_if(associations_, [this, id, now](const auto& association) {
    if (association->id != id) return false;
    last_peer_ = association->endpoint.remote.address;
    ended_peer_ = association->endpoint.remote;
    ended_at_ = now;
    return true;
  });
  if (!associations_.empty()) return;
  lose_sparse();
  keepalives_.end();
}

void Lane::activate(Association& association) {
  // A late record of an older association must not make the lane seal with it again.
  if (sending_ == nullptr || association.id > sending_->id) sending_ = &association;
}

void Lane::check_limits(Association& association) {
  const auto most = std::max(association.sealer.sealed(), association.opener.opened());
  // An attacker can forge any number of records in the endpoint's name. A rekey starts the count
  // again. Those from other sources are too few to matter: receive.cpp limits their rate.
  const auto forged = association.forged;
  if ((most >= association.rekey_after || forged >= max_forgeries / 2) &&
      !association.rekey_announced) {
    association.rekey_announced = announce(association.id, RekeyDue{});
  }
  if (forged >= max_forgeries && !association.limit_announced) {
    association.limit_announced = announce(association.id, LimitReached{});
  }
}

}  // namespace routevpn::datapath
