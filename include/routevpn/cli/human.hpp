// Amounts and times for people.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace routevpn::cli {

std::string human_bytes(std::uint64_t bytes);             // 812 B, 47.38 KiB, 1.20 GiB
std::string human_duration(std::chrono::seconds length);  // 12 s, 6 min, 2 h 11 min, 3 d 4 h
std::string fixed(double number, int decimals);

}  // namespace routevpn::cli
