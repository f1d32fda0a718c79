#include "routevpn/link/association.hpp"

namespace routevpn::link {

Association::Association(AssociationId number, const dtls::Established& established,
                         record::CryptoBackend backend, const outside::Endpoint& peer,
                         const RecordLimits& limits)
    : id(number),
      sealer(backend, established.suite, established.send, established.first_send_sequence,
             established.explicit_nonce_base,
             std::min(limits.stop_at, record::traits(established.suite).record_limit)),
      opener(backend, established.suite, established.receive),
      endpoint(peer),
      control_messages(established.control_messages),
      renew_after(limits.renew_after.value_or(record::traits(established.suite).renew_after)) {}

}  // namespace routevpn::link
