// The former name of ip_packet.hpp.
#pragma once

#include "routevpn/inside/ip_packet.hpp"  // IWYU pragma: export
