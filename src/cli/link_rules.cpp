#include <algorithm>

#include <net/if.h>
#include <sys/un.h>

#include "routevpn/cli/link_table.hpp"
#include "routevpn/record/cipher.hpp"

namespace routevpn::cli {

namespace {

constexpr auto nothing_to_do =
    "nothing to do: give --peer HOST[:PORT], --listen [ADDR:]PORT or --config FILE";
constexpr unsigned ipv6_minimum_mtu = 1280;  // RFC 8200 section 5; the kernel refuses less

class Rules {
 public:
  Rules(LinkDraft& draft, const Given& given)
      : draft_(draft), options_(draft.options), given_(given) {}

  Ruling run() {
    if (given_.empty()) {
      fault(nothing_to_do);
      return std::move(ruling_);
    }
    proof_of_concept();
    endpoints();
    peer_identity();
    inside();
    routing();
    timing();
    crypto();
    run_directory();
    return std::move(ruling_);
  }

 private:
  [[nodiscard]] bool has(std::string_view name) const { return given_.contains(name); }

  // The option as the user wrote it, or as the command line would name it.
  [[nodiscard]] std::string label(std::string_view name) const {
    const auto at = given_.find(name);
    return at == given_.end() ? "--" + std::string(name) : at->second;
  }

  void fault(std::string text) { ruling_.faults.push_back(std::move(text)); }
  void warn(std::string text) { ruling_.warnings.push_back(std::move(text)); }

  // What stands in for an option that nobody gave: the file it would belong to, if there is one.
  [[nodiscard]] std::string missing(const std::string& option) const {
    return options_.config_file.empty() ? "--" + option : options_.config_file + ": " + option;
  }

  void proof_of_concept() {
    if (draft_.client && draft_.server) {
      fault(label("client") + ": excludes --server");
      draft_.server = false;
    }
    if (!draft_.client && !draft_.server) {
      for (const auto* option : {"host", "port"}) {
        if (has(option)) fault(label(option) + ": needs --client or --server");
      }
      return;
    }
    const std::string mode = draft_.client ? "client" : "server";
    for (const auto* option : {"peer", "listen"}) {
      if (has(option)) fault(label(option) + ": says the same as --" + mode + "; give one of them");
    }
    const std::uint16_t port = draft_.port.value_or(default_port);
    if (draft_.client) {
      if (!has("host")) fault(label("client") + ": needs --host");
      if (draft_.host) options_.peers = {{*draft_.host, port}};
    } else {
      listen_at(port);
      if (!has("nat")) options_.nat = true;
    }
    if (!has("ifname")) options_.ifname = "tun0";
    if (!has("address")) {
      options_.addresses = {*IpPrefix::parse(draft_.client ? "10.1.2.230/30" : "10.1.2.229/30")};
    }
    if (!has("peer-name")) {
      options_.peer_name = "*";
      warn(label(mode) + " without --peer-name: any certificate of the CA is accepted as the peer");
    }
  }

  void listen_at(std::uint16_t port) {
    options_.listen = ListenAddress{std::nullopt, port};
    if (!draft_.host) return;
    options_.listen->address = IpAddress::parse(*draft_.host);
    if (!options_.listen->address) {
      fault(label("host") + ": with --server it must be an IPv4 or IPv6 address of this machine");
    }
  }

  void endpoints() {
    const bool any = has("peer") || has("listen") || draft_.client || draft_.server;
    if (!any && options_.config_file.empty()) {
      fault(nothing_to_do);
    } else if (!any) {
      fault(options_.config_file + ": needs peer = HOST[:PORT] or listen = [ADDR:]PORT");
    }
    if (has("allow") && (has("peer") || draft_.client)) {
      fault(label("allow") + ": needs a link that waits for its peer (--listen without --peer)");
    }
    if (options_.listen && options_.listen->address) one_family(*options_.listen->address);
    lane_ports();
  }

