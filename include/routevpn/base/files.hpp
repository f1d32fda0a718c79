// Whole files: read, written, replaced in one step.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "routevpn/base/owned.hpp"
#include "routevpn/base/trust.hpp"

namespace routevpn {

// 1 MiB: a bundle of hundreds of certificates fits, a device or a core dump given by mistake does
// not.
inline constexpr std::size_t max_file_bytes = 1024UL * 1024;

// Fills `content`, whose size the caller has set, and shrinks it when the file ends before. False
// when a read failed, with errno set.
bool read_all(const Fd& file, std::string& content);
// The content of a regular file. Throws UsageError "PATH: REASON", also when the file or the
// directory that holds it is not trusted. The checked file is the file that is read.
std::string read_file(const std::string& path, Trust trust = Trust::any,
                      std::size_t max_bytes = max_file_bytes);

// Throws UsageError unless `path` leads to a regular file that read_file() would take with
// Trust::unaltered. The content may be unreadable.
void require_trusted_file(const std::string& path);

// Throws SystemError "write PATH: REASON".
void write_all(const Fd& file, std::string_view content, const std::string& path);

enum class Sync : bool { no, yes };  // whether the file must survive a crash of the machine
// A temporary file beside `path`, for the caller to rename: has mode 0600 while it is written, then
// `mode`. Returns its name. Throws SystemError and then leaves no file.
std::string write_temporary(const std::string& path, std::string_view content, mode_t mode,
                            Sync sync);
// Creates or replaces the file by a rename, so that a reader sees all of the old or all of the new
// content. Throws SystemError.
void replace_file(const std::string& path, std::string_view content, mode_t mode, Sync sync);

// Makes a directory, which has exactly this mode whatever the umask is. False if the path exists.
// Throws SystemError "create PATH: REASON".
bool make_directory(const std::string& path, mode_t mode);
// Makes the directory and those above it that do not exist, the latter with mode 0755. True if the
// last was made. Throws SystemError.
bool make_directories(const std::string& path, mode_t mode);
// Throws UsageError unless this is a directory in which only root and the running user can make
// files (fault_of_directory).
void require_trusted_directory(const std::string& path);

bool exists(const std::string& path);               // a dangling symbolic link exists
std::string directory_of(const std::string& path);  // with its last '/', or "."

}  // namespace routevpn
