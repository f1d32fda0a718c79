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

}  // namespace routevpn::datapath
