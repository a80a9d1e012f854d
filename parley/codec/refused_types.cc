// Types that codec refuses, one per value of CASE. Never part of a program: CMakeLists.txt has the
// compiler look at each and matches the sentence it must say.
#include <chrono>
#include <memory>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "parley/codec/hot.h"
#include "parley/codec/signature.h"
#include "parley/codec/type.h"

struct Point {
  int x;
};
class Closed {
 public:
  int visible = 0;

 private:
  int hidden_ = 0;
};

#if CASE == 1
struct Subject {
  int a;
  const int& reference;
};
#elif CASE == 2
struct Subject {
  int& reference;
};
#elif CASE == 3
struct Subject {
  unsigned low : 3;
  unsigned high : 5;
};
#elif CASE == 4
struct Subject {
  int a;
  union {
    int b;
    float c;
  };
};
#elif CASE == 5
struct Subject : Point {
  int y;
};
#elif CASE == 6
using Subject = std::vector<Closed>;
#elif CASE == 7
struct Subject {
  char letter;
};
#elif CASE == 8
struct Subject {
  std::vector<int*> pointers;
};
#elif CASE == 9
struct Subject {
  std::unique_ptr<int[]> numbers;
};
#elif CASE == 10
using Subject = std::variant<std::vector<int>, std::vector<bool>>;
#elif CASE == 11
using Subject = std::map<double, int>;
#elif CASE == 12
using Subject = std::optional<std::optional<int>>;
#elif CASE == 13
struct Subject {
  const int fixed = 1;
};
#elif CASE == 14
struct Subject {
  std::chrono::steady_clock::time_point since;
};
#elif CASE == 15
struct Subject {
  Point a[2000];
};
#elif CASE == 16
using Subject = long double;
#elif CASE == 17
struct Subject {
  virtual ~Subject() = default;
  int a = 0;
};
#elif CASE == 18
struct Subject {
  std::nullptr_t nothing;
};
#elif CASE == 19
enum class Answer : bool { no, yes };
struct Subject {
  Answer answer;
};
#elif CASE == 20
struct Subject {
  int a;
};
template <>
inline constexpr auto parley::fields<Subject> = parley::codec::field_rules<Subject>(
    parley::codec::property<[](const Subject& s) { return s.a; },
                            [](Subject& s, int a) { s.a = a; }>("twin"));
#elif CASE == 21
using Subject = std::tuple<int, int>;
const parley::codec::Type& arguments = parley::codec::arguments_type<Subject, "a">();
#elif CASE == 22
struct Subject {
  std::variant<std::monostate, int> choice;
};
template <>
inline constexpr auto parley::fields<Subject> = parley::codec::field_table<Subject>(
    parley::codec::field<&Subject::choice>().oneof({{}, {"", 7}}));
#elif CASE == 23
struct Subject {
  std::string value;
};
template <>
inline constexpr auto parley::fields<Subject> =
    parley::codec::field_rules<Subject>(parley::codec::field<&Subject::value>().range(1, 5));
#elif CASE == 24
struct Subject {
  int value;
};
template <>
inline constexpr auto parley::fields<Subject> =
    parley::codec::field_rules<Subject>(parley::codec::field<&Subject::value>().matches("^a$"));
#elif CASE == 25
struct Subject {
  std::vector<std::byte> value;
};
template <>
inline constexpr auto parley::fields<Subject> =
    parley::codec::field_rules<Subject>(parley::codec::field<&Subject::value>().characters(1, 5));
#elif CASE == 26
struct Subject {
  std::vector<int> value;
};
template <>
inline constexpr auto parley::fields<Subject> =
    parley::codec::field_rules<Subject>(parley::codec::field<&Subject::value>().bytes(1, 5));
#elif CASE == 27
struct Subject {
  std::string value;
};
template <>
inline constexpr auto parley::fields<Subject> =
    parley::codec::field_rules<Subject>(parley::codec::field<&Subject::value>().elements(1, 5));
#elif CASE == 28
struct Subject {
  Point value;
};
template <>
inline constexpr auto parley::fields<Subject> =
    parley::codec::field_rules<Subject>(parley::codec::field<&Subject::value>().non_zero());
#elif CASE == 29
struct Subject {
  std::vector<Point> value;
};
template <>
inline constexpr auto parley::fields<Subject> =
    parley::codec::field_rules<Subject>(parley::codec::field<&Subject::value>().from_query());
#elif CASE == 30
struct Subject {
  int value;
};
template <>
inline constexpr auto parley::fields<Subject> =
    parley::codec::field_rules<Subject>(parley::codec::field<&Subject::value>().range(0.5, 5));
#elif CASE == 31
struct Subject {
  float value;
};
template <>
inline constexpr auto parley::fields<Subject> =
    parley::codec::field_rules<Subject>(parley::codec::field<&Subject::value>().range(1L, 5.0));
#elif CASE == 32
struct Subject {
  Point value;
};
template <>
inline constexpr auto parley::fields<Subject> =
    parley::codec::field_rules<Subject>(parley::codec::field<&Subject::value>().flatten());
template <>
inline constexpr bool parley::is_hot<Subject> = true;
#elif CASE == 33
struct Subject {
  parley::codec::UnknownFields others;
};
template <>
inline constexpr bool parley::is_hot<Subject> = true;
#elif CASE == 34
struct Subject {
  int value;
};
template <>
inline constexpr auto parley::fields<Subject> =
    parley::codec::field_table<Subject>(parley::codec::field<&Subject::value>("value"));
template <>
inline constexpr bool parley::is_hot<Subject> = true;
#elif CASE == 35
struct Subject {
  int value;
};
template <>
inline constexpr auto parley::fields<Subject> =
    parley::codec::field_rules<Subject>(parley::codec::field<&Subject::value>().named("a\"b"));
template <>
inline constexpr bool parley::is_hot<Subject> = true;
#elif CASE == 36
struct Inner {
  int value;
};
template <>
struct parley::Representation<Inner> {
  static int encode(const Inner& inner) { return inner.value; }
  static Status decode(int as, Inner& inner) {
    inner.value = as;
    return {};
  }
};
struct Subject {
  Inner inner;
};
template <>
inline constexpr bool parley::is_hot<Inner> = true;
template <>
inline constexpr bool parley::is_hot<Subject> = true;
#elif CASE == 37
struct Subject {
  std::variant<std::unique_ptr<Subject>, int> value;
};
template <>
inline constexpr auto parley::fields<Subject> = parley::codec::field_rules<Subject>(
    parley::codec::field<&Subject::value>().oneof({{"sub", 1}, {"number", 2}}));
#elif CASE == 38
struct Subject {
  int a;
};
template <>
inline constexpr auto parley::fields<Subject> = parley::codec::field_table<Subject>(
    parley::codec::property<[](const Subject& s) { return s.a; },
                            [](Subject& s, long a) { s.a = static_cast<int>(a); }>("wide"));
#elif CASE == 39
enum class Colour { red };
template <>
struct parley::Representation<Colour> {
  static std::string encode(Colour) { return "red"; }
  static Status decode(const std::string&, Colour& colour) {
    colour = Colour::red;
    return {};
  }
};
struct Subject {
  std::map<Colour, int> value;
};
#elif CASE == 40
struct Consumed {
  int take(int count) &&;
};
using Subject = parley::codec::Signature<decltype(&Consumed::take)>::Parameters;
#endif

parley::codec::Kind probe() {
  const parley::codec::Type& type = parley::codec::type_of<Subject>();
  return type.kind == parley::codec::Kind::structure ? type.members().fields()[0].type->kind
                                                     : type.kind;
}
