#include "routevpn/datapath/association.hpp"

namespace routevpn::datapath {

Association::Association(AssociationId number, const dtls::Established& established,
                         record::CryptoBackend backend, const outside::Endpoint& peer,
                         const RecordLimits& limits)
    : id(number),
      stop_at(std::min(limits.stop_at,
                       record::traits(established.suite).record_limit - records_for_alerts)),
      sealer(backend, established.suite, established.send, established.first_send_sequence,
             established.explicit_nonce_base, stop_at + records_for_alerts),
      opener(backend, established.suite, established.receive),
      endpoint(peer),
      control_messages(established.control_messages),
      rekey_after(limits.rekey_after.value_or(record::traits(established.suite).rekey_after)) {}

}  // namespace routevpn::datapath
