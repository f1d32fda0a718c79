#include "routevpn/base/text.hpp"
#include "routevpn/cli/commands.hpp"
#include "routevpn/cli/render.hpp"

#include "answers.hpp"
#include "brief.hpp"
#include "history.hpp"
#include "watch.hpp"

namespace routevpn::cli {

namespace {

using nlohmann::json;

std::string full_text(const ShowLinks& show, const json& links, bool colour) {
  std::string text;
  for (const auto& link : links) {
    if (!text.empty()) text += "\n";
    try {
      text += show.history ? render_history(link) : render(link, pki::now(), colour);
    } catch (const json::exception&) {  // a worker that is not sound must not hide the other links
      text += "a link's status is not as expected\n";
    }
  }
  return text;
}

int print_once(const ShowLinks& show, const Console& console) {
  const auto answers = collect(show);
  const bool many = show.links.empty() && answers.links.size() > most_in_full;
  const bool brief = show.brief || (many && !show.history);
  if (show.json) {
    console.out << answers.links.dump(2, ' ', true, json::error_handler_t::replace) << "\n";
  } else if (brief) {
    console.out << render_brief(answers.links, {}, pki::now(), {console.colour, 0, 0});
  } else {
    console.out << full_text(show, answers.links, console.colour);
  }
  console.report(answers.faults);
  const bool none = answers.links.empty() && answers.faults.empty();
  if (none && !show.json) console.report("no link is running in " + show.run_dir);
  return static_cast<int>(answers.faults.empty() ? Exit::stopped : Exit::failed);
}

}  // namespace

int run(const ShowLinks& show, const Console& console) {
  if (show.prometheus) run_exporter(show);
  if (show.watch) return watch(show, console);
  if (show.wait) {
    const int status = run_wait(show, console);
    if (status != static_cast<int>(Exit::stopped) || !show.json) return status;
  }
  return print_once(show, console);
}

}  // namespace routevpn::cli
