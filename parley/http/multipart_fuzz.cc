// Forms cut anywhere are the same form, keep to the limits, and are read again as they are written.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "parley/base/assert.h"
#include "parley/http/multipart.h"
#include "parley/http/testing/multipart_reading.h"

namespace parley::http {
namespace {

// Small, so that the fuzzer meets them.
constexpr MultipartLimits small = {.max_parts = 4,
                                   .max_headers = 3,
                                   .max_header_bytes = 120,
                                   .max_part_bytes = 60,
                                   .max_bytes = 500};

void write_and_read(const testing::SeenForm& form) {
  Result<MultipartWriter> writer = MultipartWriter::with_boundary("a boundary that nobody guesses");
  PARLEY_ASSERT(writer.has_value(), "this is a boundary");
  for (const testing::SeenPart& part : form.parts) {
    const std::string type = part.content_type.empty() ? "text/plain" : part.content_type;
    const Status status = part.is_file ? writer->add_file(part.name, part.filename, type, part.data)
                                       : writer->add(part.name, part.data);
    PARLEY_ASSERT(status.is_ok(), status.to_string());
  }
  const std::string text = writer->end();
  const auto again = testing::read_form_cut("a boundary that nobody guesses", text);
  PARLEY_ASSERT(again.error.is_ok() && again.parts.size() == form.parts.size(),
                again.error.to_string());
  for (std::size_t i = 0; i < again.parts.size(); ++i) {
    PARLEY_ASSERT(again.parts[i].name == form.parts[i].name, "another name");
    PARLEY_ASSERT(again.parts[i].filename == form.parts[i].filename, "another file name");
    PARLEY_ASSERT(again.parts[i].data == form.parts[i].data, "other data");
  }
}

void fuzz(std::uint8_t way, std::string_view text) {
  const auto whole = testing::read_form_cut("b", text, small);
  const auto bytes = testing::read_form_cut("b", text, small, 1, 1);
  const auto pieces = testing::read_form_cut("b", text, small, way % 16 + 1U, way / 16 + 1U);
  PARLEY_ASSERT(
      whole.error.code() == bytes.error.code() && whole.error.code() == pieces.error.code(),
      "cutting the form changed its end");
  // What was shown before a limit was hit may differ by what a piece held.
  if (whole.error.code() != Code::resource_exhausted) {
    PARLEY_ASSERT(whole.parts == bytes.parts && whole.parts == pieces.parts,
                  "cutting the form changed it");
  }
  PARLEY_ASSERT(whole.parts.size() <= small.max_parts, "more parts than the limit");
  for (const testing::SeenPart& part : whole.parts) {
    PARLEY_ASSERT(part.data.size() <= small.max_part_bytes, "a larger part than the limit");
    PARLEY_ASSERT(part.filename.find_first_of("/\\") == std::string::npos, "a path");
  }
  if (whole.error.is_ok()) write_and_read(whole);
}

}  // namespace
}  // namespace parley::http

// NOLINTNEXTLINE(readability-identifier-naming): the name libFuzzer calls.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  parley::http::fuzz(data[0], {reinterpret_cast<const char*>(data) + 1, size - 1});
  return 0;
}
