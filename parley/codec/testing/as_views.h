// Types that travel as views of text and of bytes, and take over what the views show.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "parley/base/status.h"
#include "parley/codec/fields.h"

namespace parley::codec::testing {

struct Label {
  std::string text;
  friend bool operator==(const Label&, const Label&) = default;
};

struct Blob {
  std::vector<std::byte> bytes;
  friend bool operator==(const Blob&, const Blob&) = default;
};

}  // namespace parley::codec::testing

template <>
struct parley::Representation<parley::codec::testing::Label> {
  using Label = parley::codec::testing::Label;
  static std::string_view encode(const Label& label) { return label.text; }
  static Status decode(std::string_view text, Label& label) {
    label.text = text;
    return {};
  }
};
template <>
struct parley::Representation<parley::codec::testing::Blob> {
  using Blob = parley::codec::testing::Blob;
  static std::span<const std::byte> encode(const Blob& blob) { return blob.bytes; }
  static Status decode(std::span<const std::byte> bytes, Blob& blob) {
    blob.bytes.assign(bytes.begin(), bytes.end());
    return {};
  }
};
