#include "routevpn/link/handover.hpp"

#include <array>
#include <cstring>
#include <utility>

#include <unistd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/dtls/credentials.hpp"
#include "routevpn/options/link_table.hpp"
#include "routevpn/signer/remote_key.hpp"

namespace routevpn::link {

namespace {

std::string content_of(const Fd& file) {
  std::string text;
  std::array<char, 4096> part{};
  for (;;) {
    const auto got = pread(file.get(), part.data(), part.size(), static_cast<off_t>(text.size()));
    if (got < 0) throw system_error("a file of the monitor");
    if (got == 0) return text;
    text.append(part.data(), static_cast<std::size_t>(got));
  }
}

Handover handover_of(const channel::Start& start, std::vector<Fd> descriptors) {
  const std::size_t end_of_lanes =
      channel::descriptors_before_lanes + channel::descriptors_of_lane * start.lanes;
  const std::size_t behind_lanes =
      start.sparse_queue != 0 ? channel::descriptors_of_sparse_queue : 0;
  if (start.lanes == 0 || descriptors.size() != end_of_lanes + behind_lanes) {
    throw SystemError("the monitor's start has " + std::to_string(descriptors.size()) +
                      " descriptors");
  }
  auto next = descriptors.begin() + channel::files_of_reload;
  Handover given{start,
                 std::string(start.link.view()),
                 std::string(start.ifname.view()),
                 read_files(std::span(descriptors).first(channel::files_of_reload)),
                 {},
                 std::vector<std::optional<IpAddress>>(start.lanes),
                 std::move(next[0]),
                 outside::RouteProbe::adopt(start.lookup_v4 != 0 ? std::move(next[1]) : Fd(),
                                            start.lookup_v6 != 0 ? std::move(next[2]) : Fd()),
                 std::move(next[3]),
                 StateMemory::of(next[4]),
                 {}};
  const int family = start.socket_is_v4 != 0 ? AF_INET : AF_INET6;
  const bool routed_source = !given.files.options.peers.empty();
  const auto adopt_sparse = [&](Fd& fd) {
    return routed_source ? outside::UdpSocket::adopt(std::move(fd), family, true)
                         : outside::UdpSocket::adopt_beside(std::move(fd), family);
  };
  const auto adopt_queue = [&](Fd& fd) {
    return inside::Tun::adopt(std::move(fd), given.ifname, start.udp_offload != 0);
  };
  next += 5;
  for (std::uint32_t lane = 0; lane < start.lanes; ++lane, next += channel::descriptors_of_lane) {
    const bool has_sparse = (start.sparse_sockets >> lane & 1) != 0;
    given.lanes.push_back({outside::UdpSocket::adopt(std::move(next[0]), family, routed_source),
                           has_sparse ? std::optional(adopt_sparse(next[1])) : std::nullopt,
                           adopt_queue(next[2])});
  }
  if (start.sparse_queue != 0) {
    given.lanes.front().sparse_queue.emplace(
        datapath::LaneEnds::SparseQueue{adopt_queue(next[0]), std::move(next[1])});
  }
  return given;
}

}  // namespace

FileContents read_files(std::span<const Fd> descriptors) {
  if (descriptors.size() != channel::files_of_reload) {
    throw SystemError("the monitor's files are not complete");
  }
  return {options::from_config(content_of(descriptors[0])), content_of(descriptors[1]),
          content_of(descriptors[2]), content_of(descriptors[3])};
}

Handover receive_handover(MonitorClient& monitor) {
  dtls::Psks psks;
  std::vector<channel::RememberedPeer> remembered;
  for (;;) {
    auto message = monitor.wait_for_next();
    if (auto psk = psk_of(message)) psks.push_back(std::move(psk));
    if (const auto peer = message.as<channel::RememberedPeer>()) remembered.push_back(*peer);
    const auto start = message.as<channel::Start>();
    if (!start) continue;
    auto given = handover_of(*start, std::move(message.descriptors()));
    given.psks = std::move(psks);
    for (const auto& peer : remembered) {
      const auto address = peer.peer.get();
      if (address && peer.lane < given.last_peers.size()) {
        given.last_peers[peer.lane] = address->address;
      }
    }
    return given;
  }
}

dtls::PskPtr psk_of(const channel::Message& message) {
  channel::PskSecrets secrets{};
  if (!message.copy_to(secrets)) return nullptr;
  auto psk = dtls::Psk::of_secrets(secrets.envelope, secrets.traffic);
  explicit_bzero(&secrets, sizeof secrets);
  return psk;
}

std::shared_ptr<const dtls::Identity> make_identity(const FileContents& files, dtls::Psks psks,
                                                    std::uint8_t key, MonitorClient& monitor) {
  auto credentials =
      dtls::parse_credentials({files.certificates, files.authorities, files.revocations});
  credentials.psks = std::move(psks);
  credentials.key = signer::remote_key(
      X509_get0_pubkey(credentials.certificate.get()),
      [&monitor, key](const signer::SignRequest& request, std::span<std::uint8_t> signature) {
        return monitor.sign(key, request, signature);
      });
  return dtls::Identity::make(
      credentials, {files.options.peer_name, files.options.ciphers, files.options.crl_grace});
}

}  // namespace routevpn::link
