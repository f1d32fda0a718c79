#include "psks.hpp"

#include <array>

#include "routevpn/base/error.hpp"
#include "routevpn/base/files.hpp"
#include "routevpn/base/secret.hpp"
#include "routevpn/pki/psk.hpp"

namespace routevpn::plan {

namespace {

// Empty if there is no file.
std::string read_psk(const std::string& path) {
  if (!exists(path)) return {};
  auto content = read_file(path, Trust::secret);
  Secret<pki::psk_bytes> key;
  if (!pki::decode_psk(content, key)) {
    throw UsageError(path + ": is not a pre-shared key; remove the file to get a new one");
  }
  return content;
}

}  // namespace

PlannedFiles psk_files(const Plan& plan, const std::string& out, MissingKeys missing) {
  PlannedFiles files;
  for (const auto& link : plan.links) {
    if (!link.psk) continue;
    std::array<std::string, 2> paths;
    std::array<std::string, 2> keys;
    for (std::size_t end = 0; end < paths.size(); ++end) {
      const auto& own = plan.topology.gateways[link.gateways[end]];
      const auto& peer = plan.topology.gateways[link.gateways[1 - end]];
      paths[end].append(own.name).append("/psk/").append(peer.ifname).append(".psk");
      keys[end] = read_psk(out + "/" + paths[end]);
    }
    if (!keys[0].empty() && !keys[1].empty() && keys[0] != keys[1]) {
      std::string fault = out;
      fault.append("/").append(paths[1]).append(": differs from ").append(out).append("/");
      fault.append(paths[0]).append(
          ", but both ends of a link need the same pre-shared key; remove one of them");
      throw UsageError(fault);
    }
    auto key = keys[0].empty() ? keys[1] : keys[0];
    if (key.empty() && missing == MissingKeys::make) key = pki::make_psk();
    for (auto& path : paths) files.push_back({std::move(path), key, 0600});
  }
  return files;
}

}  // namespace routevpn::plan
