#include "routevpn/session/sparse_probes.hpp"

#include <vector>

#include "catch.hpp"

using namespace routevpn;
using namespace routevpn::session;
using namespace std::chrono_literals;

namespace {
const Time probes_begin{1h};

// The times between `count` probes that find nothing, from one that is due.
std::vector<Duration> intervals(SparseProbes& probes, int count) {
  std::vector<Duration> all;
  for (int i = 0; i < count; ++i) {
    const Time now = probes.due().value();
    probes.sent(now);
    all.push_back(probes.due().value() - now);
  }
  return all;
}
}  // namespace

TEST_CASE("nothing is due before an association, and nothing with a peer without the flow") {
  SparseProbes probes(SparseProbes::most_keepalive);
  CHECK_FALSE(probes.due());
  probes.begin(false, probes_begin);
  CHECK_FALSE(probes.due());
  probes.found(true, probes_begin);
  CHECK_FALSE(probes.due());
  probes.found(false, probes_begin);
  CHECK_FALSE(probes.due());
}

TEST_CASE("the first probe is due at once, and the intervals double up to a minute") {
  SparseProbes probes(SparseProbes::most_keepalive);
  probes.begin(true, probes_begin);
  CHECK(probes.due() == probes_begin);
  CHECK(intervals(probes, 11) ==
        std::vector<Duration>{250ms, 500ms, 1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s, 60s});
}

TEST_CASE("a flow that was found is kept alive") {
  SparseProbes probes(SparseProbes::most_keepalive);
  probes.begin(true, probes_begin);
  probes.sent(probes_begin);
  probes.found(true, probes_begin + 20ms);
  CHECK(probes.due() == probes_begin + 20ms + 15s);
  CHECK(intervals(probes, 3) == std::vector<Duration>{15s, 15s, 15s});
}

TEST_CASE("a lost flow is searched from the shortest interval again") {
  SparseProbes probes(SparseProbes::most_keepalive);
  probes.begin(true, probes_begin);
  intervals(probes, 8);
  probes.found(true, probes_begin + 2min);
  probes.found(false, probes_begin + 3min);
  CHECK(probes.due() == probes_begin + 3min + 250ms);
  CHECK(intervals(probes, 3) == std::vector<Duration>{250ms, 500ms, 1s});
}

TEST_CASE("each new association asks at once, also while the flow is in use") {
  SparseProbes probes(SparseProbes::most_keepalive);
  probes.begin(true, probes_begin);
  probes.sent(probes_begin);
  probes.found(true, probes_begin);
  probes.begin(true, probes_begin + 5s);
  CHECK(probes.due() == probes_begin + 5s);
  CHECK(intervals(probes, 1) == std::vector<Duration>{15s});
  probes.begin(false, probes_begin + 30s);  // the peer was replaced by an older one
  CHECK_FALSE(probes.due());
}

TEST_CASE("without an association nothing is due") {
  SparseProbes probes(SparseProbes::most_keepalive);
  probes.begin(true, probes_begin);
  probes.found(true, probes_begin);
  probes.end();
  CHECK_FALSE(probes.due());
  probes.begin(true, probes_begin + 1h);
  CHECK(intervals(probes, 2) == std::vector<Duration>{250ms, 500ms});  // not found any more
}
