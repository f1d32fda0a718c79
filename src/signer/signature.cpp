// The provider's signatures: hash here, and have the digest signed elsewhere.
#include <array>
#include <charconv>
#include <new>
#include <string_view>
#include <system_error>

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#include "provider.hpp"

namespace routevpn::signer {

namespace {

using HashContext = Owned<EVP_MD_CTX, EVP_MD_CTX_free>;

// An operation of OpenSSL. It holds a reference of the key, which may be freed before it.
struct Operation {
  RemoteKeyPtr key;
  const Digest* digest = nullptr;  // none for Ed25519
  bool pss = false;
  HashContext hash;  // from the first update to the end

  [[nodiscard]] SignScheme scheme() const {
    if (key->type == KeyType::ec) return SignScheme::ecdsa;
    if (key->type == KeyType::ed25519) return SignScheme::ed25519;
    return pss ? SignScheme::rsa_pss : SignScheme::rsa_pkcs1;
  }
};

Operation& operation_of(void* context) {
  return *static_cast<Operation*>(context);
}

void* make_operation(void* /*provider*/, const char* /*properties*/) {
  return new (std::nothrow) Operation;
}

void free_operation(void* context) {
  delete static_cast<Operation*>(context);
}

void* duplicate(void* context) {
  const Operation& from = operation_of(context);
  std::unique_ptr<Operation> copy(new (std::nothrow) Operation);
  if (copy == nullptr) return nullptr;
  copy->key = from.key;
  copy->digest = from.digest;
  copy->pss = from.pss;
  if (from.hash != nullptr) {
    copy->hash.reset(EVP_MD_CTX_new());
    if (copy->hash == nullptr || EVP_MD_CTX_copy_ex(copy->hash.get(), from.hash.get()) != 1) {
      return nullptr;
    }
  }
  return copy.release();
}

// A parameter that OpenSSL gives as a number or as a name.
struct NumberOrName {
  int number = 0;
  std::array<char, 32> name{};  // empty: it is a number