  // Each lane takes the port above the one before.
  void lane_ports() {
    const unsigned above = options_.lanes - 1;
    const auto check = [&](std::uint16_t port, const char* option) {
      if (port + above <= highest_port) return;
      fault(label(option) + ": port " + std::to_string(port) + " leaves no room for " +
            std::to_string(options_.lanes) + " lanes, each with a port of its own; at most " +
            std::to_string(highest_port - above));
    };
    if (options_.listen) check(options_.listen->port, has("listen") ? "listen" : "port");
    for (const auto& peer : options_.peers) check(peer.port, has("peer") ? "peer" : "port");
  }

  // A socket bound to an address of one family never reaches a peer of the other.
  void one_family(const IpAddress& local) {
    if (local == *IpAddress::parse("::")) return;
    for (const auto& peer : options_.peers) {
      const auto remote = IpAddress::parse(peer.host.substr(0, peer.host.find('%')));
      if (remote && remote->is_v4() != local.is_v4()) {
        fault(label("listen") + ": " + local.to_string() + " cannot reach the peer " + peer.host +
              ", which is of the other IP version");
      }
    }
  }

  void peer_identity() {
    if (options_.peer_name.empty() && !has("peer-name")) {
      fault(missing("peer-name") +
            " is required: the name in the peer's certificate, or '*' for any of the CA");
    }
    if (options_.peer_name == "*" && has("peer-name")) {
      warn(label("peer-name") + " '*': any certificate of the CA is accepted as the peer");
    }
  }

  void inside() {
    for (std::size_t i = 0; i < options_.addresses.size(); ++i) {
      const auto& address = options_.addresses[i];
      const auto first =
          std::find_if(options_.addresses.begin(), options_.addresses.end(),
                       [&](const IpPrefix& other) { return other.address == address.address; });
      if (first != options_.addresses.begin() + static_cast<std::ptrdiff_t>(i)) {
        fault(label("address") + ": " + address.address.to_string() + " is given twice");
      }
    }
    if (!options_.mtu || *options_.mtu >= ipv6_minimum_mtu) return;
    for (const auto* prefixes : {&options_.addresses, &options_.routes}) {
      for (const auto& prefix : *prefixes) {
        if (prefix.address.is_v4()) continue;
        fault(label("mtu") + ": " + std::to_string(*options_.mtu) + " is too small for IPv6 (" +
              prefix.to_string() + "), which needs at least 1280");
        return;
      }
    }
  }

  void routing() {
    if (has("table") && !has("route")) fault(label("table") + ": needs --route");
    const bool shared = options_.netns == options_.public_netns;
    if (!shared || options_.table != 0) return;
    for (const auto& route : options_.routes) {
      for (const auto& peer : options_.peers) {
        const auto remote = IpAddress::parse(peer.host);
        if (!remote || !route.contains(*remote)) continue;
        warn(label("route") + ": " + route.to_string() + " leads the link's own packets to " +
             peer.host + " into the link; give --table and --fwmark, or --netns");
      }
    }
  }

  void timing() {
    if (options_.dead_after > options_.keepalive) return;
    const auto text = [](auto period) { return std::to_string(period.count()); };
    fault(label("dead-after") + ": " + text(options_.dead_after) +
          " must be greater than keepalive, " + text(options_.keepalive) + " milliseconds");
  }

  void crypto() {
    if (options_.crypto != Crypto::ipsec_mb) return;
    if (record::backend_available(record::CryptoBackend::ipsec_mb)) return;
    fault(label("crypto") +
          ": ipsec-mb is not in this build, or not for this processor; auto and openssl are");
  }

  void run_directory() {
    // A link without a file is called as its interface, whose name the kernel may complete.
    const std::size_t name = options_.link.empty() ? IFNAMSIZ - 1 : options_.link.size();
    const std::size_t room = sizeof(sockaddr_un::sun_path) - sizeof "/.sock";
    if (options_.run_dir.size() + name > room) {
      fault(label("run-dir") + ": together with the link's name it must not be longer than " +
            std::to_string(room) + " characters, for the socket in it");
    }
  }

  LinkDraft& draft_;
  LinkOptions& options_;
  const Given& given_;
  Ruling ruling_;
};

}  // namespace

Ruling settle(LinkDraft& draft, const Given& given) {
  return Rules(draft, given).run();
}

}  // namespace routevpn::cli
