// Follows the path of the association in use: starts the search for its MTU when the path is new,
// checks the size while large packets are sent, and reports the result to the lane and the link.
#pragma once

#include <optional>
#include <utility>

#include "routevpn/session/association_table.hpp"
#include "routevpn/session/output.hpp"
#include "routevpn/session/path_mtu.hpp"
#include "routevpn/session/prober.hpp"

namespace routevpn::session {

class PathFollower {
 public:
  // While large datagrams are sent the size is checked four times in an interval. Else it is
  // checked in every tenth interval, so that the first large packet after hours meets an MTU that
  // is right.
  static constexpr unsigned checks_per_interval = 4;
  static constexpr unsigned idle_check = 10;

  // `large_datagrams`: how many the lane has sent that may exceed some path's MTU.
  PathFollower(Duration interval, const std::atomic<std::uint64_t>& large_datagrams,
               Outputs& outputs)
      : interval_(interval), large_datagrams_(large_datagrams), outputs_(outputs) {}

  // The association in use is new, or its peer has roamed. Asks for the route: on_route() follows.
  void follow(const AssociationStatus& association);
  void on_route(const SocketAddress& remote, const outside::RouteMtu& route, Time now);
  void end();

  void on_keepalive(Time now);                   // checks once in an interval
  void check(Time now);                          // at check_due()
  void probe(const PathStatus& path, Time now);  // at probe_due()
  void echo_replied(std::uint32_t sequence, Time now);
  void too_big(const outside::TooBig& report, Time now);
  [[nodiscard]] std::optional<Time> check_due() const { return check_at_; }
  [[nodiscard]] std::optional<Time> probe_due() const { return path_mtu_.due(); }
  [[nodiscard]] bool follows(const SocketAddress& remote) const { return remote_ == remote; }

  // For another process, see base/fields.hpp.
  template <typename Io>
  friend void fields(Io& io, PathFollower& path) {
    io(path.path_mtu_, path.remote_, path.overhead_, path.probed_, path.large_checked_,
       path.unchecked_, path.checked_at_, path.check_at_, path.reported_path_.first,
       path.reported_path_.second, path.reported_limit_);
  }

 private:
  void look_up(const SocketAddress& remote);
  void report();

  Duration interval_;
  const std::atomic<std::uint64_t>& large_datagrams_;
  Outputs& outputs_;
  PathMtu path_mtu_;
  std::optional<SocketAddress> remote_;
  unsigned overhead_ = 0;       // bytes around an inside packet on this path
  bool probed_ = false;         // the peer answers echo requests
  bool expects_route_ = false;  // end() makes a late answer void
  bool new_path_ = false;     // on_route() starts a search instead of a new look at the old result
  bool same_remote_ = false;  // ... whose first guess is what was found before
  std::uint64_t large_checked_ = 0;  // large_datagrams_ at the last check
  unsigned unchecked_ = 0;           // intervals since
  Time checked_at_{};
  std::optional<Time> check_at_;
  std::pair<unsigned, unsigned> reported_path_;
  std::uint32_t reported_limit_ = 0;
};

}  // namespace routevpn::session
