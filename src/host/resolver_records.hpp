// The output of the resolver process. Either 1 to 8 address records, or one error record:
//
//   address   '4' or '6', 16 bytes of address, 4 bytes of interface index; 21 bytes
//   error     'E', printable ASCII, filled with zeros; 201 bytes
//
// Bytes that a record does not use are zero.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "routevpn/base/bytes.hpp"
#include "routevpn/host/resolver_process.hpp"

namespace routevpn::host {

inline constexpr std::size_t address_record_bytes = 1 + 16 + sizeof(std::uint32_t);
inline constexpr std::size_t error_record_bytes = 1 + ResolverProcess::max_error_bytes;
inline constexpr std::size_t max_output_bytes = error_record_bytes;
static_assert(max_output_bytes > ResolverProcess::max_addresses * address_record_bytes);

std::string address_record(const SocketAddress& address);
// Cuts a long text; `?` replaces what is not printable.
std::string error_record(std::string_view text);
// None unless the whole output is well-formed.
std::optional<ResolverProcess::Answer> parse_records(ConstBytes output);

}  // namespace routevpn::host
