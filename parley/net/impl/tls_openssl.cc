#include "parley/net/impl/tls_openssl.h"

#include <openssl/err.h>

namespace parley::net::impl {

OpensslFault take_openssl_fault() {
  OpensslFault fault;
  const char* data = nullptr;
  int flags = 0;
  // The queue itself holds at most ERR_NUM_ERRORS (16) entries.
  for (;;) {
    const unsigned long error = ERR_get_error_all(nullptr, nullptr, nullptr, &data, &flags);
    if (error == 0) break;
    const int reason = ERR_GET_REASON(error);
    if (fault.first_library == 0) {
      fault.first_library = ERR_GET_LIB(error);
      fault.first_reason = reason;
    }
    if (fault.tls_reason == 0 && ERR_GET_LIB(error) == ERR_LIB_SSL) fault.tls_reason = reason;
    const char* text = ERR_reason_error_string(error);
    if (!fault.text.empty()) fault.text += "; ";
    fault.text += text != nullptr ? text : "error " + std::to_string(error);
    if ((flags & ERR_TXT_STRING) != 0 && data != nullptr && *data != '\0') {
      fault.text += " (" + printable(data) + ")";
    }
  }
  if (fault.text.empty()) fault.text = "OpenSSL gave no reason";
  return fault;
}

std::string printable(std::string_view text, std::size_t max) {
  std::string out(text.substr(0, max));
  for (char& byte : out) {
    if (byte < 0x20 || byte == 0x7f)
      byte = '?';  // plain char: bytes beyond ASCII are negative here
  }
  if (text.size() > max) out += "...";
  return out;
}

}  // namespace parley::net::impl
