// The monitor of a link: it has the rights and the private key, and touches no byte from the
// network. It opens what the link needs, hands it to a worker, and then does the few things that
// the worker may ask for (channel/messages.hpp). The monitor replaces a worker that dies;
// interface, addresses, routes and sockets stay. When the monitor ends, the kernel removes all of
// them.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "routevpn/base/error.hpp"
#include "routevpn/base/rate_limit.hpp"
#include "routevpn/cage/account.hpp"
#include "routevpn/dtls/credentials.hpp"
#include "routevpn/host/command_socket.hpp"
#include "routevpn/host/control_socket.hpp"
#include "routevpn/host/event_loop.hpp"
#include "routevpn/host/file_watch.hpp"
#include "routevpn/host/netns_watch.hpp"
#include "routevpn/host/resolver_process.hpp"
#include "routevpn/host/state_hook.hpp"
#include "routevpn/monitor/ends.hpp"
#include "routevpn/monitor/gasps.hpp"
#include "routevpn/monitor/kept_link.hpp"
#include "routevpn/monitor/last_peers.hpp"
#include "routevpn/monitor/restart_policy.hpp"
#include "routevpn/monitor/worker_process.hpp"
#include "routevpn/options/link_options.hpp"
#include "routevpn/pki/time.hpp"
#include "routevpn/signer/signer.hpp"

namespace routevpn::monitor {

class Monitor {
 public:
  // The files of the credentials.
  static std::vector<std::string> files_of(const options::LinkOptions& options);

  // The worker answers within this time, or is replaced. Also the interval of the service manager's
  // watchdog notifications.
  static constexpr Duration ping_interval = std::chrono::seconds(10);
  static constexpr Duration hook_time = std::chrono::seconds(2);  // for --on-state at the end
  static constexpr std::chrono::milliseconds end_time{10};  // for a worker that has closed the pair
  static constexpr Duration stop_time = std::chrono::seconds(1);  // for a worker that is to stop
  // A worker can send messages without end: signals and timers must be served in between.
  static constexpr int messages_per_turn = 32;
  static constexpr int most_last_turns = 32;  // of messages that a dead worker has left
  // Limit of requests that start a process, write a file, change the interface or replace a gasp. A
  // start needs about 4 for each lane. The monitor lets a worker that asks for more wait.
  static constexpr Rate costly_rate{std::chrono::milliseconds(50), 100};
  // A handshake that has begun with the credentials before a reload ends within this time.
  static constexpr Duration old_key_life = std::chrono::minutes(1);
  // After this time the monitor reads changed files again, if their fault may have ended by then.
  static constexpr Duration reread_interval = std::chrono::seconds(10);
  static constexpr Duration refusal_log_interval = std::chrono::seconds(10);
  // A new worker has started and the old one has handed over within this time, or the old one ends.
  static constexpr Duration replace_time = std::chrono::seconds(5);
  // For the worker's answer to Outlive, and for the service manager's to the question of a restart.
  static constexpr std::chrono::milliseconds leave_time{1000};

  // SIGTERM, SIGINT, SIGHUP and SIGCHLD must be blocked. `arguments`: of the command line, for a
  // reload. `files`: of the credentials, made before these were read. The calling thread moves to
  // the public namespace. Throws SystemError.
  Monitor(const options::LinkOptions& options, std::vector<std::string> arguments,
          cage::Account account, dtls::Credentials credentials, host::FileWatch files, Ends ends);
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

  // Before run(): the link goes on as it was left, by its worker and then by a new one. `kept`:
  // that of the ends.
  void adopt(KeptLink& kept);
  Exit run();  // until a signal, or the loss of the interface, a namespace or the guardian

 private:
  // Of the worker. It may send as in `running` until it has read a Stop. A `dying` worker has
  // ended, and its last messages are read.
  enum State : std::uint8_t { gone = 0, starting = 1, running = 2, dying = 4 };
  struct Rule;
  static const std::vector<Rule> rules;
  struct RunningReload {
    std::optional<host::CommandSocket::Client> client;  // none: SIGHUP
    std::uint32_t number;
    host::CommandSocket::Answer answer;  // what is known so far
  };

  // monitor.cpp
  void on_signal();
  void on_netns_change();
  void guardian_ended();
  void begin_stop(Exit status);
  void on_timer(Time now);
  [[nodiscard]] std::optional<Duration> time_to_wait() const;
  void ping(Time now);
  std::uint64_t refused_sources();

  // worker.cpp
  void start_worker();
  void worker_ended();
  void drop_resolvers();
  void finish();
  Gasps::Sender gasp_sender();
  [[nodiscard]] std::uint8_t gasp_class() const;
  void plan_restart(const std::string& how, Time started);
  template <typename T>
  void tell(const T& message, std::span<const int> descriptors = {});
  template <typename T>
  bool tell_process(const WorkerProcess& process, const T& message,
                    std::span<const int> descriptors = {});
  std::unique_ptr<WorkerProcess> start_process();
  void give_start(const WorkerProcess& process, bool takes_over);
  void give_psks(const WorkerProcess& process);

  // replace.cpp
  void replace_worker();
  void on_next_message();
  void abandon_replacement(const std::string& why);
  void drop_next();
  bool handed_over(const channel::HandedOver& message);
  void take_next();
  void repeat_reloads();

  // leave.cpp
  bool may_leave();
  bool begin_leave();
  bool outlives(const channel::Outlives&);
  [[nodiscard]] KeptState kept_state() const;
  void release_link();

