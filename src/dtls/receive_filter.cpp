#include "receive_filter.hpp"

#include <array>

namespace routevpn::dtls {

using record::ContentType;

namespace {

// RFC 5246 section 7.2.
constexpr std::uint8_t fatal = 2;
constexpr std::uint8_t close_notify = 0;

void append(std::vector<std::uint8_t>& records, ConstBytes bytes) {
  records.insert(records.end(), bytes.begin(), bytes.end());
}

void append_record(std::vector<std::uint8_t>& records, const record::Header& header,
                   ConstBytes fragment) {
  std::array<std::uint8_t, record::header_bytes> bytes{};
  record::encode(header, bytes.data());
  append(records, bytes);
  append(records, fragment);
}

}  // namespace

void ReceiveFilter::receive(ConstBytes datagram, Time now) {
  std::vector<std::uint8_t> wrong;
  while (const auto record = take_record(datagram)) take_one(*record, wrong);
  if (!datagram.empty()) drop(Drop::handshake_malformed);
  if (!wrong.empty()) hold(std::move(wrong), now);
}

void ReceiveFilter::take_one(const RecordView& record, std::vector<std::uint8_t>& wrong) {
  const auto& header = record.header;
  if (header.epoch == 1) return take_early(record);
  const bool handshake =
      header.type == ContentType::handshake || header.type == ContentType::change_cipher_spec;
  if (header.epoch != 0 || (!handshake && header.type != ContentType::alert)) {
    return drop(Drop::handshake_unexpected);
  }
  const bool right = number_is_right(header.sequence);
  if (right) note_right_number();
  if (right || any_number_ || !handshake) return take_plaintext(record, right);
  if (role_ == Role::acceptor) return drop(Drop::handshake_number);
  append(wrong, record.whole);
}

// The held records were an attacker's.
void ReceiveFilter::note_right_number() {
  misled_ = misled_ || took_wrong_;
  any_number_ = false;
  wrong_since_.reset();
  for (std::size_t i = 0; i < held_.size(); ++i) drop(Drop::handshake_number);
  held_.clear();
}

void ReceiveFilter::hold(std::vector<std::uint8_t> wrong, Time now) {
  if (!wrong_since_) wrong_since_ = now;
  if (held_.size() == max_held_datagrams || wrong.size() > max_held_datagram_bytes) {
    return drop(Drop::handshake_number);
  }
  held_.push_back(std::move(wrong));
}

std::optional<Time> ReceiveFilter::deadline() const {
  if (any_number_ || !wrong_since_) return std::nullopt;
  return *wrong_since_ + fallback_after;
}

void ReceiveFilter::on_timer(Time now) {
  if (const auto due = deadline(); !due || now < *due) return;
  any_number_ = true;
  for (const auto& datagram : std::exchange(held_, {})) receive(datagram, now);
}

void ReceiveFilter::take_plaintext(const RecordView& record, bool right) {
  switch (record.header.type) {
    case ContentType::alert:
      return take_alert(record, right);
    case ContentType::change_cipher_spec:
      // It has no number of its own: OpenSSL gets it once, when it is due.
      if (record.fragment.size() != 1 || record.fragment[0] != 1) {
        return drop(Drop::handshake_malformed);
      }
      change_cipher_spec_ = true;
      return;
    default:
      return take_messages(record, right);
  }
}

// A warning changes nothing, unless it is close_notify.
void ReceiveFilter::take_alert(const RecordView& record, bool right) {
  if (record.fragment.size() != 2) return drop(Drop::handshake_malformed);
  const std::uint8_t description = record.fragment[1];
  if (record.fragment[0] != fatal && description != close_notify) {
    return drop(Drop::plaintext_alert);
  }
  if (right && first_ >= least_random_base) {
    alert_ = description;
  } else {
    if (!unproven_alert_) unproven_alert_ = description;
    drop(Drop::plaintext_alert);
  }
}

void ReceiveFilter::take_messages(const RecordView& record, bool right) {
  if (took_change_cipher_spec_) return drop(Drop::handshake_unexpected);
  ConstBytes rest = record.fragment;
  while (const auto message = take_message(rest)) {
    if (const auto fault = fault_of(*message, role_)) {
      drop(*fault);
      continue;
    }
    took_wrong_ = took_wrong_ || !right;
    append_record(messages_,
                  {ContentType::handshake, record.header.version, 0, next_number_++,
                   static_cast<std::uint16_t>(message->whole.size())},
                  message->whole);
  }
  if (!rest.empty()) drop(Drop::handshake_malformed);
}

// OpenSSL authenticates records of epoch 1, so their numbers need no check. The newest are kept: a
// Finished that comes in one datagram with all that precedes it then reaches OpenSSL despite forged
// ones.
void ReceiveFilter::take_early(const RecordView& record) {
  if (record.header.type != ContentType::handshake) return drop(Drop::record_no_keys);
  if (!may_be_finished(record)) return drop(Drop::handshake_malformed);
  if (early_.size() == max_early_records) {
    early_.pop_front();
    drop(Drop::handshake_unexpected);
  }
  early_.emplace_back(record.whole.begin(), record.whole.end());
}

std::vector<std::uint8_t> ReceiveFilter::take(Awaited awaited) {
  if (awaited == Awaited::finished) {
    std::vector<std::uint8_t> records;
    for (const auto& record : std::exchange(early_, {})) append(records, record);
    return records;
  }
  if (!messages_.empty()) return std::exchange(messages_, {});
  if (awaited != Awaited::change_cipher_spec || !change_cipher_spec_) return {};
  change_cipher_spec_ = false;
  took_change_cipher_spec_ = true;
  std::vector<std::uint8_t> records;
  constexpr std::array<std::uint8_t, 1> one{1};
  append_record(records,
                {ContentType::change_cipher_spec, record::dtls_1_2, 0, next_number_++, one.size()},
                one);
  return records;
}

}  // namespace routevpn::dtls
