// Fuzzes the reading of secrets and of legacy bodies. The first byte says how:
//  - what is read as hex or base64 is written again as the same, but for case, alphabet, padding;
//  - an error shows no six digits of what was read;
//  - a legacy body that is opened is sealed again as the same.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "parley/base/assert.h"
#include "parley/base/base64.h"
#include "parley/base/memory_files.h"
#include "parley/crypto/hex.h"
#include "parley/crypto/legacy_ecb.h"
#include "parley/crypto/secret.h"

namespace {

using namespace parley;
using namespace parley::crypto;

void check_error(const Status& status, std::string_view text) {
  PARLEY_ASSERT(status.code() == Code::invalid_argument, "another error: " + status.to_string());
  // Our own words may stand in a text as well, but not with digits in between.
  const std::string said = status.to_string();
  for (std::size_t i = 0; i + 6 <= text.size(); ++i) {
    const std::string_view part = text.substr(i, 6);
    if (part.find_first_not_of("0123456789abcdefABCDEF") != std::string_view::npos) continue;
    PARLEY_ASSERT(said.find(part) == std::string::npos, "an error shows a secret");
  }
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string standard(std::string_view text) {
  while (text.ends_with('=')) text.remove_suffix(1);
  std::string out(text);
  for (char& c : out) c = c == '-' ? '+' : c == '_' ? '/' : c;
  return out;
}

void check_hex(std::string_view text) {
  const auto secret = Secret::from_hex(text);
  if (!secret) return check_error(secret.error(), text);
  std::string again;
  append_hex(again, secret->reveal());
  PARLEY_ASSERT(again == lower(text), "hex was read as something else");
}

void check_base64(std::string_view text) {
  const auto secret = Secret::from_base64(text);
  if (!secret) return check_error(secret.error(), text);
  std::string again;
  append_base64(again, secret->reveal());
  PARLEY_ASSERT(standard(again) == standard(text), "base64 was read as something else");
}

void check_file(std::string_view text) {
  MemoryFiles files;
  PARLEY_ASSERT(replace_file(files, "/key", text).is_ok(), "a file was not written");
  for (const SecretForm form : {SecretForm::hex, SecretForm::base64, SecretForm::raw}) {
    const auto secret = Secret::from_file(files, "/key", form);
    if (!secret) continue;
    PARLEY_ASSERT(!secret->empty() && secret->size() <= Secret::max_bytes, "an impossible size");
  }
}

void check_legacy(std::string_view text) {
  static const LegacyEcbKey key =
      LegacyEcbKey::create(Secret::copy_of("cipherkey1234567").value()).value();
  if (const auto plain = key.decrypt(text)) {
    PARLEY_ASSERT(key.encrypt(*plain).value() == lower(text), "a body was read as something else");
  }
  PARLEY_ASSERT(key.decrypt(key.encrypt(text).value()).value() == text, "a body was changed");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      check_hex(text);
      break;
    case 1:
      check_base64(text);
      break;
    case 2:
      check_file(text);
      break;
    default:
      check_legacy(text);
      break;
  }
  return 0;
}
