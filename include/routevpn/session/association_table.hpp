// The associations of one lane: the one in use, newer ones that have not proved themselves yet, and
// older ones kept for records that were under way while keys changed. Pure: it keeps times and
// leaves commands to the session.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "routevpn/base/clock.hpp"
#include "routevpn/datapath/association.hpp"
#include "routevpn/dtls/handshake.hpp"

namespace routevpn::session {

struct AssociationStatus {
  dtls::CertificateInfo peer;
  std::string cipher;
  record::CipherSuite suite = record::CipherSuite::aes_128_gcm;
  record::CryptoBackend backend = record::CryptoBackend::openssl;
  bool control_messages = false;
  bool sparse_flow = false;
  outside::Endpoint endpoint;
  Time established{};
  std::shared_ptr<const dtls::CertificateChain> peer_chain;
};

class AssociationTable {
 public:
  // Replaced keys still open records for this time (RFC 6347 section 4.1).
  static constexpr Duration old_keys_time = std::chrono::seconds(10);

  struct Entry {
    datapath::AssociationId id;
    AssociationStatus status;
    datapath::DyingGasp gasp{};
    bool confirmed = false;             // the peer has shown that it has the keys
    std::optional<Time> retire_at{};    // its keys are wiped then
    std::optional<Time> activate_at{};  // a plain peer is silent: the acceptor seals first then
    std::optional<Time> ends_at{};      // may not be used from then on
    bool beside_live = false;           // made while the association in use was alive
  };

  // Beside an association in use the new one is retired unless it is confirmed within
  // old_keys_time.
  Entry& add(datapath::AssociationId id, AssociationStatus status);
  // The newest confirmed association becomes the one in use. False: a newer one already is.
  bool confirm(Entry& entry, Time now);
  void clear();
  // Removes the entries that are due and returns their ids.
  std::vector<datapath::AssociationId> retire(Time now);
  [[nodiscard]] std::optional<Time> retire_due() const { return first(&Entry::retire_at); }
  [[nodiscard]] std::optional<Time> activate_due() const { return first(&Entry::activate_at); }
  [[nodiscard]] std::optional<Time> end_due() const { return first(&Entry::ends_at); }

  [[nodiscard]] bool empty() const { return entries_.empty(); }
  [[nodiscard]] std::vector<Entry>& entries() { return entries_; }  // newest last
  [[nodiscard]] const Entry& newest() const { return entries_.back(); }
  [[nodiscard]] Entry* find(datapath::AssociationId id);
  [[nodiscard]] const Entry* current() const;  // nullptr: none is in use
  [[nodiscard]] datapath::AssociationId current_id() const { return current_id_; }  // 0: none

 private:
  [[nodiscard]] std::optional<Time> first(std::optional<Time> Entry::*time) const;

  std::vector<Entry> entries_;
  datapath::AssociationId current_id_ = 0;
};

}  // namespace routevpn::session