  bool read(const OSSL_PARAM& parameter) {
    if (parameter.data_type != OSSL_PARAM_UTF8_STRING) {
      return OSSL_PARAM_get_int(&parameter, &number) == 1;
    }
    char* at = name.data();
    if (OSSL_PARAM_get_utf8_string(&parameter, &at, name.size()) != 1) return false;
    const std::string_view text(name.data());
    const auto [end, error] = std::from_chars(text.begin(), text.end(), number);
    if (error == std::errc() && end == text.end()) name.front() = '\0';
    return true;
  }
  [[nodiscard]] bool is(int expected, std::string_view expected_name) const {
    const std::string_view text(name.data());
    return text.empty() ? number == expected : text == expected_name;
  }
};

bool set_padding(Operation& operation, const OSSL_PARAM& parameter) {
  NumberOrName padding;
  if (operation.key->type != KeyType::rsa || !padding.read(parameter)) return false;
  operation.pss = padding.is(RSA_PKCS1_PSS_PADDING, OSSL_PKEY_RSA_PAD_MODE_PSS);
  return operation.pss || padding.is(RSA_PKCS1_PADDING, OSSL_PKEY_RSA_PAD_MODE_PKCSV15);
}

// TLS has no other salt than one as long as the digest.
bool allows_salt(const Operation& operation, const OSSL_PARAM& parameter) {
  NumberOrName salt;
  if (operation.digest == nullptr || !salt.read(parameter)) return false;
  return salt.is(RSA_PSS_SALTLEN_DIGEST, OSSL_PKEY_RSA_PSS_SALT_LEN_DIGEST) ||
         salt.is(static_cast<int>(digest_bytes(operation.digest->id)), {});
}

// The digest is chosen at the begin, and MGF1 uses the same.
bool allows_digest(const Operation& operation, const OSSL_PARAM& parameter) {
  NumberOrName digest;
  return operation.digest != nullptr && digest.read(parameter) &&
         EVP_MD_is_a(operation.digest->method.get(), digest.name.data()) == 1;
}

int set_parameters(void* context, const OSSL_PARAM parameters[]) {
  Operation& operation = operation_of(context);
  if (parameters == nullptr) return 1;
  if (operation.key == nullptr) return 0;
  for (const OSSL_PARAM* one = parameters; one->key != nullptr; ++one) {
    const std::string_view name(one->key);
    bool allowed = true;
    if (name == OSSL_SIGNATURE_PARAM_PAD_MODE) {
      allowed = set_padding(operation, *one);
    } else if (name == OSSL_SIGNATURE_PARAM_PSS_SALTLEN) {
      allowed = allows_salt(operation, *one);
    } else if (name == OSSL_SIGNATURE_PARAM_MGF1_DIGEST || name == OSSL_SIGNATURE_PARAM_DIGEST) {
      allowed = allows_digest(operation, *one);
    }
    if (!allowed) return 0;
  }
  return 1;
}

const OSSL_PARAM* settable_parameters(void* /*context*/, void* /*provider*/) {
  static const OSSL_PARAM parameters[] = {
      {OSSL_SIGNATURE_PARAM_PAD_MODE, OSSL_PARAM_UTF8_STRING, nullptr, 0, 0},
      {OSSL_SIGNATURE_PARAM_PSS_SALTLEN, OSSL_PARAM_UTF8_STRING, nullptr, 0, 0},
      {OSSL_SIGNATURE_PARAM_MGF1_DIGEST, OSSL_PARAM_UTF8_STRING, nullptr, 0, 0},
      {OSSL_SIGNATURE_PARAM_DIGEST, OSSL_PARAM_UTF8_STRING, nullptr, 0, 0},
      OSSL_PARAM_END};
  return parameters;
}

// Without a key or digest the operation keeps its own.
int begin(void* context, const char* digest, void* key, const OSSL_PARAM parameters[]) {
  Operation& operation = operation_of(context);
  if (key != nullptr) operation.key = static_cast<const KeyData*>(key)->key;
  if (operation.key == nullptr) return 0;
  const bool named = digest != nullptr && *digest != '\0';
  if (named) operation.digest = find_digest(digest);
  // Ed25519 has a digest of its own.
  const bool needed = operation.key->type != KeyType::ed25519;
  if (needed ? operation.digest == nullptr : named) return 0;
  operation.pss = false;
  operation.hash.reset();
  return set_parameters(context, parameters);
}

// An exception must not pass through OpenSSL's frames.
std::size_t ask(const RemoteKey& key, const SignRequest& request,
                std::span<std::uint8_t> signature) noexcept {
  try {
    const std::size_t size = key.sign(request, signature);
    return size <= signature.size() ? size : 0;
  } catch (...) {
    return 0;
  }
}

// Fills the signature, whose buffer OpenSSL provides.
int sign(const Operation& operation, ConstBytes bytes, unsigned char* signature, std::size_t* size,
         std::size_t room) {
  if (room < operation.key->max_signature()) return 0;
  const SignDigest digest = operation.digest != nullptr ? operation.digest->id : SignDigest::none;
  *size = ask(*operation.key, {operation.scheme(), digest, bytes}, {signature, room});
  if (*size > 0) return 1;
  raise_refusal();
  return 0;
}

using HashValue = std::array<unsigned char, EVP_MAX_MD_SIZE>;

// Both at once. Without a buffer OpenSSL asks for the length.
int sign_all(void* context, unsigned char* signature, std::size_t* size, std::size_t room,
             const unsigned char* data, std::size_t data_size) {
  const Operation& operation = operation_of(context);
  if (operation.key == nullptr) return 0;
  if (signature == nullptr) {
    *size = operation.key->max_signature();
    return 1;
  }
  if (operation.key->type == KeyType::ed25519) {
    if (data_size > max_message_bytes) return 0;
    return sign(operation, {data, data_size}, signature, size, room);
  }
  HashValue value;
  unsigned int value_size = 0;
  if (operation.digest == nullptr || EVP_Digest(data, data_size, value.data(), &value_size,
                                                operation.digest->method.get(), nullptr) != 1) {
    return 0;
  }
  return sign(operation, {value.data(), value_size}, signature, size, room);
}

int update(void* context, const unsigned char* data, std::size_t size) {
  Operation& operation = operation_of(context);
  if (operation.digest == nullptr) return 0;
  if (operation.hash == nullptr) {
    operation.hash.reset(EVP_MD_CTX_new());
    if (operation.hash == nullptr ||
        EVP_DigestInit_ex2(operation.hash.get(), operation.digest->method.get(), nullptr) != 1) {
      operation.hash.reset();
      return 0;
    }
  }
  return EVP_DigestUpdate(operation.hash.get(), data, size);
}

int finish(void* context, unsigned char* signature, std::size_t* size, std::size_t room) {
  Operation& operation = operation_of(context);
  if (operation.key == nullptr || operation.digest == nullptr) return 0;
  if (signature == nullptr) {
    *size = operation.key->max_signature();
    return 1;
  }
  if (update(context, nullptr, 0) != 1) return 0;  // of an empty message
  HashValue value;
  unsigned int value_size = 0;
  const HashContext hash = std::move(operation.hash);
  if (EVP_DigestFinal_ex(hash.get(), value.data(), &value_size) != 1) return 0;
  return sign(operation, {value.data(), value_size}, signature, size, room);
}

const OSSL_DISPATCH* signature_functions() {
  static const OSSL_DISPATCH table[] = {
      entry<OSSL_FUNC_signature_newctx_fn>(OSSL_FUNC_SIGNATURE_NEWCTX, make_operation),
      entry<OSSL_FUNC_signature_freectx_fn>(OSSL_FUNC_SIGNATURE_FREECTX, free_operation),
      entry<OSSL_FUNC_signature_dupctx_fn>(OSSL_FUNC_SIGNATURE_DUPCTX, duplicate),
      entry<OSSL_FUNC_signature_digest_sign_init_fn>(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, begin),
      entry<OSSL_FUNC_signature_digest_sign_update_fn>(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_UPDATE,
                                                       update),
      entry<OSSL_FUNC_signature_digest_sign_final_fn>(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_FINAL,
                                                      finish),
      entry<OSSL_FUNC_signature_digest_sign_fn>(OSSL_FUNC_SIGNATURE_DIGEST_SIGN, sign_all),
      entry<OSSL_FUNC_signature_set_ctx_params_fn>(OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS,
                                                   set_parameters),
      entry<OSSL_FUNC_signature_settable_ctx_params_fn>(OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS,
                                                        settable_parameters),
      {0, nullptr}};
  return table;
}

}  // namespace

const OSSL_ALGORITHM* signature_algorithms() {
  static const OSSL_ALGORITHM algorithms[] = {
      {"ECDSA", "provider=routevpn", signature_functions(), "ECDSA by another process"},
      {"RSA:rsaEncryption:1.2.840.113549.1.1.1", "provider=routevpn", signature_functions(),
       "RSA by another process"},
      {"ED25519:1.3.101.112", "provider=routevpn", signature_functions(),
       "Ed25519 by another process"},
      {nullptr, nullptr, nullptr, nullptr}};
  return algorithms;
}

}  // namespace routevpn::signer
