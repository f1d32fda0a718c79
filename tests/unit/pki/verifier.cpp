#include "verifier.hpp"

#include <algorithm>
#include <iterator>

namespace routevpn::pki {

namespace {

using StoreContext = Owned<X509_STORE_CTX, X509_STORE_CTX_free>;

// Of the verification that runs.
TimePoint present;
bool used_grace = false;

int accept_in_grace(int ok, X509_STORE_CTX* context) {
  if (ok == 1 || X509_STORE_CTX_get_error(context) != X509_V_ERR_CRL_HAS_EXPIRED) return ok;
  if (present >= next_update(X509_STORE_CTX_get0_current_crl(context)) + Verifier::crl_grace) {
    return 0;
  }
  used_grace = true;
  X509_STORE_CTX_set_error(context, X509_V_OK);
  return 1;
}

}  // namespace

std::size_t Verifier::certificate(const std::string& pem) {
  const auto [at, is_new] = certificate_numbers_.emplace(pem, certificates_.size());
  if (is_new) certificates_.push_back(parse_certificate(pem, "certificate"));
  return at->second;
}

std::size_t Verifier::trust(const std::vector<std::string>& authorities,
                            const std::vector<std::string>& lists) {
  std::string all;
  for (const auto& text : authorities) all += text;
  for (const auto& text : lists) all += text;
  const auto [at, is_new] = trust_numbers_.emplace(all, trusts_.size());
  if (!is_new) return at->second;
  Store store(require(X509_STORE_new(), "make a store"));
  for (const auto& text : authorities) {
    require(X509_STORE_add_cert(store.get(), parse_certificate(text, "CA").get()) == 1, "add a CA");
  }
  for (const auto& text : lists) {
    const auto list = parse_revocation_list(text, "CRL");
    require(X509_STORE_add_crl(store.get(), list.get()) == 1, "add a CRL");
  }
  constexpr unsigned long check = X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL;
  require(X509_STORE_set_flags(store.get(), check | X509_V_FLAG_X509_STRICT) == 1, "set flags");
  trusts_.push_back(std::move(store));
  return at->second;
}

Verifier::Verdict Verifier::verdict(std::size_t certificate, std::size_t trust, TimePoint at) {
  ++verifications_;
  const StoreContext context(require(X509_STORE_CTX_new(), "make a verification"));
  require(X509_STORE_CTX_init(context.get(), trusts_.at(trust).get(),
                              certificates_.at(certificate).get(), nullptr) == 1 &&
              X509_STORE_CTX_set_default(context.get(), "ssl_client") == 1,
          "prepare a verification");
  X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(context.get()),
                             at.time_since_epoch().count());
  X509_STORE_CTX_set_verify_cb(context.get(), accept_in_grace);
  present = at;
  used_grace = false;
  const bool accepted = X509_verify_cert(context.get()) == 1;
  ERR_clear_error();
  if (!accepted) return Verdict::refused;
  return used_grace ? Verdict::in_grace : Verdict::accepted;
}

void Uses::change(std::vector<Pair> now, TimePoint hour) {
  std::ranges::sort(now);
  std::vector<Pair> begun;
  std::vector<Pair> ended;
  std::ranges::set_difference(now, pairs_, std::back_inserter(begun));
  std::ranges::set_difference(pairs_, now, std::back_inserter(ended));
  for (const auto& pair : begun) verify(pair, hour);
  for (const auto& pair : ended) verify(pair, hour - std::chrono::hours(1));
  pairs_ = std::move(now);
}

void Uses::verify(const Pair& pair, TimePoint at) {
  const auto verdict = verifier_.verdict(pair.certificate, pair.trust, at);
  if (verdict == Verifier::Verdict::refused) ++refused;
  if (verdict == Verifier::Verdict::in_grace) ++in_grace;
}

}  // namespace routevpn::pki
