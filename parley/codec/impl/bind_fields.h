// The structured-binding ladder: C++20 cannot bind "as many names as there are members", so there
// is one rung per count. Only reflect.h includes this file; its macros end with it.
#pragma once

#include <cstddef>

namespace parley::codec::impl {

// The declared types of the members of a struct, in order.
template <class... M>
struct FieldTypes {};

// What bind_fields returns when a member has no address, which is what a bit-field is.
struct HasBitField {};

inline constexpr std::size_t max_fields = 64;

// clang-format off
#define PARLEY_LIST(...) __VA_ARGS__
#define PARLEY_EIGHT(m, p) m(p##0), m(p##1), m(p##2), m(p##3), m(p##4), m(p##5), m(p##6), m(p##7)
#define PARLEY_RUNG(n, names, types)                                                          \
  if constexpr (count == (n)) {                                                               \
    auto& [PARLEY_LIST names] = object;                                                       \
    if constexpr (requires { visit(FieldTypes<PARLEY_LIST types>(), PARLEY_LIST names); }) {  \
      return visit(FieldTypes<PARLEY_LIST types>(), PARLEY_LIST names);                       \
    } else {                                                                                  \
      return HasBitField();                                                                   \
    }                                                                                         \
  }
// The rungs n + 1 .. n + 8; `names` and `types` are the n names before, with a comma at the end.
#define PARLEY_RUNGS(n, names, types)                                                         \
  PARLEY_RUNG(n + 1, (PARLEY_LIST names s), (PARLEY_LIST types decltype(s)))                  \
  PARLEY_RUNG(n + 2, (PARLEY_LIST names s, t),                                                \
              (PARLEY_LIST types decltype(s), decltype(t)))                                   \
  PARLEY_RUNG(n + 3, (PARLEY_LIST names s, t, u),                                             \
              (PARLEY_LIST types decltype(s), decltype(t), decltype(u)))                      \
  PARLEY_RUNG(n + 4, (PARLEY_LIST names s, t, u, v),                                          \
              (PARLEY_LIST types decltype(s), decltype(t), decltype(u), decltype(v)))         \
  PARLEY_RUNG(n + 5, (PARLEY_LIST names s, t, u, v, w),                                       \
              (PARLEY_LIST types decltype(s), decltype(t), decltype(u), decltype(v),          \
               decltype(w)))                                                                  \
  PARLEY_RUNG(n + 6, (PARLEY_LIST names s, t, u, v, w, x),                                    \
              (PARLEY_LIST types decltype(s), decltype(t), decltype(u), decltype(v),          \
               decltype(w), decltype(x)))                                                     \
  PARLEY_RUNG(n + 7, (PARLEY_LIST names s, t, u, v, w, x, y),                                 \
              (PARLEY_LIST types decltype(s), decltype(t), decltype(u), decltype(v),          \
               decltype(w), decltype(x), decltype(y)))                                        \
  PARLEY_RUNG(n + 8, (PARLEY_LIST names s, t, u, v, w, x, y, z),                              \
              (PARLEY_LIST types decltype(s), decltype(t), decltype(u), decltype(v),          \
               decltype(w), decltype(x), decltype(y), decltype(z)))
#define PARLEY_NAMES(p) PARLEY_EIGHT(PARLEY_LIST, p)
#define PARLEY_TYPES(p) PARLEY_EIGHT(decltype, p)

// visit(FieldTypes<declared types>(), member&...) of an object with `count` members; visit must
// take the members by non-const lvalue reference (auto&...), to which no bit-field binds.
template <std::size_t count, class T, class F>
constexpr auto bind_fields(T& object, F visit) {
  static_assert(count <= max_fields);
  if constexpr (count == 0) return visit(FieldTypes<>());
  PARLEY_RUNGS(0, (), ())
  PARLEY_RUNGS(8, (PARLEY_NAMES(a),), (PARLEY_TYPES(a),))
  PARLEY_RUNGS(16, (PARLEY_NAMES(a), PARLEY_NAMES(b),), (PARLEY_TYPES(a), PARLEY_TYPES(b),))
  PARLEY_RUNGS(24, (PARLEY_NAMES(a), PARLEY_NAMES(b), PARLEY_NAMES(c),),
               (PARLEY_TYPES(a), PARLEY_TYPES(b), PARLEY_TYPES(c),))
  PARLEY_RUNGS(32, (PARLEY_NAMES(a), PARLEY_NAMES(b), PARLEY_NAMES(c), PARLEY_NAMES(d),),
               (PARLEY_TYPES(a), PARLEY_TYPES(b), PARLEY_TYPES(c), PARLEY_TYPES(d),))
  PARLEY_RUNGS(40, (PARLEY_NAMES(a), PARLEY_NAMES(b), PARLEY_NAMES(c), PARLEY_NAMES(d),
                    PARLEY_NAMES(e),),
               (PARLEY_TYPES(a), PARLEY_TYPES(b), PARLEY_TYPES(c), PARLEY_TYPES(d),
                PARLEY_TYPES(e),))
  PARLEY_RUNGS(48, (PARLEY_NAMES(a), PARLEY_NAMES(b), PARLEY_NAMES(c), PARLEY_NAMES(d),
                    PARLEY_NAMES(e), PARLEY_NAMES(f),),
               (PARLEY_TYPES(a), PARLEY_TYPES(b), PARLEY_TYPES(c), PARLEY_TYPES(d),
                PARLEY_TYPES(e), PARLEY_TYPES(f),))
  PARLEY_RUNGS(56, (PARLEY_NAMES(a), PARLEY_NAMES(b), PARLEY_NAMES(c), PARLEY_NAMES(d),
                    PARLEY_NAMES(e), PARLEY_NAMES(f), PARLEY_NAMES(g),),
               (PARLEY_TYPES(a), PARLEY_TYPES(b), PARLEY_TYPES(c), PARLEY_TYPES(d),
                PARLEY_TYPES(e), PARLEY_TYPES(f), PARLEY_TYPES(g),))
}
#undef PARLEY_TYPES
#undef PARLEY_NAMES
#undef PARLEY_RUNGS
#undef PARLEY_RUNG
#undef PARLEY_EIGHT
#undef PARLEY_LIST
// clang-format on

}  // namespace parley::codec::impl
