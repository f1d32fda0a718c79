#include "routevpn/datapath/association.hpp"

#include "routevpn/datapath/mailbox.hpp"

namespace routevpn::datapath {

DyingGasp Association::seal_dying_gasp() {
  DyingGasp gasp;
  const std::size_t headroom = record::headroom(sealer.suite());
  std::uint8_t* const alert = gasp.record.data() + headroom;
  alert[0] = alert_warning;
  alert[1] = alert_close_notify;
  constexpr std::uint32_t alert_bytes = 2;
  if (sealer.seal_last({alert, alert_bytes, 0}, record::ContentType::alert)) {
    gasp.bytes = headroom + alert_bytes + record::tailroom;
  }
  return gasp;
}

Association::Association(const AssociationState& state, record::CryptoBackend backend)
    : id(state.id),
      stop_at(state.stop_at),
      sealer(backend, state.suite, state.sealer),
      opener(backend, state.suite, state.opener),
      endpoint(state.endpoint),
      endpoint_heard(state.endpoint_heard),
      control_messages(state.control_messages),
      sparse_flow(state.sparse_flow),
      role(state.role),
      rekey_after(state.rekey_after),
      backend_in_use(backend),
      forged(state.forged),
      confirmed(state.confirmed),
      rekey_announced(state.rekey_announced),
      limit_announced(state.limit_announced),
      roam_announced(false),
      echo_requests(state.echo_requests) {
  if (sparse_flow) add_second_thread();
}

AssociationState Association::hand_over() {
  return {id,
          sealer.suite(),
          backend_in_use,
          stop_at,
          sealer.hand_over(),
          opener.state(),
          endpoint,
          endpoint_heard,
          control_messages,
          sparse_flow,
          role,
          rekey_after,
          forged,
          confirmed,
          rekey_announced,
          limit_announced,
          echo_requests};
}

}  // namespace routevpn::datapath
