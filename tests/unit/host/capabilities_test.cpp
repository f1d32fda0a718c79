#include "routevpn/host/capabilities.hpp"

#include <thread>

#include <linux/capability.h>

#include "routevpn/host/netns.hpp"

#include "catch.hpp"
#include "namespace_lab.hpp"

using namespace routevpn::host;

namespace {

constexpr std::uint64_t bit(unsigned capability) {
  return std::uint64_t{1} << capability;
}

// Capabilities belong to a thread, so the others of this program keep theirs.
template <typename Function>
void in_thread(Function function) {
  std::thread(function).join();
}

}  // namespace

TEST_CASE("capabilities that are not kept leave the permitted set") {
  const auto all = Capabilities::current();
  Capabilities left;
  in_thread([&left] {
    keep_capabilities({CAP_NET_ADMIN, CAP_SYS_ADMIN});
    left = Capabilities::current();
  });
  CHECK(left.permitted == (all.permitted & (bit(CAP_NET_ADMIN) | bit(CAP_SYS_ADMIN))));
  CHECK(left.effective == (all.effective & bit(CAP_NET_ADMIN)));
  CHECK(left.inheritable == all.inheritable);
  CHECK(Capabilities::current().permitted == all.permitted);
}

TEST_CASE("a permitted capability is effective while it is raised") {
  const auto all = Capabilities::current();
  Capabilities during;
  Capabilities after;
  in_thread([&] {
    keep_capabilities({CAP_NET_ADMIN, CAP_SYS_ADMIN});
    {
      const Raised right(CAP_SYS_ADMIN);
      during = Capabilities::current();
    }
    after = Capabilities::current();
  });
  CHECK((during.effective & bit(CAP_SYS_ADMIN)) == (all.permitted & bit(CAP_SYS_ADMIN)));
  CHECK((after.effective & bit(CAP_SYS_ADMIN)) == 0);
}

TEST_CASE("a capability that is not permitted is not raised") {
  Capabilities during;
  in_thread([&during] {
    keep_capabilities({});
    const Raised right(CAP_SYS_ADMIN);
    during = Capabilities::current();
  });
  CHECK(during.effective == 0);
  CHECK(during.permitted == 0);
}

TEST_CASE("a namespace is entered and left with CAP_SYS_ADMIN in the permitted set alone") {
  if (!can_make_namespaces()) return;
  const TestNetns lab;
  const Netns there = lab.open();
  bool entered = false;
  bool returned = false;
  Capabilities inside;
  in_thread([&] {
    const Netns home = Netns::current();
    keep_capabilities({CAP_SYS_ADMIN});
    {
      const NetnsScope scope(there);
      entered = there.same_as(Netns::current());
      inside = Capabilities::current();
    }
    returned = home.same_as(Netns::current());
  });
  CHECK(entered);
  CHECK(inside.effective == 0);
  CHECK(returned);
}
