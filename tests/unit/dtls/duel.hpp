// Our end of a handshake against the scripted peer, in memory, on the virtual clock.
#pragma once

#include <memory>
#include <string>

#include "routevpn/dtls/listener.hpp"

#include "pair.hpp"
#include "scripted/peer.hpp"

namespace routevpn::test {

// The identity of our end, the credentials of the scripted peer, and a valid identity of the peer.
struct Sides {
  std::shared_ptr<const dtls::Identity> ours;
  std::shared_ptr<const scripted::Credentials> peers;
  std::shared_ptr<const dtls::Identity> other;
};
// Our end is V3-1 or V3-2, and the peer has a certificate of the same CA. Made once.
const Sides& plain_sides(dtls::Role ours);

class Duel {
 public:
  Duel(dtls::Role ours, const Sides& sides, scripted::Deviation deviation = {});

  // Delivers datagrams until none is in flight.
  void exchange();
  // The same, and time passes until our end has completed or failed.
  void finish();
  void deliver(ConstBytes datagram);  // to our end

  [[nodiscard]] const dtls::Handshake* ours() const { return ours_.get(); }
  [[nodiscard]] dtls::Progress progress() const;  // waiting while our acceptor has no handshake
  [[nodiscard]] bool completed() const;           // both ends

  scripted::Peer peer;
  Time now;
  std::vector<Datagram> sent;  // by our end
  [[nodiscard]] std::size_t sent_bytes() const;
  std::size_t received_bytes = 0;           // by our end
  [[nodiscard]] std::string drops() const;  // reasons of our end, with blanks between

 private:
  void collect();

  dtls::Listener listener_;
  dtls::PskPtr psk_;  // none without a PSK
  std::unique_ptr<dtls::Handshake> ours_;
  std::vector<Datagram> in_flight_;  // to the peer
  std::vector<Drop> drops_;
};

// Application data of our record layer.
Datagram seal_data(const dtls::Established& established, const std::string& text);
std::string open_data(const dtls::Established& established, Datagram datagram);

}  // namespace routevpn::test
