// Parley's codec as a contestant, the same in every format.
//
// Format, beside what tasks.h wants:   static Status encode_to(std::string&, const T&)
//                                      static Status decode_into(std::string_view, T&)
#pragma once

#include <string>
#include <string_view>

#include "parley/base/result.h"
#include "parley/base/status.h"

namespace parley::bench {

template <class Format>
class OwnEncoder {
 public:
  template <class T>
  Status encode(const T& value) {
    text_.clear();
    return Format::encode_to(text_, value);
  }
  [[nodiscard]] std::string_view text() const { return text_; }

 private:
  std::string text_;
};

template <class Format>
struct OwnDecoder {
  using Input = std::string;

  template <class T>
  Status decode(const std::string& text, T& object) {
    return Format::decode_into(text, object);
  }
  template <class T>
  static Result<T> decoded(const std::string& text) {
    return Format::template decode<T>(text);
  }
};

}  // namespace parley::bench
