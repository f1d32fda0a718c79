#include "routevpn/session/association_table.hpp"

#include "catch.hpp"

using namespace routevpn;
using namespace routevpn::session;
using namespace std::chrono_literals;

namespace {

using Ids = std::vector<datapath::AssociationId>;
using Entry = AssociationTable::Entry;

const Time table_start{1h};

Entry& add(AssociationTable& table, datapath::AssociationId id, Time established = table_start) {
  AssociationStatus status;
  status.established = established;
  return table.add(id, std::move(status));
}

}  // namespace

TEST_CASE("the first association is in use once it is confirmed, and is never retired by time") {
  AssociationTable table;
  CHECK(table.empty());
  Entry& first = add(table, 1);
  CHECK_FALSE(table.retire_due());
  CHECK(table.current() == nullptr);
  CHECK(table.current_id() == 0);
  first.activate_at = table_start + 1s;
  CHECK(table.activate_due() == table_start + 1s);
  CHECK(table.confirm(first, table_start));
  CHECK(first.confirmed);
  CHECK_FALSE(table.activate_due());
  CHECK(table.current() == table.find(1));
  CHECK(table.retire(table_start + 1h).empty());
}

TEST_CASE("a confirmed rekey replaces the association in use and retires it 10 s later") {
  AssociationTable table;
  table.confirm(add(table, 1), table_start);
  const Time confirmed = table_start + 3s;
  CHECK(table.confirm(add(table, 2, table_start + 2s), confirmed));
  CHECK(table.current_id() == 2);
  CHECK(table.newest().id == 2);
  CHECK(table.retire_due() == confirmed + AssociationTable::old_keys_time);
  CHECK(table.retire(confirmed + AssociationTable::old_keys_time - 1ns).empty());
  CHECK(table.retire(confirmed + AssociationTable::old_keys_time) == Ids{1});
  CHECK(table.find(1) == nullptr);
  CHECK(table.current() == &table.newest());
  CHECK_FALSE(table.retire_due());
}

TEST_CASE("a rekey that the peer never confirms is retired, the association in use stays") {
  AssociationTable table;
  table.confirm(add(table, 1), table_start);
  const Time established = table_start + 5s;
  add(table, 2, established);
  CHECK(table.current_id() == 1);
  CHECK(table.retire(established + AssociationTable::old_keys_time) == Ids{2});
  CHECK(table.current() == table.find(1));
}

TEST_CASE("a late confirmation of an older association does not replace a newer one") {
  AssociationTable table;
  add(table, 1);
  add(table, 2);
  CHECK(table.confirm(*table.find(2), table_start + 1s));
  CHECK_FALSE(table.confirm(*table.find(1), table_start + 4s));
  CHECK(table.current_id() == 2);
  CHECK(table.retire_due() == table_start + 4s + AssociationTable::old_keys_time);
}

TEST_CASE("a further rekey does not postpone the retirement of older keys") {
  AssociationTable table;
  table.confirm(add(table, 1), table_start);
  table.confirm(add(table, 2), table_start + 1s);
  table.confirm(add(table, 3), table_start + 5s);
  CHECK(table.retire_due() == table_start + 1s + AssociationTable::old_keys_time);
  CHECK(table.retire(table_start + 5s + AssociationTable::old_keys_time) == Ids{1, 2});
}

TEST_CASE("clear() removes every association, and the next one is again the first") {
  AssociationTable table;
  table.confirm(add(table, 1), table_start);
  add(table, 2);
  table.clear();
  CHECK(table.empty());
  CHECK(table.current_id() == 0);
  CHECK_FALSE(table.retire_due());
  add(table, 3);
  CHECK_FALSE(table.retire_due());
}
