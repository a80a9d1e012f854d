// Exchanges messages with raw_reference.py, which was written from the document and shares no code.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "parley/wire/raw_framing.h"
#include "parley/wire/status_code.h"
#include "parley/wire/testing/random_message.h"

namespace parley::wire {
namespace {

constexpr int message_count = 500;

std::string hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    text += digits[static_cast<unsigned char>(c) >> 4U];
    text += digits[static_cast<unsigned char>(c) & 15U];
  }
  return text;
}

std::string hex_or_dash(std::string_view bytes) { return bytes.empty() ? "-" : hex(bytes); }

// The line raw_reference.py writes for the same message.
std::string line_of(const Message& message) {
  std::string metadata;
  for (const auto& [key, value] : message.metadata) {
    metadata += (metadata.empty() ? "" : ",") + hex(key) + ":" + hex(value);
  }
  return std::to_string(message.seq) + " " + std::to_string(static_cast<int>(message.type)) + " " +
         hex_or_dash(message.method) + " " + std::to_string(raw_number(message.status)) + " " +
         hex_or_dash(message.status.message()) + " " + hex_or_dash(message.status.cause()) + " " +
         std::to_string(static_cast<unsigned char>(message.body_codec)) + " " +
         hex_or_dash(message.body.to_string()) + " " + (metadata.empty() ? "-" : metadata) + "\n";
}

class RawReference : public ::testing::Test {
 protected:
  void SetUp() override {
    if (std::system("python3 -c '' >/dev/null 2>&1") != 0) {
      GTEST_SKIP() << "python3 does not run here: the raw framing has no second witness";
    }
    std::string pattern = (std::filesystem::temp_directory_path() / "parley-raw-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override {
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }

  [[nodiscard]] std::string path(const std::string& name) const { return folder_ / name; }

  void write(const std::string& name, const std::string& content) const {
    std::ofstream(path(name), std::ios::binary) << content;
  }
  [[nodiscard]] std::string read(const std::string& name) const {
    std::ifstream file(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

  static void run(const std::string& arguments) {
    const std::string command =
        "python3 '" PARLEY_SOURCE_DIR "/parley/wire/raw_reference.py' " + arguments;
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
  }

 private:
  std::filesystem::path folder_;
};

TEST_F(RawReference, reads_and_writes_what_we_write) {
  testing::Random random(41);
  std::string frames;
  std::string lines;
  for (int i = 0; i < message_count; ++i) {
    const Message message = testing::random_message(random);
    ASSERT_TRUE(RawFraming().encode(message, frames).is_ok());
    lines += line_of(message);
  }
  write("frames", frames);
  run("decode " + path("frames") + " " + path("lines"));
  EXPECT_TRUE(read("lines") == lines) << "the reference reads other messages than we wrote";
  run("encode " + path("lines") + " " + path("frames-back"));
  EXPECT_TRUE(read("frames-back") == frames) << "the reference writes other bytes than we did";
}

TEST_F(RawReference, is_read_by_us_whatever_freedom_it_takes) {
  for (int seed = 1; seed <= 3; ++seed) {
    run("generate " + std::to_string(seed) + " " + std::to_string(message_count) + " " +
        path("frames") + " " + path("lines"));
    RawDecoder decoder;
    decoder.feed(read("frames"));
    std::string lines;
    for (int i = 0; i < message_count; ++i) {
      auto next = decoder.next();
      ASSERT_TRUE(next && next->has_value()) << next.error();
      lines += line_of(**next);
    }
    EXPECT_EQ(decoder.buffered(), 0u);
    EXPECT_TRUE(lines == read("lines")) << "we read other messages than the reference wrote";
  }
}

}  // namespace
}  // namespace parley::wire
