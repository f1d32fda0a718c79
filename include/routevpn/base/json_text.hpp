// The former name of text.hpp.
#pragma once

#include "routevpn/base/text.hpp"  // IWYU pragma: export
