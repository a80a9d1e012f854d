// Names in one message of a .proto file.
#pragma once

#include <cctype>
#include <set>
#include <string>
#include <string_view>

namespace parley::codec::impl {

// The names in one message. Also as JSON has them, without underscores, no two may be alike.
class ProtoNames {
 public:
  std::string take(const std::string& wanted) {
    std::string name = wanted;
    for (int number = 2; !taken_.insert(plain(name)).second; ++number) {
      name = wanted + std::to_string(number);
    }
    return name;
  }

 private:
  static std::string plain(std::string_view name) {
    std::string out;
    for (const char c : name) {
      if (c != '_') out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    return out;
  }

  std::set<std::string> taken_;
};

}  // namespace parley::codec::impl
