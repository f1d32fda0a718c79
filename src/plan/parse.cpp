// parse_topology(): reads each table by itself. check.cpp then compares the tables.
#include <algorithm>
#include <cctype>

#include "routevpn/base/text.hpp"

#include "check.hpp"
#include "interfaces.hpp"
#include "reader.hpp"
#include "values.hpp"

namespace routevpn::plan {

namespace {

constexpr std::uint32_t highest_as = 4294967294;  // 2^32 - 1 is reserved, RFC 7300
constexpr std::uint32_t most_lanes = 16;          // of --lanes
constexpr std::uint32_t highest_cost = 65535;
constexpr std::uint32_t highest_bandwidth_mbit = 1'000'000'000;

// The settings of a gateway that are one text.
struct TextSetting {
  std::string_view key;
  std::string GatewaySettings::*value;
};
constexpr TextSetting text_settings[] = {
    {"netns", &GatewaySettings::netns},     {"public-netns", &GatewaySettings::public_netns},
    {"cert", &GatewaySettings::cert},       {"key", &GatewaySettings::key},
    {"ca", &GatewaySettings::ca},           {"crl", &GatewaySettings::crl},
    {"psk-dir", &GatewaySettings::psk_dir}, {"run-dir", &GatewaySettings::run_dir},
    {"include", &GatewaySettings::include}};

std::string expand(std::string text, const std::string& name, const std::string& site) {
  const auto replace = [&text](std::string_view mark, const std::string& by) {
    for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + by.size())) {
      text.replace(at, mark.size(), by);
    }
  };
  replace("{name}", name);
  replace("{site}", site);
  return text;
}

