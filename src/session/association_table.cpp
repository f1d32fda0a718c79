#include "routevpn/session/association_table.hpp"

#include <algorithm>

namespace routevpn::session {

AssociationTable::Entry& AssociationTable::add(datapath::AssociationId id,
                                               AssociationStatus status) {
  Entry entry{id, std::move(status)};
  if (current_id_ != 0) entry.retire_at = entry.status.established + old_keys_time;
  return entries_.emplace_back(std::move(entry));
}

bool AssociationTable::confirm(Entry& entry, Time now) {
  entry.confirmed = true;
  entry.activate_at.reset();
  entry.retire_at.reset();
  if (entry.id < current_id_) {  // a newer one was confirmed before this one's first record came
    entry.retire_at = now + old_keys_time;
    return false;
  }
  current_id_ = entry.id;
  for (Entry& older : entries_) {
    if (older.id < entry.id && !older.retire_at) older.retire_at = now + old_keys_time;
  }
  return true;
}

void AssociationTable::clear() {
  entries_.clear();
  current_id_ = 0;
}

std::vector<datapath::AssociationId> AssociationTable::retire(Time now) {
  std::vector<datapath::AssociationId> retired;
  std::erase_if(entries_, [&](const Entry& entry) {
    if (!entry.retire_at || now < *entry.retire_at) return false;
    retired.push_back(entry.id);
    return true;
  });
  return retired;
}

AssociationTable::Entry* AssociationTable::find(datapath::AssociationId id) {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [id](const Entry& entry) { return entry.id == id; });
  return found == entries_.end() ? nullptr : &*found;
}

const AssociationTable::Entry* AssociationTable::current() const {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [this](const Entry& entry) { return entry.id == current_id_; });
  return found == entries_.end() ? nullptr : &*found;
}

std::optional<Time> AssociationTable::first(std::optional<Time> Entry::*time) const {
  std::optional<Time> first;
  for (const Entry& entry : entries_) {
    if (entry.*time && (!first || *(entry.*time) < *first)) first = entry.*time;
  }
  return first;
}

}  // namespace routevpn::session