  // reload.cpp
  void on_command(host::CommandSocket::Client client, std::string_view command);
  // `client` gets an answer once the worker has taken the files.
  void reload(std::optional<host::CommandSocket::Client> client);
  [[nodiscard]] dtls::Credentials load_credentials() const;
  [[nodiscard]] std::vector<std::string> wanted_psk() const;
  void reload_credentials();
  [[nodiscard]] bool are_in_force(const dtls::Credentials& credentials) const;
  void take_credentials(dtls::Credentials fresh);
  void check_files(Time now);
  void reread_files(Time now);
  void refuse_files(const std::string& fault, Exit status, Time now);
  bool reload_accept(std::vector<std::string>& notes);
  void tell_reload(bool new_credentials);
  bool reloaded(const channel::Reloaded& answer);
  void abandon_reloads(const std::string& why);
  void end_reload(const RunningReload& ended);
  void reloads_ended();

  // dispatch.cpp
  void on_message();
  bool take(channel::Message& message);
  void pause(Time now);
  void resume(Time now);
  bool ready(const channel::Ready&);
  bool set_carrier(const channel::SetCarrier& wanted);
  bool set_mtu(const channel::SetMtu& wanted);
  bool ignore_dead_routes(const channel::IgnoreDeadRoutes&);
  bool resolve(const channel::ResolvePeer& wanted);
  void resolved(std::uint8_t lane);
  bool sign_part(const channel::SignPart& part);
  bool sign(const channel::Sign& wanted);
  [[nodiscard]] signer::Signer* signer_of(std::uint8_t key) const;  // nullptr: no such key
  std::size_t signature_of(const channel::Sign& wanted, std::span<std::uint8_t> signature);
  void warn_of_rate();
  bool announce(const channel::Announce& news);
  bool remember_peer(const channel::RememberPeer& peer);
  bool alive(const channel::Alive&);
  bool ended(const channel::Ended& end);
  bool keep_gasp(const channel::KeepGasp& gasp);
  void carrier_off();
  // To the service manager and --on-state. `reason`: one word; `text`: printable.
  void report_state(channel::LinkState state, std::string_view reason, const std::string& text,
                    const std::string& peer);
  [[nodiscard]] std::string status_line() const;
  void refuse(channel::Kind kind);
  void report_refusals(Time now);

  options::LinkOptions options_;
  std::vector<std::string> arguments_;
  cage::Account account_;
  Fd program_;  // this executable, also when its file is replaced
  dtls::CredentialTexts texts_;
  dtls::Psks psks_;
  std::unique_ptr<signer::Signer> signer_;
  std::unique_ptr<signer::Signer> old_signer_;  // of the credentials before, for old_key_life
  std::uint8_t key_ = 0;                        // the number of signer_
  Ends ends_;
  std::string ifname_;
  unsigned mtu_;  // of the interface
  host::EventLoop loop_;
  Fd signals_;
  host::NetnsWatch netns_watch_;
  host::FileWatch file_watch_;
  host::StateHook hook_;
  host::ControlListener listener_;
  host::CommandSocket commands_;
  LastPeers last_peers_;
  Fd empty_root_;
  RestartPolicy restart_policy_;
  Gasps gasps_;

  std::unique_ptr<WorkerProcess> worker_;
  State state_ = gone;
  std::unique_ptr<WorkerProcess> next_;  // waits for what worker_ hands over
  bool next_is_ready_ = false;
  std::optional<Time> replace_by_;
  bool new_credentials_ = false;  // since the state that `next_` gets
  std::string unit_;              // of the service manager; empty: it cannot keep the link
  std::optional<Time> leave_by_;
  bool has_left_ = false;
  std::string status_text_;  // "STATUS=" with the link's state; empty: not known yet
  std::uint64_t worker_starts_ = 0;
  std::vector<std::unique_ptr<host::ResolverProcess>> resolvers_;  // one for each lane
  std::vector<std::uint8_t> parts_;  // of a message to sign; it never grows over its first room
  bool carrier_ = false;
  std::uint64_t flaps_ = 0;
  bool was_ready_ = false;
  bool routes_ignored_ = false;
  channel::LinkState announced_ = channel::LinkState::down;
  bool answered_ = true;      // the last ping
  bool has_ended_ = false;    // the worker has sent its last message
  bool send_failed_ = false;  // the worker was killed, because a message could not be sent to it
  std::uint64_t refused_ = 0;
  std::uint64_t refused_logged_ = 0;
  channel::Kind last_refused_{};
  Time next_refusal_log_{};
  std::uint64_t over_rate_ = 0;  // signatures that were refused, with each key
  Time next_rate_log_{};
  Time ping_at_{};
  RateLimit costly_;
  std::optional<Time> paused_until_;  // the worker's messages are not read
  std::optional<Time> old_key_until_;
  pki::TimePoint settings_read_ = pki::now();  // channel::Reload
  Time check_files_at_{};
  std::optional<Time> reread_at_;
  std::string reread_fault_;                    // of the last automatic reload; empty: none
  std::uint32_t reloads_told_ = 0;              // to a worker
  std::uint32_t reloads_answered_ = 0;          // by a worker, in order
  std::uint32_t reloads_before_next_ = 0;       // told before `next_` got the files
  std::vector<RunningReload> running_reloads_;  // told to the worker
  std::string reload_fault_;                    // of the last that has ended; empty: none
  std::optional<Time> restart_at_;
  std::optional<Time> kill_at_;
  std::optional<Exit> exit_;  // what the monitor ends with
  bool done_ = false;
};

// Reads the files of the options and runs the link. Throws UsageErrors, UsageError or SystemError;
// then nothing is left set up.
Exit run(const options::LinkOptions& options, std::vector<std::string> arguments);

}  // namespace routevpn::monitor
