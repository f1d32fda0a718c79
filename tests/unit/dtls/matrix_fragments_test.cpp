// Negative matrix, both roles: how messages are cut into fragments and records. What RFC 6347
// section 4.2.3 allows must complete.
#include <algorithm>
#include <numeric>

#include "catch.hpp"
#include "matrix.hpp"

using namespace routevpn;
using namespace routevpn::test;
using namespace routevpn::test::scripted;
using dtls::Role;
using record::ContentType;

namespace {

using Records = std::vector<Record>;

// The flight that our end gets, and its largest message.
Flight flight_to(Role ours) {
  return ours == Role::acceptor ? Flight::client_finish : Flight::server_hello;
}
Flight finish_to(Role ours) {
  return ours == Role::acceptor ? Flight::client_finish : Flight::server_finish;
}
constexpr Step cut_step = Step::certificate;

Deviation fragments(std::size_t bytes) {
  return {.fragment_bytes = bytes};
}

// `change` gets the fragments of 100 bytes of a flight.
Deviation cut(Role ours, std::function<void(Records&)> change) {
  Deviation deviation = records_changed(flight_to(ours), std::move(change));
  deviation.fragment_bytes = 100;
  return deviation;
}

Deviation header(Role ours, std::function<void(Record&)> change) {
  return records_changed(flight_to(ours), cut_step, std::move(change));
}

Records::iterator first_of(Records& records) {
  return std::ranges::find_if(records, [](const Record& one) { return one.carries(cut_step); });
}

// Each fragment of the message begins 10 bytes earlier, so that it overlaps the one before it.
void overlap(Records& records) {
  const Octets* before = nullptr;
  std::size_t offset = 0;
  Records original = records;
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (!original[i].carries(cut_step)) continue;
    if (before != nullptr) {
      records[i].payload.insert(records[i].payload.begin() + message_header_bytes,
                                before->end() - 10, before->end());
      set_fragment_offset(records[i], offset - 10);
      set_fragment_length(records[i], records[i].payload.size() - message_header_bytes);
    }
    before = &original[i].payload;
    offset += before->size() - message_header_bytes;
  }
}

void damage_first(Records& records) {
  first_of(records)->payload.back() ^= 1;
}

// A damaged copy of the second fragment follows the right one.
void contradict(Records& records) {
  const auto second = first_of(records) + 1;
  Record copy = *second;
  copy.payload.back() ^= 1;
  records.insert(second + 1, copy);
}

// An empty fragment precedes the message.
void insert_empty(Records& records) {
  const auto first = first_of(records);
  Record empty = *first;
  empty.payload.resize(message_header_bytes);
  set_fragment_length(empty, 0);
  records.insert(first, empty);
}

// All records of the flight in the payload of one record.
void join(Records& records) {
  Record one;
  Records rest;
  for (const auto& record : records) {
    if (record.epoch == 0 && record.is(ContentType::handshake)) {
      append(one.payload, record.payload);
    } else {
      rest.push_back(record);
    }
  }
  rest.insert(rest.begin(), one);
  records = rest;
}

Record fragment_of(std::uint32_t length, std::uint32_t offset, std::uint32_t size) {
  Record record;
  record.payload = Writer()
                       .number(static_cast<std::uint8_t>(cut_step), 1)
                       .number(length, 3)
                       .number(2, 2)
                       .number(offset, 3)
                       .number(size, 3)
                       .bytes(Octets(std::min(size, 1000U)))
                       .out;
  return record;
}

}  // namespace

TEST_CASE("fragments in every form that RFC 6347 allows complete") {
  const auto ours = GENERATE(Role::acceptor, Role::initiator);
  check_rows(ours,
             {
                 {"fragments of 1 byte", Ending::completes, "", fragments(1)},
                 {"fragments of 10 bytes", Ending::completes, "", fragments(10)},
                 {"fragments of 100 bytes", Ending::completes, "", fragments(100)},
                 {"fragments in reverse order", Ending::completes, "",
                  cut(ours,
                      [](Records& records) {
                        const auto first = first_of(records);
                        std::reverse(first,
                                     std::find_if(first, records.end(), [](const Record& one) {
                                       return !one.carries(cut_step);
                                     }));
                      })},
                 {"all records twice", Ending::completes, "",
                  cut(ours,
                      [](Records& records) {
                        Records twice;
                        for (const auto& record : records) twice.insert(twice.end(), 2, record);
                        records = twice;
                      })},
                 {"overlapping fragments", Ending::completes, "", cut(ours, overlap)},
                 {"a Finished in two fragments", Ending::completes, "",
                  cut_in_two(finish_to(ours), Step::finished, 6)},
                 {"several messages in a record", Ending::completes, "",
                  records_changed(flight_to(ours), join)},
                 {"a missing fragment, and the flight again", Ending::completes, "",
                  cut(ours, [](Records& records) { records.erase(first_of(records)); }), true},
                 {"the flight in reverse order", Ending::completes, "",
                  cut(ours, [](Records& records) { std::ranges::reverse(records); })},
             });
}

