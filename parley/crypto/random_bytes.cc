#include "parley/crypto/random_bytes.h"

#include <openssl/rand.h>

#include "parley/crypto/impl/openssl.h"

namespace parley::crypto {
namespace {

Status check_size(std::size_t size) {
  if (size <= max_random_bytes) return {};
  return {Code::invalid_argument, std::to_string(size) +
                                      " random bytes at once are more than max_random_bytes (" +
                                      std::to_string(max_random_bytes) + "): ask for fewer"};
}

}  // namespace

Status fill_random(std::span<char> out) {
  if (Status s = check_size(out.size()); !s.is_ok()) return s;
  if (out.empty() || RAND_bytes(impl::unsigned_of(out.data()), static_cast<int>(out.size())) == 1) {
    return {};
  }
  return impl::openssl_failed(Code::unavailable,
                              "there are no secure random bytes: the generator has no seed");
}

Result<std::string> random_bytes(std::size_t size) {
  if (Status s = check_size(size); !s.is_ok()) return s;
  std::string bytes(size, '\0');
  if (Status s = fill_random(bytes); !s.is_ok()) return s;
  return bytes;
}

}  // namespace parley::crypto
