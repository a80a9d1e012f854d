#include "parley/cli/version.h"

#include <gtest/gtest.h>

#include "parley/codec/json.h"

namespace parley::cli {
namespace {

struct Version {
  std::string version;
  std::string revision;
  std::string compiler;
  std::string build_type;
};

TEST(Version, is_one_line_for_people) {
  const std::string text = version_text();
  EXPECT_TRUE(text.starts_with("parley ")) << text;
  EXPECT_EQ(text.find('\n'), text.size() - 1);
}

TEST(Version, is_json_with_stable_keys_for_programs) {
  const std::string text = version_json();
  const auto version = codec::decode_json<Version>(text);
  ASSERT_TRUE(version) << version.error();
  EXPECT_FALSE(version->version.empty());
  EXPECT_FALSE(version->compiler.empty());
  EXPECT_NE(version_text().find(version->version), std::string::npos);
}

}  // namespace
}  // namespace parley::cli
