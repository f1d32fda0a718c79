#include "verb_tables.hpp"

#include "routevpn/options/settings.hpp"

namespace routevpn::cli {

namespace {

using options::flag, options::single, options::text, options::optional;

options::Option run_dir(std::string& into) {
  return {"run-dir", "DIR", "directory of the links' control sockets", single(into)};
}

}  // namespace

OptionTable show_table(ShowLinks& show) {
  return {
      {"json", "", "print a JSON array", flag(show.json)},
      {"prometheus", "", "print metrics in Prometheus' text format", flag(show.prometheus)},
      {"brief", "", "print one line per link; more than four links are always printed so",
       flag(show.brief)},
      {"history", "", "print the last 32 changes of the state", flag(show.history)},
      {"watch", "", "print again each second with rates, until interrupted", flag(show.watch)},
      {"wait", "up|down", "wait until every LINK is in this state",
       single(show.wait, optional(options::one_of<LinkState>(
                             {{LinkState::up, "up"}, {LinkState::down, "down"}})))},
      {"timeout", "SECONDS", "stop waiting, with exit status 1",
       single(show.timeout, {options::parse_timeout})},
      run_dir(show.run_dir),
      {"config-dir", "DIR", "directory of the links that should run (/etc/routevpn)",
       single(show.config_dir, optional(text()))},
  };
}

OptionTable reload_table(ReloadLinks& reload) {
  return {run_dir(reload.run_dir)};
}

OptionTable doctor_table(ExamineGateway& request) {
  return {
      {"json", "", "print a JSON array of findings", flag(request.json)},
      {"config-dir", "DIR", "directory of the links' configuration files",
       single(request.config_dir)},
      {"run-dir", "DIR", "directory of the control sockets, instead of that in each file",
       single(request.run_dir, optional(text()))},
  };
}

OptionTable plan_table(plan::PlanRequest& request) {
  return {
      {"out", "DIR", "directory of the planned files", single(request.out)},
      {"pki", "DIR", "directory of the CA: makes what is missing, and copies", single(request.pki)},
      {"new-ca", "", "replace planned certificates of another CA", flag(request.new_ca)},
      {"new-psks", "", "make the next of the three steps to new pre-shared keys",
       flag(request.new_psks)},
      {"check", "", "write nothing; exit status 1 if anything would change", flag(request.check)},
      {"dot", "", "write topology.dot too, for Graphviz", flag(request.dot)},
  };
}

OptionTable apply_table(apply::ApplyRequest& request) {
  return {
      {"dry-run", "", "change nothing, and print what would be done", flag(request.dry_run)},
      {"force", "", "replace also files that routevpn apply did not write", flag(request.force)},
      {"timeout", "SECONDS", "how long to wait for a restarted link; 0: no wait (60)",
       single(request.timeout, {options::parse_timeout})},
      {"root", "DIR", "act on the files and sockets below this directory", single(request.root)},
  };
}

}  // namespace routevpn::cli
