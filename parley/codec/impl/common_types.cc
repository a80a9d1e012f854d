#include "parley/codec/impl/common_types.h"

#include "parley/codec/type.h"

namespace parley::codec::impl {

template <>
constinit const Type Table<bool>::type = Describe<bool>::make();
template <>
constinit const Type Table<std::int32_t>::type = Describe<std::int32_t>::make();
template <>
constinit const Type Table<std::int64_t>::type = Describe<std::int64_t>::make();
template <>
constinit const Type Table<std::uint32_t>::type = Describe<std::uint32_t>::make();
template <>
constinit const Type Table<std::uint64_t>::type = Describe<std::uint64_t>::make();
template <>
constinit const Type Table<float>::type = Describe<float>::make();
template <>
constinit const Type Table<double>::type = Describe<double>::make();
template <>
constinit const Type Table<std::string>::type = Describe<std::string>::make();
template <>
constinit const Type Table<std::optional<std::int64_t>>::type =
    Describe<std::optional<std::int64_t>>::make();
template <>
constinit const Type Table<std::optional<double>>::type = Describe<std::optional<double>>::make();
template <>
constinit const Type Table<std::optional<std::string>>::type =
    Describe<std::optional<std::string>>::make();
template <>
constinit const Type Table<std::vector<std::int32_t>>::type =
    Describe<std::vector<std::int32_t>>::make();
template <>
constinit const Type Table<std::vector<std::int64_t>>::type =
    Describe<std::vector<std::int64_t>>::make();
template <>
constinit const Type Table<std::vector<double>>::type = Describe<std::vector<double>>::make();
template <>
constinit const Type Table<std::vector<std::string>>::type =
    Describe<std::vector<std::string>>::make();

}  // namespace parley::codec::impl
