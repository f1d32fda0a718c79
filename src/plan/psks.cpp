#include "psks.hpp"

#include <algorithm>
#include <array>

#include "routevpn/base/error.hpp"
#include "routevpn/base/files.hpp"
#include "routevpn/base/secret.hpp"
#include "routevpn/pki/psk.hpp"
#include "routevpn/plan/psk_roll.hpp"

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

// A link of the plan, and its files in the output directory.
class LinkKeys {
 public:
  LinkKeys(const Plan& plan, const PlannedLink& link, const std::string& out) : out_(out) {
    for (std::size_t end = 0; end < ends_.size(); ++end) {
      ends_[end] = {plan.topology.gateways[link.gateways[end]].name + "/psk/",
                    plan.topology.gateways[link.gateways[1 - end]].ifname};
    }
  }

  // Below the output directory. `file`: PskRoll::old_file or new_file.
  [[nodiscard]] std::array<std::string, 2> paths(const PskRoll& roll,
                                                 decltype(&PskRoll::old_file) file) const {
    const auto path = [&](const End& end) { return end.directory + (roll.*file)(end.ifname); };
    return {path(ends_[0]), path(ends_[1])};
  }

  // The key of both ends; empty if no end has it.
  [[nodiscard]] std::string key(const std::array<std::string, 2>& paths) const {
    const std::array keys{read_psk(out_ + "/" + paths[0]), read_psk(out_ + "/" + paths[1])};
    if (!keys[0].empty() && !keys[1].empty() && keys[0] != keys[1]) {
      std::string fault = out_;
      fault.append("/").append(paths[1]).append(": differs from ").append(out_).append("/");
      fault.append(paths[0]).append(
          ", but both ends of a link need the same pre-shared key; remove one of them");
      throw UsageError(fault);
    }
    return keys[0].empty() ? keys[1] : keys[0];
  }

 private:
  struct End {
    std::string directory;
    std::string ifname;  // of the peer
  };

  const std::string& out_;
  std::array<End, 2> ends_;
};

class PskPlanner {
 public:
  PskPlanner(const Plan& plan, const std::string& out, const PskOrder& order)
      : plan_(plan), out_(out), order_(order), roll_(plan.lock.psk_steps) {}

  PlannedFiles run() {
    for (const auto& link : plan_.links) {
      if (!link.psk) continue;
      const LinkKeys keys(plan_, link, out_);
      const auto old_paths = keys.paths(roll_, &PskRoll::old_file);
      const auto new_paths = keys.paths(roll_, &PskRoll::new_file);
      const auto old_key = keys.key(old_paths);
      const auto new_key = keys.key(new_paths);
      if (roll_.step() == 0) {
        between(old_paths, old_key, new_key);
      } else {
        rolling(old_paths, old_key, new_paths, new_key);
      }
    }
    return std::move(files_);
  }

 private:
  // Without a lock file, the plan does not know which of the two names the link has.
  void between(const std::array<std::string, 2>& paths, const std::string& key,
               const std::string& other_key) {
    if (order_.advance && key.empty() && !other_key.empty()) refuse(paths[0]);
    add(paths, key.empty() ? other_key : key);
  }

  void rolling(const std::array<std::string, 2>& old_paths, const std::string& old_key,
               const std::array<std::string, 2>& new_paths, const std::string& new_key) {
    const bool is_first = order_.advance && roll_.step() == 1;
    const bool is_new_link = old_key.empty() && new_key.empty();
    if (order_.advance && !is_first && !is_new_link) {
      if (old_key.empty()) refuse(old_paths[0]);
      if (new_key.empty()) refuse(new_paths[0]);
    }
    add(old_paths, old_key);
    add(new_paths, is_first ? std::string() : new_key);  // a key of long ago is not used again
  }

  [[noreturn]] void refuse(const std::string& path) const {
    throw UsageError(out_ + "/" + path +
                     ": is missing, and the last step of --new-psks has made it; plan without "
                     "--new-psks and apply that first");
  }

  void add(const std::array<std::string, 2>& paths, std::string key) {
    if (key.empty() && order_.make) key = pki::make_psk();
    for (const auto& path : paths) files_.push_back({path, key, 0600});
  }

  const Plan& plan_;
  const std::string& out_;
  const PskOrder& order_;
  PskRoll roll_;
  PlannedFiles files_;
};

}  // namespace

PlannedFiles psk_files(const Plan& plan, const std::string& out, const PskOrder& order) {
  return PskPlanner(plan, out, order).run();
}

}  // namespace routevpn::plan
