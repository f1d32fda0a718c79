// Text forms and the rules for names that several rooms share.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace routevpn {

// One line that no terminal interprets: each byte of a control character (C0, DEL, C1) and each
// byte that is not well-formed UTF-8 becomes \xNN.
std::string printable(std::string_view text);

std::string escaped(char c);  // \xNN

// The longest name that is shown of a certificate: ub-common-name, RFC 5280 appendix A.1. A name in
// another field can have 64 KiB, and a stranger chooses it.
inline constexpr std::size_t max_shown_name = 64;
// The name, or its beginning with "..." after it, at most max_shown_name characters of ASCII.
std::string shortened(std::string_view name);

// The number that the whole text spells, without sign or prefix.
std::optional<std::uint32_t> to_number(std::string_view text, int base = 10);

enum class Fraction : std::uint8_t { none, milliseconds };
// RFC 3339 in UTC: 2026-11-21T20:39:00.042Z, or 2026-11-21T20:39:00Z without fraction.
std::string rfc3339(std::chrono::system_clock::time_point at,
                    Fraction fraction = Fraction::milliseconds);

inline constexpr std::size_t max_interface_name_bytes = 15;  // Linux: IFNAMSIZ less the final zero
inline constexpr std::string_view interface_name_rule =
    "1 to 15 letters, digits, '_', '.' and '-' ('-' not first), and not \"all\" or \"default\"";
bool is_interface_character(char c);
// Whether interface_name_rule holds. The rule is narrower than the kernel's because the name also
// stands in file names, nftables rules, command lines and BIRD's configuration.
bool is_interface_name(std::string_view name);
// The same with at most one "%d", which the kernel replaces by the lowest free number.
bool is_interface_pattern(std::string_view name);

}  // namespace routevpn
