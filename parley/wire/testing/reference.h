// A framing's second witness: a program in Python that was written from the framing's page alone.
// For tests only.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>

#include "parley/base/testing/hex.h"
#include "parley/base/testing/witness.h"
#include "parley/wire/message.h"
#include "parley/wire/metadata.h"
#include "parley/wire/status_code.h"

namespace parley::wire::testing {

inline std::string hex_or_dash(std::string_view bytes) {
  return bytes.empty() ? "-" : parley::testing::to_hex(bytes);
}

// key:value,key:value in hex, as the references write it.
inline std::string metadata_or_dash(const Metadata& metadata) {
  std::string text;
  for (const auto& [key, value] : metadata) {
    text += (text.empty() ? "" : ",") + parley::testing::to_hex(key) + ":" +
            parley::testing::to_hex(value);
  }
  return text.empty() ? "-" : text;
}

// The line raw_reference.py and erpc_reference.py write for the same message.
inline std::string line_of(const Message& message) {
  return std::to_string(message.seq) + " " + std::to_string(static_cast<int>(message.type)) + " " +
         hex_or_dash(message.method) + " " + std::to_string(raw_number(message.status)) + " " +
         hex_or_dash(message.status.message()) + " " + hex_or_dash(message.status.cause()) + " " +
         std::to_string(static_cast<unsigned char>(message.body_codec)) + " " +
         hex_or_dash(message.body.to_string()) + " " + metadata_or_dash(message.metadata) + "\n";
}

class Reference : public ::testing::Test {
 protected:
  // `script`: "raw_reference.py".
  explicit Reference(std::string script) : script_(std::move(script)) {}

  void SetUp() override {
    if (witness_.ask("python3 -c ''").code != 0) {
      GTEST_SKIP() << "python3 does not run here: the framing has no second witness";
    }
  }

  void run(const std::string& arguments) const {
    (void)witness_.output_of("python3 '" PARLEY_SOURCE_DIR "/parley/wire/" + script_ + "' " +
                             arguments);
  }

  const std::string script_;
  parley::testing::Witness witness_;
};

}  // namespace parley::wire::testing
