// Times of a link's status.
#pragma once

#include <optional>
#include <string_view>

namespace routevpn::exporter {

// The seconds since 1970 of a time that rfc3339() has written, without its fraction.
std::optional<double> to_timestamp(std::string_view rfc3339);

}  // namespace routevpn::exporter
