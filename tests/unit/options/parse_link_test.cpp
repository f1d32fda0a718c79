// The rules between the options of a link.
#include "routevpn/record/cipher.hpp"

#include "catch.hpp"
#include "parsing.hpp"

using namespace routevpn;
using namespace routevpn::options;

namespace {

struct Contradiction {
  const char* words;
  std::vector<std::string> faults;
};

}  // namespace

TEST_CASE("--crypto ipsec-mb is accepted where the backend is available") {
  const auto faults = parse_words("--listen 1 --peer-name b --crypto ipsec-mb").faults;
  CHECK(faults.empty() == record::backend_available(record::CryptoBackend::ipsec_mb));
}

TEST_CASE("a link has at most 255 peers") {
  std::string words = "--peer-name b";
  for (int i = 0; i < 255; ++i) words += " --peer b" + std::to_string(i);
  CHECK(parse_words(words).faults.empty());
  words += " --peer last";
  CHECK(parse_words(words).faults ==
        std::vector<std::string>{"--peer: is given 256 times; at most 255"});
}

TEST_CASE("each contradiction and each missing option is one line") {
  const auto c = GENERATE(values<Contradiction>({
      {"",
       {"nothing to do: give --peer HOST[:PORT], --listen [ADDR:]PORT or --config FILE; "
        "--help lists the options"}},
      {"--mtu 1400",
       {"nothing to do: give --peer HOST[:PORT], --listen [ADDR:]PORT or --config FILE; "
        "--help lists the options",
        "--peer-name is required: the name in the peer's certificate, or '*' for any of the CA"}},
      {"--listen 1",
       {"--peer-name is required: the name in the peer's certificate, or '*' for any of the CA"}},
      {"--peer-name b",
       {"nothing to do: give --peer HOST[:PORT], --listen [ADDR:]PORT or --config FILE; "
        "--help lists the options"}},
      {"-c", {"--client: needs --host"}},
      {"-c -p 1", {"--client: needs --host"}},
      {"-c -s -h 192.0.2.1", {"--client: excludes --server"}},
      {"-c -h 192.0.2.1 --peer 192.0.2.2",
       {"--peer: has the same meaning as --client; give one of them"}},
      {"-c -h 192.0.2.1 --listen 1",
       {"--listen: has the same meaning as --client; give one of them"}},
      {"-s --listen 1", {"--listen: has the same meaning as --server; give one of them"}},
      {"-s --peer b", {"--peer: has the same meaning as --server; give one of them"}},
      {"-s -h vpn.example",
       {"--host: with --server it must be an IPv4 or IPv6 address of this machine"}},
      {"--listen 1 --peer-name b -h 192.0.2.1", {"--host: needs --client or --server"}},
      {"--listen 1 --peer-name b -p 1", {"--port: needs --client or --server"}},
      {"--peer b --peer-name b --allow 10.0.0.0/8",
       {"--allow: needs a link that waits for its peer (--listen without --peer)"}},
      {"-c -h 192.0.2.1 --allow 10.0.0.0/8",
       {"--allow: needs a link that waits for its peer (--listen without --peer)"}},
      {"--listen 1 --peer-name b --psk a --psk b --psk c",
       {"--psk: at most two files: the new key and the old key"}},
      {"--listen 1 --peer-name b --psk a --psk a", {"--psk: a is given twice"}},
      {"--listen 1 --peer-name b --table 5", {"--table: needs --route"}},
      {"--listen 1 --peer-name b --keepalive 3500",
       {"--dead-after: 3500 must be greater than keepalive, 3500 milliseconds"}},
      {"--listen 1 --peer-name b --detection fast --keepalive 100",
       {"--detection: cannot be combined with keepalive and dead-after"}},
      {"--listen 1 --peer-name b --detection fast --dead-after 5000",
       {"--detection: cannot be combined with keepalive and dead-after"}},
      {"--listen 1 --peer-name b --dead-after 1000",
       {"--dead-after: 1000 must be greater than keepalive, 1000 milliseconds"}},
      {"--listen 1 --peer-name b --mtu 1279 -a 10.0.0.1/30 -a fe80::1/64",
       {"--mtu: 1279 is too small for IPv6 (fe80::1/64), which needs at least 1280"}},
      {"--listen 1 --peer-name b --mtu 1279 --route 2001:db8::/32",
       {"--mtu: 1279 is too small for IPv6 (2001:db8::/32), which needs at least 1280"}},
      {"--listen 1 --peer-name b -a 10.0.0.1/30 -a 10.0.0.1/24",
       {"--address: 10.0.0.1 is given twice"}},
      {"--listen 192.0.2.1:1 --peer [2001:db8::1] --peer-name b",
       {"--listen: 192.0.2.1 cannot reach the peer 2001:db8::1, which is of the other IP version"}},
  }));
  CAPTURE(c.words);
  CHECK(parse_words(c.words).faults == c.faults);
}

TEST_CASE("the path of the control socket fits the kernel's limit") {
  // sun_path holds 108 bytes with the terminating zero, an interface's name has 15 at most.
  const std::string longest(108 - 1 - std::string("/fifteen-letters.sock").size(), 'd');
  const std::string words = "--listen 1 --peer-name b --run-dir ";
  CHECK(parse_words(words + longest).faults.empty());
  CHECK(parse_words(words + longest + "d").faults ==
        Lines{"--run-dir: together with the link's name it must not be longer than 101 characters, "
              "for the socket in it"});
}

