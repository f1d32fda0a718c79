// What `routevpn apply` needs of the running machine. Tests replace it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "routevpn/base/clock.hpp"
#include "routevpn/host/command_socket.hpp"
#include "routevpn/host/program.hpp"

namespace routevpn::apply {

using Words = std::vector<std::string>;

class Machine {
 public:
  Machine() = default;
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;
  virtual ~Machine() = default;

  // host::run_program() with the deadline of this command.
  virtual std::optional<host::ProgramEnd> run(const Words& words) = 0;
  // Whether the link says at its control socket that it is up. False if the link is not running.
  virtual bool is_up(const std::string& run_dir, const std::string& link) = 0;
  // The answer to the command `reload` at the link's command socket. None: no process listens.
  // Throws SystemError.
  virtual std::optional<host::CommandSocket::Answer> reload(const std::string& run_dir,
                                                            const std::string& link) = 0;
  // The name of a signal that asks the program to end and came since the last call.
  virtual std::optional<std::string> signal() = 0;
  virtual Time now() = 0;
  virtual void pause(Duration length) = 0;
};

}  // namespace routevpn::apply
