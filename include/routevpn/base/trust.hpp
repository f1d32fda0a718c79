// The owner and mode that a file or directory must have before the program relies on it: no user
// but root and the running user, or under sudo(8) its caller, may change a trusted file. The
// directory of the file is checked, directories above it are not: a user that can write to those
// can only put another directory of root in its place.
#pragma once

#include <cstdint>
#include <string>

#include <sys/stat.h>

namespace routevpn {

enum class Trust : std::uint8_t {
  any,        // no check
  unaltered,  // only root and the running user can write to the file
  secret,     // besides, only the file's owner can read it
};

// Each returns an empty text, or "PATH: FOUND; ALLOWED (COMMAND)" without a final full stop.
// `status` must be of the opened descriptor: a path can lead to another file a moment later.
std::string fault_of_file(const struct stat& status, const std::string& path, Trust trust);
// No other user can make, rename or remove a file in the directory.
std::string fault_of_directory(const struct stat& status, const std::string& path);
// The same for a directory that holds a trusted file. A sticky directory such as /tmp may be
// writable by all, because a user can rename and remove only own files there.
std::string fault_of_parent(const struct stat& status, const std::string& path);

}  // namespace routevpn
