// What in a header cannot travel, collected, so that one run tells all of it.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "parley/base/status.h"
#include "parley/gen/interface.h"

namespace parley::gen::impl {

class Refusals {
 public:
  // `why`: the reason, a semicolon, what to write instead.
  void add(const Place& place, std::string_view why) {
    text_ += (text_.empty() ? "" : "\n") + text_of(place) + ": " + std::string(why);
  }
  // Ok when there was none.
  [[nodiscard]] Status status() const {
    return text_.empty() ? Status() : Status(Code::invalid_argument, text_);
  }

 private:
  std::string text_;
};

}  // namespace parley::gen::impl
