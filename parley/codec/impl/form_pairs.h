// A form taken apart: its pairs in order, escapes resolved.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "parley/codec/impl/failure.h"
#include "parley/codec/limits.h"

namespace parley::codec::impl {

struct FormPair {
  std::string_view path;   // what is left of the key; without data: nothing
  std::string_view value;  // a part of the input, or of FormPairs
  bool was_escaped = false;
};

class FormPairs {
 public:
  // False with the failure set: an escape is none, a character must be escaped, a limit was hit.
  bool split(std::string_view text, const Limits& limits, Failure& failure);
  [[nodiscard]] std::vector<FormPair>& pairs() noexcept { return pairs_; }

 private:
  bool take_piece(std::string_view text, std::size_t start, std::size_t end, const Limits& limits,
                  Failure& failure);
  // `piece` starts at byte `start`. Itself where nothing is escaped.
  bool resolve(std::string_view piece, std::size_t start, std::string_view& meaning,
               Failure& failure);

  std::string room_;  // never grows beyond what split() reserved: views show it
  std::vector<FormPair> pairs_;
};

// Appends `text` as it stands in a form.
void append_form_text(std::string& out, std::string_view text);

}  // namespace parley::codec::impl
