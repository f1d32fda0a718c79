#include "carry_out.hpp"

#include <algorithm>
#include <cstdio>

#include "routevpn/base/error.hpp"
#include "routevpn/base/files.hpp"

#include "bird.hpp"
#include "installed.hpp"

namespace routevpn::apply {

namespace {

using Kind = PlannedUnit::Kind;

constexpr std::chrono::milliseconds look_period{200};

std::string seconds_of(std::chrono::milliseconds time) {
  return std::to_string(time.count() / 1000) + " s";
}

// Files written beside their targets. The destructor removes those that were not moved.
class Staging {
 public:
  Staging() = default;
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;
  ~Staging() {
    for (const auto& [path, temporary] : files_) std::remove(temporary.c_str());
  }
  void add(const std::string& path, const PlannedFile& file) {
    files_.emplace_back(path, write_temporary(path, file.content, file.mode, Sync::yes));
  }
  void move_next() {
    const auto& [path, temporary] = files_.front();
    if (std::rename(temporary.c_str(), path.c_str()) != 0) throw system_error("create " + path);
    files_.erase(files_.begin());
  }

 private:
  std::vector<std::pair<std::string, std::string>> files_;  // path, temporary file
};

class Executor {
 public:
  Executor(const Carrying& carrying, const std::function<void()>& done)
      : to_(carrying), manifest_(carrying.decision.before), done_(done) {}

  void run() {
    const auto& steps = to_.decision.steps;
    if (steps.empty() || steps.front().action != Action::install) save();
    for (const auto& step : steps) carry_out_step(step);
    manifest_ = to_.decision.after;
    save();
  }

 private:
  void carry_out_step(const Step& step) {
    if (const auto name = to_.machine.signal()) {
      throw SystemError(*name + " came before this step");
    }
    const auto& first = step.objects.front();
    switch (step.action) {
      case Action::install:
        return install(step.objects);
      case Action::enable:
        return enable(step.objects);
      case Action::remove:
        return remove(step.objects);
      case Action::stop:
        return stop(first);
      case Action::start:
        systemctl({"start", first});
        break;
      case Action::reload:
        systemctl({"reload", first});
        break;
      case Action::configure:
        configure(unit(first));
        break;
      case Action::reload_link:
        reload(unit(first));
        break;
      case Action::restart:
        if (unit(first).kind == Kind::link) return restart(unit(first));
        systemctl({"restart", first});
        break;
    }
    record(first);
    done_();
  }

  [[nodiscard]] const PlannedUnit& unit(const std::string& name) const {
    return *to_.plan.unit(name);
  }
  [[nodiscard]] std::string at(std::string_view path) const { return to_.root + std::string(path); }

  void save() { save_manifest(to_.root, manifest_); }

  // The unit runs as planned.
  void record(const std::string& name) {
    manifest_.units[name] = to_.decision.wanted.at(name);
    save();
  }

  void systemctl(Words words) {
    words.insert(words.begin(), "systemctl");
    const auto ended = to_.machine.run(words);
    if (!ended) throw SystemError("systemctl is not installed");
    if (ended->status == 0) return;
    const auto reason = one_line(ended->err);
    throw SystemError(reason.empty() ? "systemctl: exit status " + std::to_string(ended->status)
                                     : reason);
  }

  // All files are written before the first is moved, so a full disk changes none.
  void install(const std::vector<std::string>& paths) {
    Staging staging;
    for (const auto& path : paths) {
      const auto directory = directory_of(path);
      const bool secret = directory == pki_dir || directory == psk_dir;
      make_directories(at(directory), secret ? 0700 : 0755);
      staging.add(at(path), *to_.plan.file(path));
    }
    save();
    for (std::size_t i = 0; i < paths.size(); ++i) {
      staging.move_next();
      done_();
    }
  }

  void enable(const std::vector<std::string>& units) {
    Words words = {"enable"};
    words.insert(words.end(), units.begin(), units.end());
    systemctl(std::move(words));
    for (std::size_t i = 0; i < units.size(); ++i) done_();
  }