TEST_CASE("fragments whose fields contradict are refused or dropped") {
  const auto ours = GENERATE(Role::acceptor, Role::initiator);
  const auto inserted_before = [ours](const Record& record) {
    return record_inserted(flight_to(ours), cut_step, record);
  };
  check_rows(
      ours,
      {

          {"a missing fragment", Ending::times_out, "",
           cut(ours, [](Records& records) { records.erase(first_of(records)); })},
          {"a damaged fragment", Ending::refused, "not signed by our CA", cut(ours, damage_first),
           false, Drop::certificate_refused},
          {"a second copy that differs", Ending::refused, "wrong tag", cut(ours, contradict)},
          {"a message of 16 MiB, and the flight again", Ending::completes, counted_malformed,
           header(ours, [](Record& record) { set_message_length(record, 0xffffff); }), true},
          {"a message longer than its fragments", Ending::times_out, "",
           header(ours, [](Record& record) { set_message_length(record, 5000); })},
          {"a fragment longer than its record, and the flight again", Ending::completes,
           counted_malformed,
           header(ours,
                  [](Record& record) {
                    set_message_length(record, 5000);
                    set_fragment_length(record, 2000);
                  }),
           true},
          {"a fragment shorter than its record, and the flight again", Ending::completes,
           counted_malformed, header(ours, [](Record& record) { set_fragment_length(record, 10); }),
           true},
          {"an offset behind the end, and the flight again", Ending::completes, counted_malformed,
           header(ours, [](Record& record) { set_fragment_offset(record, 4000); }), true},
          {"an offset of 16 MiB, and the flight again", Ending::completes, counted_malformed,
           header(ours, [](Record& record) { set_fragment_offset(record, 0xffffff); }), true},
          {"message number far ahead", Ending::times_out, "",
           header(ours, [](Record& record) { set_message_sequence(record, 1000); })},
          {"message number of the past", Ending::times_out, "",
           header(ours, [](Record& record) { set_message_sequence(record, 0); })},
          {"an empty fragment besides", Ending::completes, counted_malformed,
           records_changed(flight_to(ours), insert_empty)},
          {"a fragment with another length, and the whole message", Ending::completes, "",
           inserted_before(fragment_of(900, 0, 100))},
          {"a fragment with another length, and the fragments", Ending::refused,
           "OpenSSL gave no reason",
           cut(ours,
               [](Records& records) {
                 records.insert(first_of(records), fragment_of(900, 0, 100));
               })},
          {"a fragment of 16 MiB", Ending::completes, counted_malformed,
           inserted_before(fragment_of(0xffffff, 0, 0xffffff))},
          {"an empty record", Ending::completes, "", inserted_before({})},
          {"a record shorter than a message header", Ending::completes, counted_malformed,
           inserted_before({ContentType::handshake, 0, Octets(11)})},
          {"a record of an unknown type", Ending::completes, "",
           inserted_before({static_cast<ContentType>(99), 0, Octets(20)})},
          {"a record of DTLS 1.0", Ending::completes, "",
           inserted_before({ContentType::handshake, 0, Octets(20), record::dtls_1_0})},
          {"a record of TLS 1.2", Ending::completes, "",
           inserted_before({ContentType::handshake, 0, Octets(20), 0x0303})},
          {"a record of epoch 2", Ending::completes, "",
           inserted_before({ContentType::handshake, 2, Octets(60)})},
          {"a record of epoch 1 that does not authenticate", Ending::completes, "",
           inserted_before({ContentType::handshake, 1, Octets(60)})},
          {"a ChangeCipherSpec of 2 bytes", Ending::completes, "",
           inserted_before({ContentType::change_cipher_spec, 0, {1, 1}})},
          {"a ChangeCipherSpec with value 2", Ending::completes, counted_malformed,
           inserted_before({ContentType::change_cipher_spec, 0, {2}})},
      });
}
