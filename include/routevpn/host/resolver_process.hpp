// Resolves one host name in a child process without privileges, because the resolver parses what
// name servers send. The child executes the program again with argv[0] `routevpn-resolver`.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "routevpn/base/address.hpp"
#include "routevpn/base/owned.hpp"

namespace routevpn::host {

class ResolverProcess {
 public:
  static constexpr const char* program_name = "routevpn-resolver";
  static constexpr std::size_t max_addresses = 8;
  static constexpr std::size_t max_error_bytes = 200;
  // More than the 20 s that glibc waits for two silent name servers: 2 attempts of 5 s each.
  static constexpr unsigned time_limit_s = 30;

  struct Answer {
    std::vector<SocketAddress> addresses;  // port 0, in getaddrinfo's order (RFC 6724); at most 8
    std::string error;                     // if there is no address: printable ASCII
  };

  // `program`: an open descriptor of this program, such as of /proc/self/exe. `host`: a name, or an
  // address with or without a zone (fe80::1%eth0). The query runs in the calling thread's network
  // namespace. A process of root takes the user and group, unless its user namespace does not map
  // them; any other keeps its own. The child dies with the calling thread. Throws SystemError.
  static ResolverProcess start(const Fd& program, const std::string& host, uid_t uid, gid_t gid);
  ResolverProcess(ResolverProcess&&) noexcept = default;
  ResolverProcess& operator=(ResolverProcess&&) = delete;
  ~ResolverProcess();  // kills and reaps the child; nothing else may wait for its pid

  // Readable when take() has something to read.
  [[nodiscard]] int fd() const { return output_.get(); }
  [[nodiscard]] pid_t pid() const { return pid_; }  // for tests
  // The answer, once; then the object has to be destroyed. None: the child has not ended. Never
  // blocks. Anything other than well-formed records is the error "the resolver process failed".
  [[nodiscard]] std::optional<Answer> take();

 private:
  ResolverProcess(pid_t pid, uid_t uid, Fd output);

  pid_t pid_;
  uid_t uid_;
  Fd output_;                                 // empty once moved from
  std::array<std::uint8_t, 256> received_{};  // more than the longest output
  std::size_t received_bytes_ = 0;
};

// What main() calls if argv[0] is ResolverProcess::program_name: resolves argv[1], writes the
// records to standard output and returns the exit status.
int run_resolver(int argc, char** argv);

}  // namespace routevpn::host
