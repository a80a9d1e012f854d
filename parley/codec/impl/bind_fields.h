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

inline constexpr std::size_t max_fields = 256;

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

template <std::size_t count, class T, class F>
constexpr auto bind_few_fields(T& object, F visit) {
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
#undef PARLEY_RUNGS
#undef PARLEY_RUNG

// Above 64 the names stand once, not five times, so that those who have smaller structs do not pay
// for these while compiling: a bit-field or a reference among so many is refused in the compiler's
// own words.
template <class F, class... M>
constexpr auto visit_wide(F& visit, M&... member) {
  return visit(FieldTypes<M...>(), member...);
}
#define PARLEY_WIDE_RUNG(n, names)          \
  if constexpr (count == (n)) {             \
    auto& [PARLEY_LIST names] = object;     \
    return visit_wide(visit, PARLEY_LIST names); \
  }
#define PARLEY_WIDE_RUNGS(n, names)                                   \
  PARLEY_WIDE_RUNG(n + 1, (PARLEY_LIST names, s))                     \
  PARLEY_WIDE_RUNG(n + 2, (PARLEY_LIST names, s, t))                  \
  PARLEY_WIDE_RUNG(n + 3, (PARLEY_LIST names, s, t, u))               \
  PARLEY_WIDE_RUNG(n + 4, (PARLEY_LIST names, s, t, u, v))            \
  PARLEY_WIDE_RUNG(n + 5, (PARLEY_LIST names, s, t, u, v, w))         \
  PARLEY_WIDE_RUNG(n + 6, (PARLEY_LIST names, s, t, u, v, w, x))      \
  PARLEY_WIDE_RUNG(n + 7, (PARLEY_LIST names, s, t, u, v, w, x, y))   \
  PARLEY_WIDE_RUNG(n + 8, (PARLEY_LIST names, s, t, u, v, w, x, y, z))
// The names of the first 8, 16, ... 64 members of a block.
#define PARLEY_8(p) PARLEY_NAMES(p##a)
#define PARLEY_16(p) PARLEY_8(p), PARLEY_NAMES(p##b)
#define PARLEY_24(p) PARLEY_16(p), PARLEY_NAMES(p##c)
#define PARLEY_32(p) PARLEY_24(p), PARLEY_NAMES(p##d)
#define PARLEY_40(p) PARLEY_32(p), PARLEY_NAMES(p##e)
#define PARLEY_48(p) PARLEY_40(p), PARLEY_NAMES(p##f)
#define PARLEY_56(p) PARLEY_48(p), PARLEY_NAMES(p##g)
#define PARLEY_64(p) PARLEY_56(p), PARLEY_NAMES(p##h)

template <std::size_t count, class T, class F>
constexpr auto bind_many_fields(T& object, F visit) {
  PARLEY_WIDE_RUNGS(64, (PARLEY_64(i)))
  PARLEY_WIDE_RUNGS(72, (PARLEY_64(i), PARLEY_8(l)))
  PARLEY_WIDE_RUNGS(80, (PARLEY_64(i), PARLEY_16(l)))
  PARLEY_WIDE_RUNGS(88, (PARLEY_64(i), PARLEY_24(l)))
  PARLEY_WIDE_RUNGS(96, (PARLEY_64(i), PARLEY_32(l)))
  PARLEY_WIDE_RUNGS(104, (PARLEY_64(i), PARLEY_40(l)))
  PARLEY_WIDE_RUNGS(112, (PARLEY_64(i), PARLEY_48(l)))
  PARLEY_WIDE_RUNGS(120, (PARLEY_64(i), PARLEY_56(l)))
  PARLEY_WIDE_RUNGS(128, (PARLEY_64(i), PARLEY_64(j)))
  PARLEY_WIDE_RUNGS(136, (PARLEY_64(i), PARLEY_64(j), PARLEY_8(l)))
  PARLEY_WIDE_RUNGS(144, (PARLEY_64(i), PARLEY_64(j), PARLEY_16(l)))
  PARLEY_WIDE_RUNGS(152, (PARLEY_64(i), PARLEY_64(j), PARLEY_24(l)))
  PARLEY_WIDE_RUNGS(160, (PARLEY_64(i), PARLEY_64(j), PARLEY_32(l)))
  PARLEY_WIDE_RUNGS(168, (PARLEY_64(i), PARLEY_64(j), PARLEY_40(l)))
  PARLEY_WIDE_RUNGS(176, (PARLEY_64(i), PARLEY_64(j), PARLEY_48(l)))
  PARLEY_WIDE_RUNGS(184, (PARLEY_64(i), PARLEY_64(j), PARLEY_56(l)))
  PARLEY_WIDE_RUNGS(192, (PARLEY_64(i), PARLEY_64(j), PARLEY_64(k)))
  PARLEY_WIDE_RUNGS(200, (PARLEY_64(i), PARLEY_64(j), PARLEY_64(k), PARLEY_8(l)))
  PARLEY_WIDE_RUNGS(208, (PARLEY_64(i), PARLEY_64(j), PARLEY_64(k), PARLEY_16(l)))
  PARLEY_WIDE_RUNGS(216, (PARLEY_64(i), PARLEY_64(j), PARLEY_64(k), PARLEY_24(l)))
  PARLEY_WIDE_RUNGS(224, (PARLEY_64(i), PARLEY_64(j), PARLEY_64(k), PARLEY_32(l)))
  PARLEY_WIDE_RUNGS(232, (PARLEY_64(i), PARLEY_64(j), PARLEY_64(k), PARLEY_40(l)))
  PARLEY_WIDE_RUNGS(240, (PARLEY_64(i), PARLEY_64(j), PARLEY_64(k), PARLEY_48(l)))
  PARLEY_WIDE_RUNGS(248, (PARLEY_64(i), PARLEY_64(j), PARLEY_64(k), PARLEY_56(l)))
}
#undef PARLEY_56
#undef PARLEY_48
#undef PARLEY_40
#undef PARLEY_32
#undef PARLEY_24
#undef PARLEY_16
#undef PARLEY_8
#undef PARLEY_64
#undef PARLEY_WIDE_RUNGS
#undef PARLEY_WIDE_RUNG
#undef PARLEY_NAMES
#undef PARLEY_EIGHT
#undef PARLEY_LIST
// clang-format on

// visit(FieldTypes<declared types>(), member&...) of an object with `count` members; visit must
// take the members by non-const lvalue reference (auto&...), to which no bit-field binds.
template <std::size_t count, class T, class F>
constexpr auto bind_fields(T& object, F visit) {
  static_assert(count <= max_fields);
  if constexpr (count <= 64) {
    return bind_few_fields<count>(object, visit);
  } else {
    return bind_many_fields<count>(object, visit);
  }
}

}  // namespace parley::codec::impl
