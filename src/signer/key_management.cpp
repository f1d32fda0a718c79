// The provider's keys: public, and never exported with a private part.
#include <new>

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/params.h>

#include "provider.hpp"

namespace routevpn::signer {

namespace {

const KeyData* data_of(const void* data) {
  return static_cast<const KeyData*>(data);
}

void* make_data(void* /*provider*/) {
  return new (std::nothrow) KeyData;
}

void free_data(void* data) {
  delete static_cast<KeyData*>(data);
}

// The private key exists, in another process. No selection exceeds a key pair with its parameters.
int has(const void* data, int /*selection*/) {
  return data_of(data)->key != nullptr ? 1 : 0;
}

int match(const void* left, const void* right, int /*selection*/) {
  const auto* one = data_of(left)->key.get();
  const auto* other = data_of(right)->key.get();
  if (one == nullptr || other == nullptr) return 0;
  return EVP_PKEY_eq(one->public_key.get(), other->public_key.get()) == 1 ? 1 : 0;
}

template <KeyType type>
int import_key(void* data, int /*selection*/, const OSSL_PARAM parameters[]) {
  const OSSL_PARAM* found = OSSL_PARAM_locate_const(parameters, remote_key_parameter);
  const void* pointer = nullptr;
  std::size_t size = 0;
  if (found == nullptr || OSSL_PARAM_get_octet_ptr(found, &pointer, &size) != 1) return 0;
  const auto& key = *static_cast<const RemoteKeyPtr*>(pointer);
  if (key->type != type) return 0;
  static_cast<KeyData*>(data)->key = key;
  return 1;
}

const OSSL_PARAM* import_types(int /*selection*/) {
  static const OSSL_PARAM types[] = {{remote_key_parameter, OSSL_PARAM_OCTET_PTR, nullptr, 0, 0},
                                     OSSL_PARAM_END};
  return types;
}

// OpenSSL compares a certificate's key with the public part.
int export_key(void* data, int selection, OSSL_CALLBACK* take, void* argument) {
  const auto* key = data_of(data)->key.get();
  if (key == nullptr || (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0) return 0;
  return EVP_PKEY_export(key->public_key.get(), selection, take, argument);
}

template <KeyType type>
const OSSL_PARAM* export_types(int selection) {
  static const OSSL_PARAM ec[] = {
      {OSSL_PKEY_PARAM_GROUP_NAME, OSSL_PARAM_UTF8_STRING, nullptr, 0, 0},
      {OSSL_PKEY_PARAM_PUB_KEY, OSSL_PARAM_OCTET_STRING, nullptr, 0, 0},
      OSSL_PARAM_END};
  static const OSSL_PARAM rsa[] = {
      {OSSL_PKEY_PARAM_RSA_N, OSSL_PARAM_UNSIGNED_INTEGER, nullptr, 0, 0},
      {OSSL_PKEY_PARAM_RSA_E, OSSL_PARAM_UNSIGNED_INTEGER, nullptr, 0, 0},
      OSSL_PARAM_END};
  static const OSSL_PARAM ed25519[] = {
      {OSSL_PKEY_PARAM_PUB_KEY, OSSL_PARAM_OCTET_STRING, nullptr, 0, 0}, OSSL_PARAM_END};
  if ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0) return nullptr;
  if constexpr (type == KeyType::ec) return ec;
  if constexpr (type == KeyType::rsa) return rsa;
  return ed25519;
}

int get_parameters(void* data, OSSL_PARAM parameters[]) {
  const auto* key = data_of(data)->key.get();
  return key != nullptr ? EVP_PKEY_get_params(key->public_key.get(), parameters) : 0;
}

// What libssl reads; get_parameters() answers every parameter of a public key.
const OSSL_PARAM* gettable_parameters(void* /*provider*/) {
  static const OSSL_PARAM parameters[] = {
      {OSSL_PKEY_PARAM_BITS, OSSL_PARAM_INTEGER, nullptr, sizeof(int), 0},
      {OSSL_PKEY_PARAM_SECURITY_BITS, OSSL_PARAM_INTEGER, nullptr, sizeof(int), 0},
      {OSSL_PKEY_PARAM_MAX_SIZE, OSSL_PARAM_INTEGER, nullptr, sizeof(int), 0},
      {OSSL_PKEY_PARAM_DEFAULT_DIGEST, OSSL_PARAM_UTF8_STRING, nullptr, 0, 0},
      {OSSL_PKEY_PARAM_MANDATORY_DIGEST, OSSL_PARAM_UTF8_STRING, nullptr, 0, 0},
      {OSSL_PKEY_PARAM_GROUP_NAME, OSSL_PARAM_UTF8_STRING, nullptr, 0, 0},
      OSSL_PARAM_END};
  return parameters;
}

template <KeyType type>
const char* operation_name(int operation) {
  if (operation != OSSL_OP_SIGNATURE) return nullptr;
  if constexpr (type == KeyType::ec) return "ECDSA";
  if constexpr (type == KeyType::rsa) return "RSA";
  return "ED25519";
}

template <KeyType type>
const OSSL_DISPATCH* key_functions() {
  static const OSSL_DISPATCH table[] = {
      entry<OSSL_FUNC_keymgmt_new_fn>(OSSL_FUNC_KEYMGMT_NEW, make_data),
      entry<OSSL_FUNC_keymgmt_free_fn>(OSSL_FUNC_KEYMGMT_FREE, free_data),
      entry<OSSL_FUNC_keymgmt_has_fn>(OSSL_FUNC_KEYMGMT_HAS, has),
      entry<OSSL_FUNC_keymgmt_match_fn>(OSSL_FUNC_KEYMGMT_MATCH, match),
      entry<OSSL_FUNC_keymgmt_import_fn>(OSSL_FUNC_KEYMGMT_IMPORT, import_key<type>),
      entry<OSSL_FUNC_keymgmt_import_types_fn>(OSSL_FUNC_KEYMGMT_IMPORT_TYPES, import_types),
      entry<OSSL_FUNC_keymgmt_export_fn>(OSSL_FUNC_KEYMGMT_EXPORT, export_key),
      entry<OSSL_FUNC_keymgmt_export_types_fn>(OSSL_FUNC_KEYMGMT_EXPORT_TYPES, export_types<type>),
      entry<OSSL_FUNC_keymgmt_get_params_fn>(OSSL_FUNC_KEYMGMT_GET_PARAMS, get_parameters),
      entry<OSSL_FUNC_keymgmt_gettable_params_fn>(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS,
                                                  gettable_parameters),
      entry<OSSL_FUNC_keymgmt_query_operation_name_fn>(OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME,
                                                       operation_name<type>),
      {0, nullptr}};
  return table;
}

}  // namespace

// The names of the default provider, which libssl compares with the key's.
const OSSL_ALGORITHM* key_algorithms() {
  static const OSSL_ALGORITHM algorithms[] = {
      {"EC:id-ecPublicKey:1.2.840.10045.2.1", "provider=routevpn", key_functions<KeyType::ec>(),
       "ECDSA key of another process"},
      {"RSA:rsaEncryption:1.2.840.113549.1.1.1", "provider=routevpn", key_functions<KeyType::rsa>(),
       "RSA key of another process"},
      {"ED25519:1.3.101.112", "provider=routevpn", key_functions<KeyType::ed25519>(),
       "Ed25519 key of another process"},
      {nullptr, nullptr, nullptr, nullptr}};
  return algorithms;
}

}  // namespace routevpn::signer
