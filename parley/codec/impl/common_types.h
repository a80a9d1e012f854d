// Types that nearly every program has: their tables are in the library, so that they are not made
// again in each file that includes type.h, which alone includes this one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "parley/codec/impl/describe.h"

namespace parley::codec::impl {

template <>
const Type Table<bool>::type;
template <>
const Type Table<std::int32_t>::type;
template <>
const Type Table<std::int64_t>::type;
template <>
const Type Table<std::uint32_t>::type;
template <>
const Type Table<std::uint64_t>::type;
template <>
const Type Table<float>::type;
template <>
const Type Table<double>::type;
template <>
const Type Table<std::string>::type;
template <>
const Type Table<std::optional<std::int64_t>>::type;
template <>
const Type Table<std::optional<double>>::type;
template <>
const Type Table<std::optional<std::string>>::type;
template <>
const Type Table<std::vector<std::int32_t>>::type;
template <>
const Type Table<std::vector<std::int64_t>>::type;
template <>
const Type Table<std::vector<double>>::type;
template <>
const Type Table<std::vector<std::string>>::type;

}  // namespace parley::codec::impl
