// BIRD's sessions against the links that carry them.

#include <algorithm>
#include <string>

#include "routevpn/base/address.hpp"
#include "routevpn/base/blanks.hpp"
#include "routevpn/bird/empty_set.hpp"
#include "routevpn/bird/sessions.hpp"
#include "routevpn/doctor/doctor.hpp"

#include "link_facts.hpp"

namespace routevpn::doctor {

namespace {

// The name of BIRD's configuration and socket for a namespace: its own name, or "public" for the
// host's.
std::string bird_of(const std::string& netns) {
  return netns.empty() ? "public" : netns.substr(netns.rfind('/') + 1);
}

bool is_on(const Link& link, const bird::BgpSession& session) {
  const auto neighbor = IpAddress::parse(session.neighbor);
  if (!neighbor) return false;
  return std::ranges::any_of(link.options.addresses, [&](const IpPrefix& own) {
    return own.network().contains(*neighbor);
  });
}

// The prefixes of a definition that the planner wrote: "define OWN4 = [ 10.0.1.0/24 ];". Empty
// without any.
std::string planned(const std::string& configuration, const std::string& name) {
  const auto at = configuration.find("define " + name + " = [");
  if (at == std::string::npos) return {};
  const auto begin = configuration.find('[', at) + 1;
  const auto end = configuration.find(']', begin);
  const auto prefixes = trimmed(std::string_view(configuration).substr(begin, end - begin));
  const bool is_empty = prefixes == bird::empty_set4 || prefixes == bird::empty_set6;
  return is_empty ? std::string() : std::string(prefixes);
}

struct Bird {
  std::string name;
  std::string socket;
  std::string configuration;  // its text; empty: unknown
};

void check_session(const Link& link, const bird::BgpSession& session, const Bird& bird,
                   Findings& findings) {
  const auto birdc = "birdc -s " + bird.socket + " ";
  if (session.state != "Established") {
    if (!is_up(link)) return;  // the finding is that of the link
    findings.push_back({"bird", link.name,
                        "the link is up, but BIRD's session " + session.name + " is " +
                            (session.state.empty() ? "down" : session.state),
                        "no route leads through the link",
                        birdc + "show protocols all " + session.name + "; then: " + birdc +
                            "restart " + session.name});
    return;
  }
  for (const auto& [channel, routes] : session.routes) {
    const auto prefixes = planned(bird.configuration, channel == "ipv4" ? "OWN4" : "OWN6");
    if (routes.exported != 0 || prefixes.empty()) continue;
    std::string what = "BIRD's session " + session.name;
    what.append(" announces no route of ").append(channel).append(", although ");
    what.append(prefixes).append(" is planned");
    std::string mend =
        "give the site's interface an address in a planned prefix, or announce the "
        "prefix by the site's OSPF; to look: ";
    mend.append(birdc).append("show route where net ~ [ ").append(prefixes).append(" ]");
    findings.push_back({"bird", link.name, what,
                        "the other sites have no route to this site through the link", mend});
  }
}

void check_space(const Gateway& gateway, const Machine& machine, const std::string& netns,
                 const std::string& run_dir, Findings& findings) {
  Bird bird{bird_of(netns), run_dir + "/bird/" + bird_of(netns) + ".ctl", {}};
  const auto file = gateway.config_dir + "/bird/" + bird.name + ".conf";
  const auto configuration = machine.read(file);
  if (!configuration && !machine.has(bird.socket)) return;  // no BIRD is wanted here
  bird.configuration = configuration.value_or("");
  const auto answer =
      machine.run("", {"birdc", "-r", "-s", bird.socket, "show", "protocols", "all"});
  if (!answer || answer->status != 0) {
    findings.push_back(
        {"bird", space_text(netns),
         answer ? "BIRD does not answer at " + bird.socket : "the program birdc is not installed",
         "no route of another site is learned",
         answer ? "systemctl restart routevpn-bird@" + bird.name +
                      "; then: journalctl -u routevpn-bird@" + bird.name
                : "apt install bird2"});
    return;
  }
  const auto sessions = bird::bgp_sessions(answer->output);
  for (const auto& link : gateway.links) {
    if (link.options.netns != netns) continue;
    for (const auto& session : sessions) {
      if (is_on(link, session)) check_session(link, session, bird, findings);
    }
  }
}

}  // namespace

void check_bird(const Gateway& gateway, const Machine& machine, Findings& findings) {
  std::vector<std::string> checked;
  for (const auto& link : gateway.links) {
    if (std::ranges::find(checked, link.options.netns) != checked.end()) continue;
    checked.push_back(link.options.netns);
    check_space(gateway, machine, link.options.netns, link.options.run_dir, findings);
  }
}

}  // namespace routevpn::doctor
