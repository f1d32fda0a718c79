// Deviations of the scripted peer, by what they change.
#pragma once

#include "scripted/peer.hpp"

namespace routevpn::test::scripted {

// The steps of one flight.
Deviation missing(Flight flight, Step step);
Deviation repeated(Flight flight, Step step);  // as a new message
Deviation swapped(Flight flight, Step first, Step second);
Deviation replaced(Flight flight, Step step, Step by);
Deviation inserted(Flight flight, Step step, Step before);  // new step, and the step it precedes
Deviation replaced_all(Flight flight, std::vector<Step> steps);

// The hellos. `hello_changed` concerns both ClientHellos, or the ServerHello.
Deviation hello_changed(std::function<void(Hello&)> change);
Deviation hello_changed(Flight flight, std::function<void(Hello&)> change);

// The body or the type of each message of this kind. The transcript has the changed message.
Deviation body_changed(Step step, std::function<void(Octets&)> change);
Deviation emptied(Step step);
Deviation shortened(Step step);   // by one byte
Deviation lengthened(Step step);  // by one byte
Deviation damaged(Step step);     // the last bit
Deviation retyped(Step step, Step as);

// The records of one flight, or of its messages of one kind.
Deviation records_changed(Flight flight, std::function<void(std::vector<Record>&)> change);
Deviation records_changed(Flight flight, Step step, std::function<void(Record&)> change);
// The message of this kind in two fragments; the first has this many bytes of its body.
Deviation cut_in_two(Flight flight, Step step, std::size_t first_bytes);
Deviation record_inserted(Flight flight, Step before, const Record& record);

// Fields of a fragment's header (RFC 6347 section 4.2.2).
void set_message_length(Record& record, std::size_t value);
void set_fragment_offset(Record& record, std::size_t value);
void set_fragment_length(Record& record, std::size_t value);
void set_message_sequence(Record& record, std::uint16_t value);

}  // namespace routevpn::test::scripted
