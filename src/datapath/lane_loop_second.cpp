// The lane's side of its second thread: sparse_loop.hpp has the rules.

#include <cstring>
#include <utility>

#include "routevpn/datapath/lane_loop.hpp"

namespace routevpn::datapath {
namespace {

// After so many reads all is read that was there before.
constexpr std::size_t reads_of_pass = 1024;
static_assert(reads_of_pass > inside::queue_packets);

}  // namespace

// Of the sparse socket and the second queue. Without a second thread nothing needs to be locked.
SparseLoop::Lock LaneLoop::lock_second() {
  return second_ ? second_->lock() : SparseLoop::Lock();
}

void LaneLoop::update_second(Time now) {
  if (!second_) return;
  SparseView view = lane_.sparse_view(now);
  if (view == second_view_) return;
  if (!second_carries() && !prepare_opening(now)) return;
  if (second_carries() && !view.is_open()) {
    closing_ = Closing::reads_both;
    closing_reads_ = reads_of_pass;
  }
  const auto locked = lock_second();
  second_->set(view);
  second_view_ = std::move(view);
}

bool LaneLoop::prepare_opening(Time now) {
  std::size_t reads = reads_of_pass;
  const bool can = closing_ == Closing::none && unsent_.empty();
  if (!can || !read_second_queue(reads, now) || reads == 0) return false;
  seal_and_send(now);
  return unsent_.empty();
}

// What the second thread has woken the lane for, except for datagrams.
void LaneLoop::take_from_second(Time now) {
  if (!second_) return;
  std::optional<outside::SocketErrors> errors;
  {
    const auto locked = lock_second();
    errors = second_->take_errors();
  }
  if (errors) report(*errors);
  if (!second_->take_used()) return;
  lane_.sparse_is_used();
  if (unsent_.empty()) send_batch(now);
}

// True: the socket may have more.
bool LaneLoop::gather_sparse() {
  if (!ends_.sparse) return false;
  if (!second_ || (!second_carries() && !second_->has_left())) {
    return gather(*ends_.sparse, sparse_);
  }
  const auto locked = lock_second();
  const bool more = !second_carries() || second_->receive();
  second_->take_left(sparse_);
  handles_left_ = sparse_.count != 0;
  return more;
}

void LaneLoop::left_is_handled() {
  if (!std::exchange(handles_left_, false)) return;
  const auto locked = lock_second();
  second_->left_is_handled();
}

void LaneLoop::send_waiting_of_second() {
  if (!second_carries()) return;
  const auto locked = lock_second();
  second_->send_waiting();
}

void LaneLoop::begin_pass() {
  if (pass_reads_ || !second_ || !second_->holds()) return;
  const auto locked = lock_second();
  second_->begin_pass();
  pass_reads_ = reads_of_pass;
}

// All that was read from the first queue is sent. `at_end`: the queue is empty.
void LaneLoop::end_pass(bool at_end, Time now) {
  if (second_carries() && !lane_.sparse_slots().empty()) {
    const auto locked = lock_second();
    second_->steer(lane_.sparse_slots());
  }
  lane_.forget_sparse_slots();
  if (!pass_reads_ || (!at_end && *pass_reads_ != 0)) return;
  pass_reads_.reset();
  {
    const auto locked = lock_second();
    held_to_send_ = second_->release();
    sends_held_ = true;
  }
  send_held(now);
}

// Until all are sent, later packets of these flows are held, too. What does not fit into the socket
// is sent in a later turn.
void LaneLoop::send_held(Time now) {
  const auto locked = lock_second();
  for (; !held_to_send_.empty() && unsent_.empty(); held_to_send_ = held_to_send_.subspan(1)) {
    from_inside(held_to_send_.front().bytes, now, true);
    if (lane_.must_flush()) seal_and_send(now);
  }
  if (unsent_.empty()) seal_and_send(now);
  if (!held_to_send_.empty() || !unsent_.empty()) return;
  second_->released();
  sends_held_ = false;
}

// While the second thread carries nothing. True: the queue is empty, or `reads` are made. False:
// the socket has no room.
bool LaneLoop::read_second_queue(std::size_t& reads, Time now) {
  const auto locked = lock_second();
  while (unsent_.empty()) {
    std::size_t length = 0;
    if (reads == 0 || ends_.sparse_queue->tun.read({inside_buffer_.get(), inside_buffer_bytes},
                                                   length) != inside::IoResult::ok) {
      return true;
    }
    --reads;
    const Bytes packet(inside_buffer_.get(), length);
    if (!second_->hold_back(packet)) from_inside(packet, now);
    if (lane_.must_flush()) seal_and_send(now);
  }
  return false;
}

// Goes on in the next turn if the socket has no room.
void LaneLoop::close_second(Time now) {
  const auto drain = [&] {
    const bool done = read_second_queue(closing_reads_, now);
    if (unsent_.empty()) seal_and_send(now);
    return done && unsent_.empty();
  };
  if (!drain()) return;
  if (closing_ == Closing::reads_both) {
    read_first_queue(now);
    if (second_->holds() || sends_held_ || !unsent_.empty()) return;
    second_->steer_none();
    closing_ = Closing::reads_second;  // for what the kernel was about to put there
    closing_reads_ = reads_of_pass;
    if (!drain()) return;
  }
  closing_ = Closing::none;
}

// Both threads have ended. The successor finds the second queue empty, and no flow steered to it.
void LaneLoop::finish_second(Time now) {
  constexpr int most_turns = 64;
  if (!second_) return;
  if (second_carries()) {
    closing_ = Closing::reads_both;
    closing_reads_ = reads_of_pass;
    second_view_ = {};
  }
  for (int i = 0; i < most_turns && closing_ != Closing::none && unsent_.empty(); ++i) {
    if (sends_held_) send_held(now);
    if (unsent_.empty()) close_second(now);
  }
  closing_ = Closing::none;
  sends_held_ = false;
  pass_reads_.reset();
  second_->drop_held();
}

}  // namespace routevpn::datapath
