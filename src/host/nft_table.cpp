#include "nft_table.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <sstream>
#include <string_view>

#include <fcntl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <unistd.h>

#include "routevpn/base/error.hpp"

#include "netlink_socket.hpp"

namespace routevpn::host {

namespace {

constexpr std::chrono::seconds nft_timeout{5};

// A table's user data is a list of type, length and value (libnftnl/udata.h). Type 0 is the
// comment, which ends with a zero byte.
std::string comment_in(const nlattr* user_data) {
  constexpr unsigned char comment_type = 0;
  if (user_data == nullptr) return {};
  std::string_view rest(static_cast<const char*>(nla_data(user_data)),
                        static_cast<std::size_t>(nla_len(user_data)));
  while (rest.size() >= 2) {
    const auto type = static_cast<unsigned char>(rest[0]);
    const std::string_view value = rest.substr(2, static_cast<unsigned char>(rest[1]));
    if (type == comment_type) return std::string(value.substr(0, value.find('\0')));
    rest.remove_prefix(2 + value.size());
  }
  return {};
}

std::string find_nft(const std::string& option) {
  const char* path = std::getenv("PATH");
  std::istringstream folders((path == nullptr ? std::string() : path) + ":/usr/sbin:/sbin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (!folder.starts_with('/')) continue;
    std::string program = folder + "/nft";
    if (::access(program.c_str(), X_OK) == 0) return program;
  }
  throw UsageError(option + " needs the nft program (package nftables)");
}

// Sets `errors` to nft's error output.
PipedChild start_nft(Fd& errors, const std::string& option) {
  const std::string program = find_nft(option);
  Pipe commands = make_pipe();
  Pipe output = make_pipe();
  const Fd dev_null(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  if (!dev_null) throw system_error("/dev/null");
  const pid_t nft = fork();
  if (nft < 0) throw system_error("starting nft");
  if (nft == 0) {
    dup2(commands.read_end.get(), STDIN_FILENO);
    dup2(dev_null.get(), STDOUT_FILENO);
    dup2(output.write_end.get(), STDERR_FILENO);
    // nft -i would write a history of our commands to $HOME.
    setenv("HOME", "/dev/null", 1);
    setenv("LC_ALL", "C", 1);
    execl(program.c_str(), "nft", "-i", nullptr);
    _exit(127);
  }
  errors = std::move(output.read_end);
  fcntl(errors.get(), F_SETFL, O_NONBLOCK);
  return {nft, std::move(commands.write_end)};
}

}  // namespace

std::vector<NftTableInfo> nft_tables() {
  std::vector<NftTableInfo> tables;
  NetlinkSocket socket(NETLINK_NETFILTER);
  const nfgenmsg header{.nfgen_family = nft_family_inet, .version = NFNETLINK_V0, .res_id = 0};
  const int type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE;
  for (const NlMessage& message : socket.dump(new_message(type, 0, &header, sizeof header))) {
    std::array<nlattr*, NFTA_TABLE_MAX + 1> at{};
    nlmsg_parse(nlmsg_hdr(message.get()), sizeof(nfgenmsg), at.data(), NFTA_TABLE_MAX, nullptr);
    if (at[NFTA_TABLE_NAME] == nullptr) continue;
    tables.push_back({nla_get_string(at[NFTA_TABLE_NAME]), comment_in(at[NFTA_TABLE_USERDATA])});
  }
  return tables;
}

bool nft_table_exists(const std::string& name) {
  return std::ranges::count(nft_tables(), name, &NftTableInfo::name) > 0;
}

NftTable::NftTable(const std::string& name, const std::string& body, const std::string& option)
    : nft_(start_nft(errors_, option)) {
  const std::string command = "table inet " + name + " { flags owner; " + body + " }\n";
  if (::write(nft_.pipe(), command.data(), command.size()) < 0) throw system_error("nft");
  wait_for_table(name, option);
}

// nft prints nothing on success, so the kernel is polled for the table.
void NftTable::wait_for_table(const std::string& name, const std::string& option) {
  bool found = false;
  const bool decided = poll_until(
      [&] {
        found = nft_table_exists(name);
        return found || nft_failed();
      },
      nft_timeout);
  if (found) return;
  const std::string what = option + ": nftables table " + name + ": ";
  if (!decided) throw SystemError(what + "nft did not make it within 5 s");
  const std::string first_line = error_text_.substr(0, error_text_.find('\n'));
  throw SystemError(what + (first_line.empty() ? "nft ended at once" : first_line));
}

// True once nft has printed a line of error output or has ended.
bool NftTable::nft_failed() {
  std::array<char, 512> text{};
  ssize_t got = 0;
  while ((got = ::read(errors_.get(), text.data(), text.size())) > 0) {
    error_text_.append(text.data(), static_cast<std::size_t>(got));
  }
  return got == 0 || error_text_.find('\n') != std::string::npos;
}

}  // namespace routevpn::host
