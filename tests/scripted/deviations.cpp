#include "scripted/deviations.hpp"

#include <algorithm>

namespace routevpn::test::scripted {

namespace {

using Steps = std::vector<Step>;

Deviation steps_changed(Flight flight, std::function<void(Steps&)> change) {
  return {.steps = [flight, change = std::move(change)](Flight current, Steps& steps) {
    if (current == flight) change(steps);
  }};
}

void store_be24(std::uint8_t* at, std::size_t value) {
  at[0] = static_cast<std::uint8_t>(value >> 16);
  store_be16(at + 1, static_cast<std::uint16_t>(value));
}

}  // namespace

Deviation missing(Flight flight, Step step) {
  return steps_changed(flight, [step](Steps& steps) { std::erase(steps, step); });
}

Deviation repeated(Flight flight, Step step) {
  return steps_changed(
      flight, [step](Steps& steps) { steps.insert(std::ranges::find(steps, step), step); });
}

Deviation swapped(Flight flight, Step first, Step second) {
  return steps_changed(flight, [first, second](Steps& steps) {
    std::iter_swap(std::ranges::find(steps, first), std::ranges::find(steps, second));
  });
}

Deviation replaced(Flight flight, Step step, Step by) {
  return steps_changed(flight, [step, by](Steps& steps) { std::ranges::replace(steps, step, by); });
}

Deviation inserted(Flight flight, Step step, Step before) {
  return steps_changed(flight, [step, before](Steps& steps) {
    steps.insert(std::ranges::find(steps, before), step);
  });
}

Deviation replaced_all(Flight flight, std::vector<Step> by) {
  return steps_changed(flight, [by = std::move(by)](Steps& steps) { steps = by; });
}

Deviation hello_changed(std::function<void(Hello&)> change) {
  return {.hello = [change = std::move(change)](Flight, Hello& hello) { change(hello); }};
}

Deviation hello_changed(Flight flight, std::function<void(Hello&)> change) {
  return {.hello = [flight, change = std::move(change)](Flight current, Hello& hello) {
    if (current == flight) change(hello);
  }};
}

Deviation body_changed(Step step, std::function<void(Octets&)> change) {
  return {.message = [step, change = std::move(change)](Message& message) {
    if (message.is(step)) change(message.body);
  }};
}

Deviation emptied(Step step) {
  return body_changed(step, [](Octets& body) { body.clear(); });
}

Deviation shortened(Step step) {
  return body_changed(step, [](Octets& body) { body.pop_back(); });
}

Deviation lengthened(Step step) {
  return body_changed(step, [](Octets& body) { body.push_back(0); });
}

Deviation damaged(Step step) {
  return body_changed(step, [](Octets& body) { body.back() ^= 1; });
}

Deviation retyped(Step step, Step as) {
  return {.message = [step, as](Message& message) {
    if (message.is(step)) message.type = static_cast<std::uint8_t>(as);
  }};
}

Deviation records_changed(Flight flight, std::function<void(std::vector<Record>&)> change) {
  return {.records = [flight, change = std::move(change)](Flight current,
                                                          std::vector<Record>& records) {
    if (current == flight) change(records);
  }};
}

Deviation records_changed(Flight flight, Step step, std::function<void(Record&)> change) {
  return records_changed(flight, [step, change = std::move(change)](std::vector<Record>& records) {
    for (auto& record : records) {
      if (record.carries(step)) change(record);
    }
  });
}

Deviation cut_in_two(Flight flight, Step step, std::size_t first_bytes) {
  return records_changed(flight, [step, first_bytes](std::vector<Record>& records) {
    const auto whole =
        std::ranges::find_if(records, [step](const Record& one) { return one.carries(step); });
    Record first = *whole;
    first.payload.resize(message_header_bytes + first_bytes);
    set_fragment_length(first, first_bytes);
    Octets& rest = whole->payload;
    const auto body = rest.begin() + message_header_bytes;
    rest.erase(body, body + static_cast<std::ptrdiff_t>(first_bytes));
    set_fragment_offset(*whole, first_bytes);
    set_fragment_length(*whole, rest.size() - message_header_bytes);
    records.insert(whole, first);
  });
}

Deviation record_inserted(Flight flight, Step before, const Record& record) {
  return records_changed(flight, [before, record](std::vector<Record>& records) {
    const auto at =
        std::ranges::find_if(records, [before](const Record& one) { return one.carries(before); });
    records.insert(at, record);
  });
}

void set_message_length(Record& record, std::size_t value) {
  store_be24(&record.payload.at(1), value);
}

void set_message_sequence(Record& record, std::uint16_t value) {
  store_be16(&record.payload.at(4), value);
}

void set_fragment_offset(Record& record, std::size_t value) {
  store_be24(&record.payload.at(6), value);
}

void set_fragment_length(Record& record, std::size_t value) {
  store_be24(&record.payload.at(9), value);
}

}  // namespace routevpn::test::scripted
