// A network of 100 gateways over 500 days of a virtual clock, with the files that `routevpn pki`
// makes. Each gateway has a link to every other, and takes new files once a day or later.
//
//   day   0   all certificates are made
//   day  60   a gateway leaves and is revoked
//   day 100   for 18 days, a tenth of the gateways takes no new files
//   day 219   the first renewals
//   day 225   for 15 days, the timer of the CA's host is off
//   day 250   another CA: bundle, reissue and drop, each when all gateways have the step before
//   day 474   the first renewals by the other CA
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>
#include <optional>
#include <random>

#include "catch.hpp"
#include "scratch_ca.hpp"
#include "verifier.hpp"

using namespace routevpn;
using namespace routevpn::pki;
using std::chrono::days;
using std::chrono::hours;

namespace {

// ROUTEVPN_GATEWAYS replaces 100: sanitizers slow the test down.
std::size_t number_of_gateways() {
  const char* const text = std::getenv("ROUTEVPN_GATEWAYS");
  return text == nullptr ? 100 : std::stoul(text);
}

const std::size_t gateways = number_of_gateways();
constexpr int days_in_all = 500;
constexpr std::size_t reissued_per_hour = 4;

struct Gateway {
  std::string name;
  int hour = 0;             // of the day, at which its timer runs
  std::size_t version = 0;  // of the files that it has
  std::size_t certificate = 0;
  std::size_t trust = 0;
  bool has_new_authority = false;  // its own certificate is of the other CA
};

class Network {
 public:
  Network() : begin_(now()) {
    for (std::size_t i = 0; i < gateways; ++i) {
      all_.push_back({"g" + std::to_string(i), static_cast<int>(random_() % 24)});
      first_.issue(all_.back().name);
    }
    revoke({first_.path(), "", "", {}});
    publish();
    for (auto& gateway : all_) fetch(gateway);
  }

  void run() {
    for (int hour = 0; hour < days_in_all * 24; ++hour) {
      at_ = begin_ + hours(hour);
      day_ = hour / 24;
      operate(hour % 24);
      for (auto& gateway : all_) {
        if (gateway.hour == hour % 24 && timer_runs(gateway)) fetch(gateway);
      }
      if (changed_) uses.change(pairs(), at_);
      changed_ = false;
    }
    uses.end(at_ + hours(1));
  }

  // Gateways that accept a certificate.
  std::size_t accepting(std::size_t certificate) {
    return static_cast<std::size_t>(std::ranges::count_if(all_, [&](const Gateway& gateway) {
      return verifier.verdict(certificate, gateway.trust, at_) != Verifier::Verdict::refused;
    }));
  }

  Verifier verifier;
  Uses uses{verifier};
  std::size_t renewals = 0;
  std::size_t most_in_an_hour = 0;
  std::size_t accepting_revoked = gateways;  // 5 days after the revocation
  int dropped_on = 0;                        // day on which the first CA was dropped

 private:
  enum class Step : std::uint8_t { one_authority, bundled, reissuing, dropped };

  [[nodiscard]] bool timer_runs(const Gateway& gateway) {
    const bool is_off = day_ >= 100 && day_ < 118 && gateway.name.ends_with("7");
    return !is_off && random_() % 4 != 0;
  }

  void operate(int hour) {
    std::size_t made = 0;
    const bool is_off = (day_ >= 225 && day_ < 240) || random_() % 5 == 0;
    if (hour == 3 && !is_off) made += renew_all();
    if (hour == 9 && day_ == 60) leave();
    if (hour == 9 && day_ == 65) accepting_revoked = accepting(*revoked_);
    if (hour == 9 && day_ == 250) bundle();
    if (step_ == Step::bundled &&
        everyone([&](const Gateway& g) { return g.version >= step_version_; })) {
      step_ = Step::reissuing;
    }
    if (step_ == Step::reissuing) made += reissue();
    most_in_an_hour = std::max(most_in_an_hour, made);
  }

  std::size_t renew_all() {
    std::size_t made = 0;
    bool lists = false;
    for (const auto* const ca : authorities()) {
      const auto renewal = renew({ca->path(), {}, ""}, at_);
      REQUIRE(renewal.faults.empty());
      made += renewal.certificates.size();
      lists = lists || renewal.next_update.has_value();
    }
    renewals += made;
    if (made != 0 || lists) publish();
    return made;
  }

