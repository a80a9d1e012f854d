// What is said beside a type, as those see it who fill in its table. Only type.h includes this
// file.
#pragma once

#include <type_traits>

#include "parley/codec/fields.h"

namespace parley::codec::impl {

template <class T>
using FieldsOf = std::remove_const_t<decltype(fields<T>)>;

template <class T>
inline constexpr bool has_no_rules = std::is_same_v<FieldsOf<T>, NoFields>;

template <class T>
consteval bool has_whole_table() {
  if constexpr (has_no_rules<T>) {
    return false;
  } else {
    return FieldsOf<T>::is_whole;
  }
}

// Calls `use` with each field of fields<T>. Written as a list: a fold is an expression as deep as
// it is long, which compilers refuse, or take minutes to check.
template <class T, class Use>
constexpr void for_each_rule(Use use) {
  fields<T>.apply([&](const auto&... field) {
    const char done[] = {'\0', (use(field), '\0')...};
    (void)done;
  });
}

}  // namespace parley::codec::impl
