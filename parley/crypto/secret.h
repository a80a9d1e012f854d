// Secret: bytes that nobody is to see: a key, a password, what two sides agreed on. They are wiped
// when it goes, are never printed, and are compared in constant time. A copy has to be asked for by
// name.
//
// A Secret belongs to one fiber at a time; any number may read one that does not change. Not
// defended against: who can read this process's memory, its core dumps or its swap.
//
//   auto key = Secret::from_file(files, "/etc/shop/key", SecretForm::hex);
//   if (!key) return key.error();              // says what is wrong, not what was there
//   auto sealing = AeadKey::create(AeadAlgorithm::aes256_gcm, *key);
#pragma once

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "parley/base/files.h"
#include "parley/base/result.h"

namespace parley::crypto {

// How a secret stands in a file.
enum class SecretForm : std::uint8_t {
  hex,     // white space around it is for the reader
  base64,  // either alphabet, padded or not; white space around it is for the reader
  raw,     // all bytes of the file, a line end too
};

class Secret {
 public:
  // A longer one is invalid_argument.
  static constexpr std::size_t max_bytes = 4096;

  // Empty.
  Secret() noexcept = default;
  Secret(Secret&& other) noexcept
      : bytes_(std::move(other.bytes_)), size_(std::exchange(other.size_, 0)) {}
  Secret& operator=(Secret&& other) noexcept;
  ~Secret() { wipe_it(); }

  // A copy; the caller's own bytes stay with the caller (see wipe() in constant_time.h).
  static Result<Secret> copy_of(std::string_view bytes);
  // Of text in lower or upper case. invalid_argument names the place of what is wrong.
  static Result<Secret> from_hex(std::string_view text);
  // Standard alphabet or that for URLs, padded or not. invalid_argument when it is neither.
  static Result<Secret> from_base64(std::string_view text);
  // Of a file; blocks its thread (files.h). Errors are those of Files, with the path, those of the
  // form, and invalid_argument when there is nothing in it. That others cannot read the file is for
  // who makes it to see to.
  static Result<Secret> from_file(Files& files, const std::string& path, SecretForm form);
  // So many bytes that nobody can guess (random_bytes.h).
  static Result<Secret> random(std::size_t size);
  // So many zeros, for who writes a key in place; more than max_bytes is a bug.
  static Secret zeros(std::size_t size);

  [[nodiscard]] Secret clone() const;

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  // The bytes themselves, valid until this object changes or goes.
  [[nodiscard]] std::string_view reveal() const noexcept { return {bytes_.get(), size_}; }
  // The same to be written.
  [[nodiscard]] std::span<char> writable() noexcept { return {bytes_.get(), size_}; }

  // In constant time.
  [[nodiscard]] bool equals(std::string_view bytes) const noexcept;
  friend bool operator==(const Secret& a, const Secret& b) noexcept { return a.equals(b.reveal()); }
  // Not into a log, not by mistake.
  friend std::ostream& operator<<(std::ostream& out, const Secret& secret) = delete;

 private:
  explicit Secret(std::size_t size);
  void wipe_it() noexcept;

  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
};

}  // namespace parley::crypto