  void leave() {
    revoked_ = all_.back().certificate;
    revoke({first_.path(), all_.back().name, "", {}}, at_);
    all_.pop_back();
    publish();
  }

  void bundle() {
    create_authority({second_.path(), "another CA"}, at_);
    revoke({second_.path(), "", "", {}}, at_);
    step_ = Step::bundled;
    publish();
    step_version_ = version_;
  }

  std::size_t reissue() {
    std::size_t made = 0;
    for (; made < reissued_per_hour && reissued_ < all_.size(); ++made, ++reissued_) {
      const auto& name = all_[reissued_].name;
      second_.write(name + ".csr", first_.read(name + ".csr"));
      sign({second_.path(), name, {}, false}, at_);
    }
    if (made != 0) publish();
    if (everyone([](const Gateway& gateway) { return gateway.has_new_authority; })) {
      step_ = Step::dropped;
      dropped_on = day_;
      publish();
    }
    return made;
  }

  template <typename Condition>
  [[nodiscard]] bool everyone(Condition condition) const {
    return std::ranges::all_of(all_, condition);
  }

  // The new first.
  [[nodiscard]] std::vector<const Scratch*> authorities() const {
    if (step_ == Step::one_authority) return {&first_};
    if (step_ == Step::dropped) return {&second_};
    return {&second_, &first_};
  }

  void publish() {
    ++version_;
    std::vector<std::string> certificates;
    std::vector<std::string> lists;
    for (const auto* const ca : authorities()) {
      certificates.push_back(ca->read("ca.cert"));
      lists.push_back(ca->read("ca.crl"));
    }
    trust_ = verifier.trust(certificates, lists);
  }

  void fetch(Gateway& gateway) {
    if (gateway.version == version_) return;
    gateway.version = version_;
    const auto renewed = second_.read(gateway.name + ".cert");
    gateway.has_new_authority = !renewed.empty();
    const auto& pem = renewed.empty() ? first_.read(gateway.name + ".cert") : renewed;
    gateway.certificate = verifier.certificate(pem);
    gateway.trust = trust_;
    changed_ = true;
  }

  // Each gateway verifies every other.
  [[nodiscard]] std::vector<Uses::Pair> pairs() const {
    std::map<std::size_t, std::size_t> users;  // of each trust
    for (const auto& gateway : all_) ++users[gateway.trust];
    std::vector<Uses::Pair> pairs;
    for (const auto& [trust, number] : users) {
      for (const auto& peer : all_) {
        const bool only_itself = number == 1 && peer.trust == trust;
        if (!only_itself) pairs.push_back({peer.certificate, trust});
      }
    }
    return pairs;
  }

  std::mt19937 random_{1};
  const Ca first_;
  const Scratch second_;
  const TimePoint begin_;
  TimePoint at_ = begin_;
  int day_ = 0;
  std::vector<Gateway> all_;
  std::size_t version_ = 0;
  std::size_t trust_ = 0;
  bool changed_ = false;
  Step step_ = Step::one_authority;
  std::size_t step_version_ = 0;
  std::size_t reissued_ = 0;
  std::optional<std::size_t> revoked_;
};

}  // namespace

TEST_CASE("over 500 days and a change of the CA no gateway refuses another, and no hour is busy") {
  Network network;
  network.run();
  std::cout << gateways << " gateways, 500 days: " << network.renewals << " renewals, at most "
            << network.most_in_an_hour << " certificates in an hour, the old CA dropped on day "
            << network.dropped_on << ", " << network.verifier.verifications()
            << " verifications, of which " << network.uses.in_grace
            << " with an expired CRL in its grace\n";
  CHECK(network.uses.refused == 0);
  CHECK(network.accepting_revoked == 0);
  // A certificate is due after 219 to 267 days. The change of the CA comes before some are, and
  // their successors may be due after the end.
  CHECK(network.renewals > gateways / 5);
  CHECK(network.most_in_an_hour <= 40);
  CHECK(network.dropped_on > 250);
  CHECK(network.dropped_on < 280);
}
