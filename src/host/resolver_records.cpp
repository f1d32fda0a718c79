#include "resolver_records.hpp"

#include <algorithm>
#include <cstring>

namespace routevpn::host {

namespace {

constexpr std::uint8_t v4_mark = '4';
constexpr std::uint8_t v6_mark = '6';
constexpr std::uint8_t error_mark = 'E';

bool is_printable(std::uint8_t byte) {
  return byte >= 0x20 && byte <= 0x7e;
}

bool is_zero(ConstBytes bytes) {
  return std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; });
}

bool is_v4_mapped(ConstBytes address) {
  return is_zero(address.first(10)) && address[10] == 0xff && address[11] == 0xff;
}

std::optional<SocketAddress> parse_address(ConstBytes record) {
  const auto address = record.subspan<1, 16>();
  std::array<std::uint8_t, 16> bytes{};
  std::ranges::copy(address, bytes.begin());
  if (record[0] == v4_mark) {
    if (!is_zero(record.subspan(1 + 4))) return std::nullopt;
    return SocketAddress{IpAddress::v4({bytes[0], bytes[1], bytes[2], bytes[3]})};
  }
  if (record[0] != v6_mark || is_v4_mapped(address)) return std::nullopt;
  SocketAddress result{IpAddress::v6(bytes)};
  std::memcpy(&result.scope, record.data() + 1 + 16, sizeof result.scope);
  return result;
}

std::optional<std::string> parse_error(ConstBytes text) {
  const auto end = std::ranges::find_if_not(text, is_printable);
  const auto length = static_cast<std::size_t>(end - text.begin());
  if (length == 0 || !is_zero(text.subspan(length))) return std::nullopt;
  return std::string(text.begin(), end);
}

}  // namespace

std::string address_record(const SocketAddress& address) {
  std::string record(address_record_bytes, '\0');
  record[0] = static_cast<char>(address.address.is_v4() ? v4_mark : v6_mark);
  std::ranges::copy(address.address.bytes(), record.begin() + 1);
  std::memcpy(record.data() + 1 + 16, &address.scope, sizeof address.scope);
  return record;
}

std::string error_record(std::string_view text) {
  std::string record(error_record_bytes, '\0');
  record[0] = static_cast<char>(error_mark);
  text = text.substr(0, ResolverProcess::max_error_bytes);
  std::ranges::transform(text, record.begin() + 1, [](char byte) {
    return is_printable(static_cast<std::uint8_t>(byte)) ? byte : '?';
  });
  return record;
}

std::optional<ResolverProcess::Answer> parse_records(ConstBytes output) {
  if (output.size() == error_record_bytes && output[0] == error_mark) {
    auto error = parse_error(output.subspan(1));
    if (!error) return std::nullopt;
    return ResolverProcess::Answer{{}, std::move(*error)};
  }
  const std::size_t records = output.size() / address_record_bytes;
  if (records == 0 || records > ResolverProcess::max_addresses ||
      output.size() % address_record_bytes != 0) {
    return std::nullopt;
  }
  ResolverProcess::Answer answer;
  for (std::size_t i = 0; i < records; ++i) {
    const auto address =
        parse_address(output.subspan(i * address_record_bytes, address_record_bytes));
    if (!address) return std::nullopt;
    answer.addresses.push_back(*address);
  }
  return answer;
}

}  // namespace routevpn::host
