// A struct with a member of every type codec knows, and random values of it: for tests and fuzzing.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "parley/codec/type.h"

namespace parley::codec::testing {

struct Point {
  double x = 0;
  float y = 0;
  friend bool operator==(const Point&, const Point&) = default;
};

struct Tree {
  std::string name;
  std::vector<Tree> kids;
  friend bool operator==(const Tree&, const Tree&) = default;
};

struct Sample {
  bool flag = true;
  std::int8_t i8 = 0;
  std::int16_t i16 = 0;
  std::int32_t i32 = 7;
  std::int64_t i64 = 0;
  std::uint8_t u8 = 0;
  std::uint16_t u16 = 0;
  std::uint32_t u32 = 0;
  std::uint64_t u64 = 0;
  float f32 = 0;
  double f64 = 1.5;
  std::string text = "default";
  std::vector<std::int32_t> numbers;
  std::vector<bool> bits;
  std::vector<std::string> texts;
  std::array<std::uint16_t, 3> triple = {1, 2, 3};
  std::int16_t grid[2][2] = {{1, 2}, {3, 4}};
  std::optional<std::string> maybe_text;
  std::optional<Point> maybe_point;
  std::map<std::string, std::int64_t> stock;
  std::unordered_map<std::string, std::vector<double>> series;
  std::pair<std::int32_t, std::string> both;
  std::tuple<bool, double, std::optional<std::string>> three;
  std::vector<Point> points;
  std::map<std::string, Tree> forest;
  Json anything;
  friend bool operator==(const Sample&, const Sample&) = default;
};

// Makes random values. The same seed makes the same values.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}

  // 0 .. count - 1.
  std::size_t below(std::size_t count) { return static_cast<std::size_t>(engine_() % count); }

  // Often short in digits, often at a limit, sometimes any.
  template <class T>
  T integer() {
    switch (below(4)) {
      case 0:
        return static_cast<T>(below(10));
      case 1:
        return std::numeric_limits<T>::max();
      case 2:
        return std::numeric_limits<T>::min();
      default:
        return static_cast<T>(engine_());
    }
  }

  // Finite: any bits, decimals, integers, -0.
  double real() {
    switch (below(4)) {
      case 0:
        return std::ldexp(static_cast<double>(below(1000)), static_cast<int>(below(100)) - 50);
      case 1:
        return static_cast<double>(integer<std::int32_t>()) / 1000;
      case 2:
        return below(2) == 0 ? -0.0 : static_cast<double>(integer<std::int64_t>());
      default: {
        const double any = std::bit_cast<double>(engine_());
        return std::isfinite(any) ? any : 0;
      }
    }
  }

  float real32() {
    const float any = std::bit_cast<float>(static_cast<std::uint32_t>(engine_()));
    return below(2) == 0 || !std::isfinite(any) ? static_cast<float>(below(1000)) / 8 : any;
  }

  // UTF-8 with all lengths of characters, controls, quotes and backslashes.
  std::string text() {
    static constexpr std::string_view pieces[] = {"a",
                                                  "tea ",
                                                  "\"",
                                                  "\\",
                                                  "/",
                                                  "\n",
                                                  "\t",
                                                  "\x01",
                                                  "\x1f",
                                                  "\x7f",
                                                  "é",
                                                  "ß",
                                                  "€",
                                                  "水",
                                                  "\xF0\x9F\x8D\xB5",
                                                  "\xEF\xBF\xBF",
                                                  "0123456789abcdef",
                                                  "long enough to leave the string "};
    std::string out;
    for (std::size_t left = below(8); left > 0; --left) out += pieces[below(std::size(pieces))];
    if (below(8) == 0) out += '\0';
    return out;
  }

  Tree tree(std::size_t depth) {
    Tree made{.name = text(), .kids = {}};
    if (depth == 0) return made;
    for (std::size_t left = below(3); left > 0; --left) made.kids.push_back(tree(depth - 1));
    return made;
  }

  Sample sample();

 private:
  std::mt19937_64 engine_;
};

inline Sample Dice::sample() {
  Sample s;
  s.flag = below(2) == 0;
  s.i8 = integer<std::int8_t>();
  s.i16 = integer<std::int16_t>();
  s.i32 = integer<std::int32_t>();
  s.i64 = integer<std::int64_t>();
  s.u8 = integer<std::uint8_t>();
  s.u16 = integer<std::uint16_t>();
  s.u32 = integer<std::uint32_t>();
  s.u64 = integer<std::uint64_t>();
  s.f32 = real32();
  s.f64 = real();
  s.text = text();
  for (std::size_t i = below(6); i > 0; --i) s.numbers.push_back(integer<std::int32_t>());
  for (std::size_t i = below(20); i > 0; --i) s.bits.push_back(below(2) == 0);
  for (std::size_t i = below(4); i > 0; --i) s.texts.push_back(text());
  for (auto& number : s.triple) number = integer<std::uint16_t>();
  for (auto& row : s.grid) row[below(2)] = integer<std::int16_t>();
  if (below(2) == 0) s.maybe_text = text();
  if (below(2) == 0) s.maybe_point = Point{.x = real(), .y = real32()};
  for (std::size_t i = below(4); i > 0; --i) s.stock[text()] = integer<std::int64_t>();
  for (std::size_t i = below(4); i > 0; --i) s.series[text()] = {real(), real()};
  s.both = {integer<std::int32_t>(), text()};
  s.three = {below(2) == 0, real(), std::nullopt};
  if (below(2) == 0) std::get<2>(s.three) = text();
  for (std::size_t i = below(4); i > 0; --i) s.points.push_back({.x = real(), .y = real32()});
  for (std::size_t i = below(3); i > 0; --i) s.forest[text()] = tree(3);
  static constexpr std::string_view any[] = {"null",  "17",  "[1, {\"a\":\"\\u00e9\"}]",
                                             "\"x\"", "{ }", "-0.0e+1"};
  s.anything.text = any[below(std::size(any))];
  return s;
}

}  // namespace parley::codec::testing
