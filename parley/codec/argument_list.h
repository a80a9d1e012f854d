// Several arguments as one tuple, where they lie: what a function is called with is written as the
// std::tuple of its parameters is, in every format, without being copied into one.
//
// Made by the compiler, filled in when it is first used and kept as long as the program runs: safe
// on every thread and fiber.
//
//   static constexpr const codec::Type* types[] = {&codec::type_of<Order>(),
//                                                  &codec::type_of<int>()};
//   static constinit const codec::ArgumentList list(types);
//   const void* arguments[] = {&order, &quantity};
//   Status status = codec::encode_msgpack_as(out, list.type(), arguments);
#pragma once

#include <atomic>
#include <span>

#include "parley/codec/type_table.h"

namespace parley::codec {

class ArgumentList {
 public:
  // `types`: of the values, which live as long as the program.
  constexpr explicit ArgumentList(std::span<const Type* const> types) : types_(types) {}
  ArgumentList(const ArgumentList&) = delete;
  ArgumentList& operator=(const ArgumentList&) = delete;

  // The table of an array with a pointer to each value, in order. For writing only.
  [[nodiscard]] const Type& type() const {
    const Made* const made = made_.load(std::memory_order_acquire);
    return made != nullptr ? type_in(*made) : make();
  }

 private:
  struct Made;
  static const Type& type_in(const Made& made);
  [[nodiscard]] const Type& make() const;

  const std::span<const Type* const> types_;
  mutable std::atomic<const Made*> made_{nullptr};
};

}  // namespace parley::codec
