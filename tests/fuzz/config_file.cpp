// A configuration file, read as a link reads it. A file without faults is written and read again.
#include "routevpn/options/config_file.hpp"

#include "routevpn/options/link_table.hpp"

#include "target.hpp"

void routevpn::fuzz::run_target(Input input) {
  options::LinkDraft draft;
  const auto table = options::link_table(draft);
  const auto reading = store(table, {}, options::parse_config(input.text(), "link.conf"));
  for (const auto& fault : reading.faults) {
    require(fault.starts_with("link.conf"), "a fault names the file");
    require(fault.find('\n') == std::string::npos, "a fault is one line");
  }
  if (!reading.faults.empty()) return;
  options::LinkDraft again;
  const auto text = options::write_config(table);
  const auto second = store(options::link_table(again), {}, options::parse_config(text, ""));
  require(second.faults.empty() && again.options == draft.options, "the written file is equal");
}
