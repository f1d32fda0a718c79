#include "routevpn/session/failure.hpp"

#include <cerrno>
#include <cstring>

namespace routevpn::session {

namespace {

Reason reason_of_icmp(const outside::Undelivered& report) {
  const std::string reporter = report.reporter->to_string();
  if (report.prohibited) {
    return {"prohibited", "a firewall refuses the datagrams (ICMP from " + reporter + ")"};
  }
  switch (report.error) {
    case ECONNREFUSED:
      return {"port_unreachable",
              "no link listens there (ICMP port unreachable from " + reporter + ")"};
    case ENETUNREACH:
    case ENONET:
      return {"net_unreachable", "network unreachable (ICMP from " + reporter + ")"};
    default:
      return {"host_unreachable", "host unreachable (ICMP from " + reporter + ")"};
  }
}

}  // namespace

Reason reason_of(const outside::Undelivered& report) {
  if (report.reporter) return reason_of_icmp(report);
  switch (report.error) {
    case ENETUNREACH:
    case EHOSTUNREACH:
      return {"no_route", "this machine has no route there"};
    case EPERM:
      return {"local_firewall",
              "a firewall rule of this machine drops what the link sends (EPERM)"};
    default:
      return {"send_failed", std::string("this machine cannot send: ") +
                                 strerrordesc_np(report.error) + " (" +
                                 strerrorname_np(report.error) + ")"};
  }
}

}  // namespace routevpn::session
