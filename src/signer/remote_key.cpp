#include "routevpn/signer/remote_key.hpp"

#include <array>
#include <utility>

#include <openssl/core_dispatch.h>
#include <openssl/params.h>
#include <openssl/provider.h>

#include "routevpn/base/error.hpp"
#include "routevpn/pki/key.hpp"

#include "provider.hpp"

namespace routevpn::signer {

namespace {

const OSSL_ALGORITHM* query(void* /*provider*/, int operation, int* no_cache) {
  *no_cache = 0;
  if (operation == OSSL_OP_KEYMGMT) return key_algorithms();
  return operation == OSSL_OP_SIGNATURE ? signature_algorithms() : nullptr;
}

int start(const OSSL_CORE_HANDLE* handle, const OSSL_DISPATCH* /*core*/,
          const OSSL_DISPATCH** functions, void** context) {
  static const OSSL_DISPATCH table[] = {
      entry<OSSL_FUNC_provider_query_operation_fn>(OSSL_FUNC_PROVIDER_QUERY_OPERATION, query),
      {0, nullptr}};
  *functions = table;
  *context = const_cast<OSSL_CORE_HANDLE*>(handle);  // the provider has no state of its own
  return 1;
}

// The default provider is loaded first: OpenSSL prefers the first provider that has an algorithm,
// so every other key stays with the default provider.
class Provider {
 public:
  Provider() {
    default_.reset(pki::require(OSSL_PROVIDER_load(nullptr, "default"), "load its provider"));
    constexpr std::array<std::pair<SignDigest, const char*>, 2> names = {
        {{SignDigest::sha256, "SHA2-256"}, {SignDigest::sha384, "SHA2-384"}}};
    for (std::size_t i = 0; i < names.size(); ++i) {
      digests_[i].id = names[i].first;
      digests_[i].method.reset(pki::require(
          EVP_MD_fetch(nullptr, names[i].second, "provider=default"), "find a digest"));
    }
    pki::require(OSSL_PROVIDER_add_builtin(nullptr, provider_name, start) == 1, "add a provider");
    ours_.reset(pki::require(OSSL_PROVIDER_load(nullptr, provider_name), "load a provider"));
    error_library_ = ERR_get_next_error_library();
    ERR_load_strings(error_library_, errors_.data());
  }

  [[nodiscard]] const Digest* find(const char* name) const {
    for (const Digest& one : digests_) {
      if (EVP_MD_is_a(one.method.get(), name) == 1) return &one;
    }
    return nullptr;
  }
  [[nodiscard]] int error_library() const { return error_library_; }

  static constexpr int refused = 100;  // a reason of error_library()

 private:
  Owned<OSSL_PROVIDER, OSSL_PROVIDER_unload> default_;
  Owned<OSSL_PROVIDER, OSSL_PROVIDER_unload> ours_;
  std::array<Digest, 2> digests_;
  int error_library_ = 0;
  std::array<ERR_STRING_DATA, 2> errors_{
      {{ERR_PACK(0, 0, refused), "the process that holds the private key refused to sign"},
       {0, nullptr}}};
};

// Stays until the process ends. The keys may outlive static objects, so its destructor never runs.
const Provider& provider() {
  static const Provider& loaded = *new Provider;
  return loaded;
}

KeyType type_of(const EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "EC") == 1) return KeyType::ec;
  return EVP_PKEY_is_a(key, "RSA") == 1 ? KeyType::rsa : KeyType::ed25519;
}

const char* name_of(KeyType type) {
  if (type == KeyType::ec) return "EC";
  return type == KeyType::rsa ? "RSA" : "ED25519";
}

// Makes a key of the provider that `properties` select.
pki::Key key_from(KeyType type, const char* properties, int selection, OSSL_PARAM* parameters) {
  const Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(
      pki::require(EVP_PKEY_CTX_new_from_name(nullptr, name_of(type), properties), "find a key"));
  EVP_PKEY* made = nullptr;
  const bool done = EVP_PKEY_fromdata_init(context.get()) == 1 &&
                    EVP_PKEY_fromdata(context.get(), &made, selection, parameters) == 1;
  pki::Key key(made);
  pki::require(done, "make a key");
  return key;
}

pki::Key public_part(KeyType type, const EVP_PKEY* key) {
  OSSL_PARAM* exported = nullptr;
  const bool done = EVP_PKEY_todata(key, EVP_PKEY_PUBLIC_KEY, &exported) == 1;
  const Owned<OSSL_PARAM, OSSL_PARAM_free> parameters(exported);
  pki::require(done, "export a public key");
  return key_from(type, "provider=default", EVP_PKEY_PUBLIC_KEY, parameters.get());
}

}  // namespace

const Digest* find_digest(const char* name) {
  return provider().find(name);
}

void raise_refusal() {
  ERR_raise(provider().error_library(), Provider::refused);
}

pki::Key remote_key(const EVP_PKEY* public_key, SignFunction sign) {
  if (const auto fault = pki::why_unusable(public_key); !fault.empty()) {
    throw UsageError("the certificate " + fault);
  }
  provider();
  const KeyType type = type_of(public_key);
  const RemoteKeyPtr key = std::make_shared<const RemoteKey>(
      RemoteKey{type, public_part(type, public_key), std::move(sign)});
  void* pointer = const_cast<RemoteKeyPtr*>(&key);  // OpenSSL's parameters are not const
  std::array<OSSL_PARAM, 2> parameters = {
      OSSL_PARAM_construct_octet_ptr(remote_key_parameter, &pointer, sizeof key),
      OSSL_PARAM_construct_end()};
  return key_from(type, "provider=routevpn", EVP_PKEY_KEYPAIR, parameters.data());
}

}  // namespace routevpn::signer