  void stop(const std::string& name) {
    systemctl({"disable", "--now", name});
    // A unit that had failed would stay in the list of failed units. Of others, this is an error.
    to_.machine.run({"systemctl", "reset-failed", name});
    manifest_.units.erase(name);
    save();
    done_();
  }

  void remove(const std::vector<std::string>& paths) {
    for (const auto& path : paths) {
      if (std::remove(at(path).c_str()) != 0 && errno != ENOENT) {
        throw system_error("remove " + at(path));
      }
      manifest_.files.erase(path);
      save();
      done_();
    }
  }

  [[nodiscard]] std::string bird_socket(const std::string& name) const {
    return at("/run/routevpn/bird/" + name + ".ctl");
  }

  void configure(const PlannedUnit& bird) {
    const auto ended = to_.machine.run({"birdc", "-s", bird_socket(bird.instance), "configure"});
    if (!ended) throw SystemError("birdc is not installed");
    if (!has_reconfigured(*ended)) {
      throw SystemError("birdc configure: " + one_line(ended->err + ended->out));
    }
  }

  void reload(const PlannedUnit& link) {
    const auto answer = to_.machine.reload(at(link.options.run_dir), link.instance);
    if (!answer) throw SystemError("the link does not listen at its command socket");
    if (answer->done) return;
    std::string lines;
    for (const auto& line : answer->lines) lines.append(line).append("\n");
    throw SystemError(one_line(lines));
  }

  // Restarts one link. If it was up, another link carries the traffic meanwhile, and the next link
  // has to wait until this one carries again.
  void restart(const PlannedUnit& link) {
    const bool was_up = is_up(link);
    if (was_up && has_other_links(link)) {
      wait([&] { return another_carries(link); },
           link.instance +
               " is the only link with traffic, and is not restarted: no other link "
               "was up with its BGP session established");
    }
    systemctl({"restart", link.name});
    record(link.name);
    if (was_up) wait([&] { return carries(link); }, state_after_restart(link));
    done_();
  }

  [[nodiscard]] std::string state_after_restart(const PlannedUnit& link) const {
    return link.instance + " was restarted, and was not up " +
           (link.session.empty() ? "" : "with its BGP session " + link.session + " established ") +
           "again";
  }

  template <typename Condition>
  void wait(Condition condition, const std::string& late) {
    if (to_.timeout <= to_.timeout.zero()) return;
    const auto end = to_.machine.now() + to_.timeout;
    while (!condition()) {
      if (const auto name = to_.machine.signal()) throw SystemError(late + " before " + *name);
      if (to_.machine.now() >= end) {
        throw SystemError(late + " within " + seconds_of(to_.timeout));
      }
      to_.machine.pause(look_period);
    }
  }

  [[nodiscard]] bool is_up(const PlannedUnit& link) const {
    try {
      return to_.machine.is_up(at(link.options.run_dir), link.instance);
    } catch (const SystemError&) {  // it does not answer
      return false;
    }
  }

  [[nodiscard]] bool carries(const PlannedUnit& link) const {
    if (!is_up(link)) return false;
    if (link.session.empty()) return true;
    const auto ended = to_.machine.run(
        {"birdc", "-s", bird_socket(to_.plan.netns), "show", "protocols", link.session});
    return ended && is_established(ended->out, link.session);
  }

  [[nodiscard]] bool has_other_links(const PlannedUnit& link) const {
    return std::ranges::any_of(to_.plan.units, [&](const PlannedUnit& other) {
      return other.kind == Kind::link && other.name != link.name;
    });
  }

  [[nodiscard]] bool another_carries(const PlannedUnit& link) const {
    return std::ranges::any_of(to_.plan.units, [&](const PlannedUnit& other) {
      return other.kind == Kind::link && other.name != link.name && carries(other);
    });
  }

  const Carrying& to_;
  Manifest manifest_;
  const std::function<void()>& done_;
};

}  // namespace

void carry_out(const Carrying& carrying, const std::function<void()>& done) {
  Executor(carrying, done).run();
}

void save_manifest(const std::string& root, const Manifest& manifest) {
  make_directories(root + std::string(state_dir), 0755);
  replace_file(root + std::string(manifest_path), to_text(manifest), 0600, Sync::yes);
}

}  // namespace routevpn::apply
