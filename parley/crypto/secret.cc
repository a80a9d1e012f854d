#include "parley/crypto/secret.h"

#include <algorithm>

#include "parley/base/assert.h"
#include "parley/base/base64.h"
#include "parley/crypto/constant_time.h"
#include "parley/crypto/hex.h"
#include "parley/crypto/random_bytes.h"

namespace parley::crypto {
namespace {

// A file may hold the text of the longest secret in hex, and some white space.
constexpr std::size_t max_file_bytes = 2 * Secret::max_bytes + 256;

Status too_long(std::size_t size) {
  return {Code::invalid_argument, "a secret of " + std::to_string(size) +
                                      " bytes is longer than Secret::max_bytes (" +
                                      std::to_string(Secret::max_bytes) + ")"};
}

std::string_view without_space(std::string_view text) {
  constexpr std::string_view space = " \t\r\n";
  const std::size_t first = text.find_first_not_of(space);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(space) - first + 1);
}

Result<Secret> in_form(std::string_view content, SecretForm form) {
  switch (form) {
    case SecretForm::hex:
      return Secret::from_hex(without_space(content));
    case SecretForm::base64:
      return Secret::from_base64(without_space(content));
    case SecretForm::raw:
      break;
  }
  return Secret::copy_of(content);
}

}  // namespace

Secret::Secret(std::size_t size) : bytes_(std::make_unique<char[]>(size)), size_(size) {}

void Secret::wipe_it() noexcept { wipe(writable()); }

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this == &other) return *this;
  wipe_it();
  bytes_ = std::move(other.bytes_);
  size_ = std::exchange(other.size_, 0);
  return *this;
}

Secret Secret::zeros(std::size_t size) {
  PARLEY_ASSERT(size <= max_bytes, "a secret longer than Secret::max_bytes");
  return Secret(size);
}

Result<Secret> Secret::copy_of(std::string_view bytes) {
  if (bytes.size() > max_bytes) return too_long(bytes.size());
  Secret secret(bytes.size());
  std::ranges::copy(bytes, secret.bytes_.get());
  return secret;
}

Secret Secret::clone() const {
  Secret secret(size_);
  std::ranges::copy(reveal(), secret.bytes_.get());
  return secret;
}

Result<Secret> Secret::from_hex(std::string_view text) {
  if (text.size() / 2 > max_bytes) return too_long(text.size() / 2);
  if (text.size() % 2 != 0) {
    return Status(Code::invalid_argument, "a secret in hex has two digits for each byte, and " +
                                              std::to_string(text.size()) + " is an odd number");
  }
  Secret secret(text.size() / 2);
  if (decode_hex(text, secret.writable())) return secret;
  return Status(Code::invalid_argument,
                "a secret in hex has something else than a digit at place " +
                    std::to_string(first_not_hex(text) + 1) + " of " + std::to_string(text.size()));
}

Result<Secret> Secret::from_base64(std::string_view text) {
  if (text.size() / 4 * 3 > max_bytes + 3) return too_long(text.size() / 4 * 3);
  std::string decoded;
  const bool is_right = decode_base64(text, decoded);
  Result<Secret> secret = copy_of(decoded);
  wipe(decoded);
  if (is_right) return secret;
  return Status(Code::invalid_argument, "a secret of " + std::to_string(text.size()) +
                                            " characters is no base64 (RFC 4648, 4 or 5): a "
                                            "character, the length or the padding is wrong");
}

Result<Secret> Secret::from_file(Files& files, const std::string& path, SecretForm form) {
  Result<std::string> content = read_file(files, path, max_file_bytes);
  if (!content) return content.error().with_context("the secret could not be read");
  Result<Secret> secret = in_form(*content, form);
  wipe(*content);
  if (!secret) return secret.error().with_context("the secret in " + path);
  if (secret->empty()) {
    return Status(Code::invalid_argument, "there is no secret in " + path + ": the file is empty");
  }
  return secret;
}

Result<Secret> Secret::random(std::size_t size) {
  if (size > max_bytes) return too_long(size);
  Secret secret(size);
  if (Status s = fill_random(secret.writable()); !s.is_ok()) return s;
  return secret;
}

bool Secret::equals(std::string_view bytes) const noexcept {
  return equal_in_constant_time(reveal(), bytes);
}

}  // namespace parley::crypto