TEST_CASE("options without contradiction give no fault and no warning") {
  const auto* words = GENERATE(
      "--listen 1 --peer-name b", "--peer b --peer-name b", "--peer b --peer c:2 --peer-name b",
      "--peer b --listen 192.0.2.1:1 --peer-name b",
      "--listen [::]:1 --peer 192.0.2.1 --peer-name b",
      "--listen 1 --peer-name b --allow 10.0.0.0/8 --allow 2001:db8::/32",
      "--listen 1 --peer-name b --mtu 1280 -a fe80::1/64", "--listen 1 --peer-name b --mtu 576",
      "--listen 1 --peer-name b --route 10.0.0.0/8 --table 5 --fwmark 0x10",
      "--listen 1 --peer-name b --fwmark 7",
      "--listen 1 --peer-name b --keepalive 100 --dead-after 101");
  CAPTURE(words);
  const auto line = parse_words(words);
  CHECK(line.faults.empty());
  CHECK(line.warnings.empty());
}

TEST_CASE("the first proof-of-concept's client keeps its meaning") {
  const auto line = parse_words(
      "-c -C 2.cert -K 2.key -A ca.cert -h 172.30.2.5 -p 3456 -n tun0 -a 10.1.2.230/30");
  CHECK(line.faults.empty());
  CHECK(line.warnings ==
        Lines{"--client without --peer-name: any certificate of the CA is accepted as the peer"});
  const auto options = line.options;
  CHECK(options.peers == std::vector<PeerAddress>{{"172.30.2.5", 3456}});
  CHECK_FALSE(options.listen);
  CHECK(options.certificate == "2.cert");
  CHECK(options.key == "2.key");
  CHECK(options.ca == "ca.cert");
  CHECK(options.ifname == "tun0");
  CHECK(options.addresses == std::vector<IpPrefix>{*IpPrefix::parse("10.1.2.230/30")});
  CHECK(options.peer_name == "*");
  CHECK_FALSE(options.nat);
}

TEST_CASE("the first proof-of-concept's server keeps its meaning") {
  const auto line = parse_words(
      "-s -C 1.cert -K 1.key -A ca.cert -h 172.30.2.5 -p 3456 -n tun0 -a 10.1.2.229/30");
  CHECK(line.faults.empty());
  CHECK(line.warnings ==
        Lines{"--server without --peer-name: any certificate of the CA is accepted as the peer"});
  const auto options = line.options;
  CHECK(options.peers.empty());
  CHECK(options.listen == ListenAddress{IpAddress::parse("172.30.2.5"), 3456});
  CHECK(options.addresses == std::vector<IpPrefix>{*IpPrefix::parse("10.1.2.229/30")});
  CHECK(options.peer_name == "*");
  CHECK(options.nat);
}

TEST_CASE("client and server have the proof-of-concept's defaults") {
  const auto client = parse_words("-c -h [2001:db8::1]").options;
  CHECK(client.peers == std::vector<PeerAddress>{{"2001:db8::1", 7754}});
  CHECK(client.ifname == "tun0");
  CHECK(client.addresses == std::vector<IpPrefix>{*IpPrefix::parse("10.1.2.230/30")});
  CHECK(parse_words("-c -h 2001:db8::1").options == client);
  const auto server = parse_words("-s").options;
  CHECK(server.listen == ListenAddress{std::nullopt, 7754});
  CHECK(server.addresses == std::vector<IpPrefix>{*IpPrefix::parse("10.1.2.229/30")});
  CHECK(parse_words("-s --peer-name gw").warnings.empty());
}

TEST_CASE("a wildcard peer name gives a warning") {
  CHECK(parse_words("--listen 1 --peer-name '*'").warnings ==
        Lines{"--peer-name '*': any certificate of the CA is accepted as the peer"});
}

TEST_CASE("a route that leads the link's own packets into the link gives a warning") {
  const std::string words = "--peer 192.0.2.1 --peer-name b --route 0.0.0.0/0";
  CHECK(parse_words(words).warnings ==
        Lines{"--route: 0.0.0.0/0 leads the link's own packets to 192.0.2.1 into the link; give "
              "--table and --fwmark, or --netns"});
  CHECK(parse_words(words + " --netns private").warnings.empty());
  CHECK(parse_words(words + " --table 5 --fwmark 5").warnings.empty());
}

TEST_CASE("with an unknown option, no option is reported as missing") {
  CHECK(parse_words("--lisen 7754").faults ==
        Lines{"unknown option --lisen; did you mean --listen?"});
  CHECK(parse_words("-c --hst 192.0.2.1").faults ==
        Lines{"unknown option --hst; did you mean --host?"});
  CHECK(
      parse_words("--peer b --peer-name b --table 5 --rout 10.0.0.0/8 --rote 10.0.0.0/8").faults ==
      Lines{"unknown option --rote; did you mean --route?"});
  CHECK(parse_words("--lisen 7754 --keepalive 5000").faults ==
        Lines{"unknown option --lisen; did you mean --listen?",
              "--dead-after: 3500 must be greater than keepalive, 5000 milliseconds"});
}

TEST_CASE("a link without confinement is warned of at each start") {
  CHECK(parse_words("--listen 1 --peer-name b --user vpn").warnings.empty());
  CHECK(parse_words("--listen 1 --peer-name b --no-sandbox").warnings ==
        Lines{"--no-sandbox: the worker keeps its user, all system calls and all files; use it for "
              "debugging only"});
}
