#include "routevpn/options/link_options.hpp"

namespace routevpn::options {

namespace {

std::string in_brackets(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

std::string quoted(const std::string& value) {
  const bool plain = value.find_first_of("\"#") == std::string::npos && value.front() != ' ' &&
                     value.back() != ' ';
  if (plain) return value;
  std::string text = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + "\"";
}

class Writer {
 public:
  void line(const std::string& name, const std::string& value) {
    if (!value.empty()) text_ += name + " = " + quoted(value) + "\n";
  }
  void line(const std::string& name, std::int64_t number) { line(name, std::to_string(number)); }
  void line_unless_zero(const std::string& name, std::uint32_t number) {
    if (number != 0) line(name, number);
  }
  template <typename T>
  void lines(const std::string& name, const std::vector<T>& values) {
    for (const auto& value : values) line(name, value.to_string());
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

std::string name_of(Crypto crypto) {
  switch (crypto) {
    case Crypto::openssl:
      return "openssl";
    case Crypto::ipsec_mb:
      return "ipsec-mb";
    case Crypto::automatic:
      break;
  }
  return "auto";
}

std::string name_of(LogLevel level) {
  switch (level) {
    case LogLevel::error:
      return "error";
    case LogLevel::warning:
      return "warning";
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      break;
  }
  return "info";
}

}  // namespace

std::string PeerAddress::to_string() const {
  return in_brackets(host) + ":" + std::to_string(port);
}

std::string ListenAddress::to_string() const {
  if (!address) return std::to_string(port);
  return SocketAddress{*address, port}.to_string();
}

std::string to_config(const LinkOptions& options) {
  Writer out;
  out.lines("peer", options.peers);
  if (options.listen) out.line("listen", options.listen->to_string());
  out.lines("allow", options.allow);
  out.line("public-netns", options.public_netns);
  out.line_unless_zero("fwmark", options.fwmark);
  out.line("dscp", options.dscp ? std::to_string(*options.dscp) : "copy");
  out.line("ifname", options.ifname);
  out.lines("address", options.addresses);
  out.line("netns", options.netns);
  out.line("mtu", options.mtu ? std::to_string(*options.mtu) : "auto");
  out.line("lanes", options.lanes);
  out.lines("route", options.routes);
  out.line_unless_zero("table", options.table);
  out.line("nat", options.nat ? "yes" : "no");
  out.line("cert", options.certificate);
  out.line("key", options.key);
  out.line("ca", options.ca);
  out.line("crl", options.crl);
  out.line("peer-name", options.peer_name);
  out.line("ciphers", options.ciphers);
  out.line("crypto", name_of(options.crypto));
  out.line("rekey", options.rekey.count());
  if (options.rekey_records) out.line("rekey-records", std::to_string(*options.rekey_records));
  out.line("keepalive", options.keepalive.count());
  out.line("dead-after", options.dead_after.count());
  out.line("up-delay", options.up_delay.count());
  out.line("on-state", options.on_state);
  out.line("run-dir", options.run_dir);
  out.line("log-level", name_of(options.log_level));
  out.line("log-format", options.log_format == LogFormat::json ? "json" : "text");
  return out.text();
}

}  // namespace routevpn::options