// rv3-1 for V3-1, rvparis for paris.
std::string default_ifname(const std::string& gateway) {
  std::string text = gateway;
  for (auto& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const bool numbered = text.size() > 1 && text[0] == 'v' && std::isdigit(text[1]) != 0;
  return "rv" + (numbered ? text.substr(1) : text);
}

class Parser {
 public:
  explicit Parser(Faults& faults) : faults_(faults) {}

  Topology run(const toml::table& root) {
    Reader reader(root, "the topology", faults_);
    reader.require("organisation", "a table with at least the key as");
    reader.require("site", "at least one [[site]]");
    if (const auto* const table = reader.table("organisation")) organisation(*table);
    if (const auto* const table = reader.table("defaults")) {
      Reader defaults(*table, "[defaults]", faults_);
      settings(defaults, defaults_);
      defaults.finish();
    }
    for (const auto* const table : reader.tables("site")) site(*table);
    for (const auto* const table : reader.tables("link")) link(*table);
    reader.finish();
    return std::move(topology_);
  }

 private:
  template <typename T>
  static void assign(T& into, const std::optional<At<T>>& from) {
    if (from) into = from->value;
  }

  void organisation(const toml::table& table) {
    Reader reader(table, "[organisation]", faults_);
    auto& into = topology_.organisation;
    into.line = reader.line();
    reader.require("as", "the number of the private autonomous system");
    assign(into.name, reader.parsed("name", parse_title));
    into.as = reader.integer("as", 1, highest_as).value_or(0);
    into.interconnect4 = reader.parsed("interconnect4", parse_pool4);
    into.interconnect6 = reader.parsed("interconnect6", parse_pool6);
    into.ports.line = reader.line_of("ports");
    assign(into.ports.value, reader.parsed("ports", parse_ports));
    const auto mesh = reader.parsed("mesh", parse_mesh);
    assign(into.mesh, mesh);
    into.invalid_mesh = reader.has("mesh") && !mesh;
    assign(into.accept, reader.parsed("accept", parse_accept));
    assign(into.prefer, reader.parsed("prefer", parse_family));
    into.psk = reader.boolean("psk").value_or(into.psk);
    assign(into.detection, reader.parsed("detection", parse_detection));
    into.lanes = reader.integer("lanes", 1, most_lanes).value_or(into.lanes);
    into.link_local = reader.boolean("link-local").value_or(into.link_local);
    into.announce = reader.parsed("announce", parse_announce).value_or(into.announce);
    auto hubs = reader.texts("hubs");
    into.invalid_hubs = reader.has("hubs") && !hubs;
    if (hubs) into.hubs = std::move(*hubs);
    reflectors(reader);
    reader.finish();
    into.invalid_interconnect6 = reader.has("interconnect6") && !into.interconnect6;
    if (!reader.has("interconnect4") && !reader.has("interconnect6")) {
      reader.fault(into.line,
                   "[organisation] needs interconnect4 or interconnect6: the address pools of the "
                   "interconnects");
    }
  }

  void reflectors(Reader& reader) {
    auto& into = topology_.organisation;
    auto written = reader.texts("reflectors");
    if (!written) return;
    const bool choose = written->size() == 1 && written->front().value == "auto";
    into.reflection = choose ? Reflection::chosen : Reflection::named;
    if (!choose) into.reflectors = std::move(*written);
  }

  void settings(Reader& reader, GatewaySettings& into) {
    for (const auto& [key, value] : text_settings) {
      assign(into.*value, reader.parsed(key, parse_template));
    }
    for (auto& [key, list] : {std::pair("underlay", &into.underlay), {"lan", &into.lan}}) {
      if (auto written = read_interfaces(reader, key, faults_)) *list = std::move(*written);
    }
  }

  void site(const toml::table& table) {
    Reader reader(table, "[[site]]", faults_);
    reader.require("name", "links and hubs refer to the site by it");
    Site site;
    site.line = reader.line();
    assign(site.name, reader.parsed("name", parse_name));
    site.prefixes =
        reader.all_parsed("prefixes", parse_site_prefix).value_or(std::vector<At<IpPrefix>>());
    site.announce =
        reader.parsed("announce", parse_announce).value_or(topology_.organisation.announce);
    topology_.sites.push_back(std::move(site));
    const auto faults_before = faults_.size();
    for (const auto* const gateway_table : reader.tables("gateway")) gateway(*gateway_table);
    const auto& name = topology_.sites.back().name;
    if (topology_.sites.back().gateways.empty() && faults_.size() == faults_before) {
      reader.fault(reader.line(), (name.empty() ? "[[site]]" : "site " + name) +
                                      " has no gateway; add a [[site.gateway]]");
    }
    for (const auto* const router_table : reader.tables("router")) router(*router_table);
    reader.finish();
  }

  void gateway(const toml::table& table) {
    Reader reader(table, "[[site.gateway]]", faults_);
    auto& site = topology_.sites.back();
    reader.require("name", "the name in its certificate");
    Gateway into;
    into.line = reader.line();
    into.site = topology_.sites.size() - 1;
    assign(into.name, reader.parsed("name", parse_name));
    public_addresses(reader, into);
    if (!into.name.empty()) into.ifname = default_ifname(into.name);
    assign(into.ifname, reader.parsed("ifname", parse_ifname));
    if (const auto at = reader.parsed("exporter", parse_exporter)) into.exporter = at->value;
    into.settings = defaults_;
    settings(reader, into.settings);
    for (const auto& [key, value] : text_settings) {
      into.settings.*value = expand(into.settings.*value, into.name, site.name);
    }
    reader.finish();
    if (!reader.has("ifname") && into.ifname.size() > max_interface_name_bytes) {
      reader.fault(into.line, "gateway " + into.name + ": the default ifname " + into.ifname +
                                  " is longer than " + std::to_string(max_interface_name_bytes) +
                                  " characters; set ifname");
    }
    site.gateways.push_back(topology_.gateways.size());
    topology_.gateways.push_back(std::move(into));
  }

  // Addresses, or one DNS name. Without the key, the gateway is behind NAT.
  void public_addresses(Reader& reader, Gateway& into) {
    if (const auto written = reader.texts("address")) {
      for (const auto& text : *written) public_address(reader, text, written->size(), into);
      if (written->empty()) {
        reader.fault(reader.line_of("address"), "address: must be at least one public address");
      }
    }
    into.has_invalid_address = reader.has("address") && into.is_behind_nat();
  }

  static void public_address(Reader& reader, const At<std::string>& text, std::size_t number,
                             Gateway& into) {
    if (is_host_name(text.value)) {
      into.host = text.value;
      if (number == 1) return;
      reader.fault(text.line,
                   "address \"" + text.value + "\": a DNS name must be the only address");
      return;
    }
    const auto address = reader.parsed("address", text, parse_public_address);
    if (!address) return;
    const auto family = family_of(address->value);
    if (into.address(family) == nullptr) {
      into.addresses.push_back(address->value);
      return;
    }
    reader.fault(text.line, "address \"" + address->value.to_string() +
                                "\": the gateway already has an " + std::string(name_of(family)) +
                                " address");
  }

  void router(const toml::table& table) {
    Reader reader(table, "[[site.router]]", faults_);
    auto& site = topology_.sites.back();
    reader.require("name", "the name of its directory");
    Router into;
    into.line = reader.line();
    into.site = topology_.sites.size() - 1;
    for (const auto& interface : defaults_.lan) into.lan.push_back(interface.name);
    into.include = defaults_.include;
    assign(into.name, reader.parsed("name", parse_name));
    if (auto lan = read_interface_names(reader, "lan")) into.lan = std::move(*lan);
    assign(into.include, reader.parsed("include", parse_template));
    into.include = expand(into.include, into.name, site.name);
    reader.finish();
    site.routers.push_back(topology_.routers.size());
    topology_.routers.push_back(std::move(into));
  }

  void link(const toml::table& table) {
    Reader reader(table, "[[link]]", faults_);
    reader.require("between", "the names of two gateways");
    LinkEntry into;
    into.line = reader.line();
    if (const auto ends = reader.texts("between")) {
      if (ends->size() == 2) {
        into.ends = *ends;
      } else {
        reader.fault(reader.line_of("between"), "between: must be the names of two gateways");
      }
    }
    into.cost = reader.integer("cost", 1, highest_cost);
    into.bandwidth_mbit = reader.integer("bandwidth", 1, highest_bandwidth_mbit);
    into.family = reader.parsed("family", parse_family);
    into.psk = reader.boolean("psk");
    if (const auto speed = reader.parsed("detection", parse_detection))
      into.detection = speed->value;
    into.lanes = reader.integer("lanes", 1, most_lanes);
    into.link_local = reader.boolean("link-local");
    reader.finish();
    if (!into.ends.empty()) topology_.links.push_back(std::move(into));
  }

  Faults& faults_;
  Topology topology_;
  GatewaySettings defaults_;
};

// TOML allows it at the beginning of a file alone.
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

}  // namespace

Topology parse_topology(std::string_view text, Faults& faults) {
  const auto root = parse_document(text, faults);
  if (!faults.empty()) return {};
  auto topology = Parser(faults).run(root);
  topology.text = text.substr(text.starts_with(byte_order_mark) ? byte_order_mark.size() : 0);
  check(topology, faults);
  std::ranges::stable_sort(faults, {}, &Fault::line);
  return topology;
}

}  // namespace routevpn::plan
