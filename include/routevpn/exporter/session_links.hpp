// Which link carries a BGP session.
#pragma once

#include <string>
#include <vector>

#include "routevpn/base/address.hpp"
#include "routevpn/exporter/report.hpp"

namespace routevpn::exporter {

class SessionLinks {
 public:
  explicit SessionLinks(const Report& report);
  // The name of the link: the neighbour's address is in a network of the link, or its zone is the
  // link's interface. Empty: no link of the report.
  [[nodiscard]] std::string link_of(const BirdReport& bird, const bird::BgpSession& session) const;
  // The name of the link with this interface, in the namespace of this BIRD. Empty: none.
  [[nodiscard]] std::string link_at(const std::string& bird, const std::string& ifname) const;

 private:
  struct Ends {
    std::string link;
    std::string ifname;
    std::string bird;  // of the link's namespace
    std::vector<IpPrefix> networks;
  };
  [[nodiscard]] static bool carries(const Ends& ends, const bird::BgpSession& session);

  std::vector<Ends> links_;
};

}  // namespace routevpn::exporter
