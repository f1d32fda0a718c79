#include "bio.hpp"

#include <algorithm>

#include <sys/time.h>

#include "records.hpp"

namespace routevpn::dtls {

void EpochOneUse::note(std::uint64_t sequence, ConstBytes fragment) {
  if (fragment.size() >= sizeof(std::uint64_t)) {
    const std::uint64_t base = load_be64(fragment.data()) - sequence;
    if (highest_sequence && base != nonce_base) same_base = false;
    nonce_base = base;
  }
  highest_sequence = std::max(highest_sequence.value_or(0), sequence);
}

std::optional<std::size_t> DatagramPipe::read(Bytes into) {
  if (!waiting_) return std::nullopt;
  const std::size_t size = std::min(into.size(), waiting_->size());
  std::copy_n(waiting_->begin(), size, into.begin());
  waiting_.reset();
  return size;
}

bool DatagramPipe::may_send(ConstBytes datagram) const {
  if (!taken_over_from_) return true;
  while (const auto record = take_record(datagram)) {
    const auto& header = record->header;
    if (header.epoch == 0) continue;
    if (header.epoch != 1 || header.type != record::ContentType::handshake ||
        header.sequence >= *taken_over_from_) {
      return false;
    }
  }
  return true;
}

void DatagramPipe::renumber(Bytes datagram) {
  if (!next_number_) return;
  for (ConstBytes rest = datagram; const auto record = take_record(rest);) {
    if (record->header.epoch != 0) continue;
    auto header = record->header;
    header.sequence = (*next_number_)++;
    const auto at = static_cast<std::size_t>(record->whole.data() - datagram.data());
    record::encode(header, datagram.data() + at);
  }
}

void DatagramPipe::write(ConstBytes datagram) {
  if (!may_send(datagram)) {
    ++refused_;
    return;
  }
  renumber(output_.emplace_back(datagram.begin(), datagram.end()));
  while (const auto record = take_record(datagram)) {
    if (record->header.epoch == 1) used_.note(record->header.sequence, record->fragment);
  }
}

namespace {

DatagramPipe& pipe_of(BIO* bio) {
  return *static_cast<DatagramPipe*>(BIO_get_data(bio));
}

int bio_read(BIO* bio, char* into, int size) {
  BIO_clear_retry_flags(bio);
  const auto got = pipe_of(bio).read(
      {reinterpret_cast<std::uint8_t*>(into), static_cast<std::size_t>(std::max(size, 0))});
  if (got) return static_cast<int>(*got);
  BIO_set_retry_read(bio);
  return -1;
}

int bio_write(BIO* bio, const char* from, int size) {
  BIO_clear_retry_flags(bio);
  if (size <= 0) return 0;
  pipe_of(bio).write({reinterpret_cast<const std::uint8_t*>(from), static_cast<std::size_t>(size)});
  return size;
}

long bio_ctrl(BIO* bio, int command, long, void* argument) {
  switch (command) {
    case BIO_CTRL_FLUSH:
      return 1;
    case BIO_CTRL_DGRAM_QUERY_MTU:
    case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
      return pipe_of(bio).mtu;
    case BIO_CTRL_DGRAM_GET_MTU_OVERHEAD:
      return udp_over_ipv6_bytes;
    case BIO_CTRL_DGRAM_SET_NEXT_TIMEOUT: {
      // The time is of the wall clock, which is not ours. All zero: the flight was answered.
      const auto* when = static_cast<const timeval*>(argument);
      auto& timer = pipe_of(bio).timer;
      timer.due.reset();
      if (when->tv_sec != 0 || when->tv_usec != 0) timer.due = timer.now + timer.interval;
      return 1;
    }
    default:
      return 0;
  }
}

using BioMethod = Owned<BIO_METHOD, BIO_meth_free>;

BioMethod make_method() {
  const int type = BIO_get_new_index() | BIO_TYPE_SOURCE_SINK;
  BioMethod method(pki::require(BIO_meth_new(type, "datagram pipe"), "make a BIO method"));
  pki::require(BIO_meth_set_read(method.get(), bio_read) == 1 &&
                   BIO_meth_set_write(method.get(), bio_write) == 1 &&
                   BIO_meth_set_ctrl(method.get(), bio_ctrl) == 1,
               "fill a BIO method");
  return method;
}

}  // namespace

pki::Bio make_bio(DatagramPipe& pipe) {
  static const BioMethod method = make_method();
  pki::Bio bio(pki::require(BIO_new(method.get()), "make a BIO"));
  BIO_set_data(bio.get(), &pipe);
  BIO_set_init(bio.get(), 1);
  return bio;
}

}  // namespace routevpn::dtls
