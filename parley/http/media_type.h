// The media type of a file by its name. Pure functions, from anywhere.
//
//   media_type_of("tea.html");   // "text/html; charset=utf-8"
#pragma once

#include <string_view>

namespace parley::http {

// By what stands behind the last dot, in any case; "application/octet-stream" for what is not
// known. Texts are taken for UTF-8.
[[nodiscard]] std::string_view media_type_of(std::string_view filename) noexcept;

}  // namespace parley::http
