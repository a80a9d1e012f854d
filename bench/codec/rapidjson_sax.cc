// RapidJSON's Reader, whose events a state machine written by hand puts straight into the structs:
// no tree in between. It takes members in any order, skips those it does not know, and reuses what
// memory the object has.
#include <rapidjson/error/en.h>

#include <array>
#include <limits>

#include "json.h"
#include "rapidjson.h"

namespace parley::bench {
namespace {

// What the next value goes into, and what is open around it.
enum class Kind : std::uint8_t {
  skip,  // a value nobody wants
  flag,
  int32,
  int64,
  real,
  text,
  optional_text,
  // objects
  args,
  address,
  line,
  order,
  product,
  catalogue,
  doubles,
  texts,
  text_map,
  // arrays
  int32_list,
  real_list,
  text_list,
  line_list,
  product_list,
};

struct Place {
  Kind kind;
  void* at;
};

Place place_of(bool& to) { return {Kind::flag, &to}; }
Place place_of(std::int32_t& to) { return {Kind::int32, &to}; }
Place place_of(std::int64_t& to) { return {Kind::int64, &to}; }
Place place_of(double& to) { return {Kind::real, &to}; }
Place place_of(std::string& to) { return {Kind::text, &to}; }
Place place_of(std::optional<std::string>& to) { return {Kind::optional_text, &to}; }
Place place_of(Args& to) { return {Kind::args, &to}; }
Place place_of(Address& to) { return {Kind::address, &to}; }
Place place_of(Line& to) { return {Kind::line, &to}; }
Place place_of(Order& to) { return {Kind::order, &to}; }
Place place_of(Product& to) { return {Kind::product, &to}; }
Place place_of(Catalogue& to) { return {Kind::catalogue, &to}; }
Place place_of(Doubles& to) { return {Kind::doubles, &to}; }
Place place_of(Texts& to) { return {Kind::texts, &to}; }
Place place_of(std::map<std::string, std::string>& to) { return {Kind::text_map, &to}; }
Place place_of(std::vector<std::int32_t>& to) { return {Kind::int32_list, &to}; }
Place place_of(std::vector<double>& to) { return {Kind::real_list, &to}; }
Place place_of(std::vector<std::string>& to) { return {Kind::text_list, &to}; }
Place place_of(std::vector<Line>& to) { return {Kind::line_list, &to}; }
Place place_of(std::vector<Product>& to) { return {Kind::product_list, &to}; }

// A member of a struct, and its bit in the set of those that came.
struct Member {
  Place place;
  std::uint32_t bit;
};

template <class T>
Member nth(unsigned n, T& member) {
  return {place_of(member), 1U << n};
}
constexpr Member unknown{{Kind::skip, nullptr}, 0};

Member member_of(Args& to, std::string_view name) {
  if (name == "account") return nth(0, to.account);
  if (name == "reference") return nth(1, to.reference);
  if (name == "amount") return nth(2, to.amount);
  if (name == "urgent") return nth(3, to.urgent);
  if (name == "lines") return nth(4, to.lines);
  return unknown;
}

Member member_of(Address& to, std::string_view name) {
  if (name == "name") return nth(0, to.name);
  if (name == "street") return nth(1, to.street);
  if (name == "city") return nth(2, to.city);
  if (name == "postcode") return nth(3, to.postcode);
  if (name == "country") return nth(4, to.country);
  return unknown;
}

Member member_of(Line& to, std::string_view name) {
  if (name == "sku") return nth(0, to.sku);
  if (name == "name") return nth(1, to.name);
  if (name == "price") return nth(2, to.price);
  if (name == "quantity") return nth(3, to.quantity);
  if (name == "gift") return nth(4, to.gift);
  if (name == "labels") return nth(5, to.labels);
  return unknown;
}

Member member_of(Order& to, std::string_view name) {
  if (name == "id") return nth(0, to.id);
  if (name == "customer") return nth(1, to.customer);
  if (name == "ship_to") return nth(2, to.ship_to);
  if (name == "bill_to") return nth(3, to.bill_to);
  if (name == "lines") return nth(4, to.lines);
  if (name == "notes") return nth(5, to.notes);
  if (name == "coupon") return nth(6, to.coupon);
  if (name == "total") return nth(7, to.total);
  if (name == "placed_at") return nth(8, to.placed_at);
  return unknown;
}

// The longest of the hot ones: by length first.
Member member_of(Product& to, std::string_view name) {
  switch (name.size()) {
    case 3:
      if (name == "sku") return nth(0, to.sku);
      break;
    case 4:
      if (name == "name") return nth(1, to.name);
      if (name == "tags") return nth(7, to.tags);
      break;
    case 5:
      if (name == "price") return nth(3, to.price);
      if (name == "stock") return nth(5, to.stock);
      break;
    case 6:
      if (name == "rating") return nth(4, to.rating);
      if (name == "listed") return nth(6, to.listed);
      break;
    case 11:
      if (name == "description") return nth(2, to.description);
      break;
    default:
      break;
  }
  return unknown;
}

Member member_of(Catalogue& to, std::string_view name) {
  if (name == "name") return nth(0, to.name);
  if (name == "version") return nth(1, to.version);
  if (name == "products") return nth(2, to.products);
  return unknown;
}

Member member_of(Doubles& to, std::string_view name) {
  return name == "values" ? nth(0, to.values) : unknown;
}
Member member_of(Texts& to, std::string_view name) {
  return name == "values" ? nth(0, to.values) : unknown;
}

// Makes the members that did not come as they are in a new object.
template <class T>
bool finish(void* at, std::uint32_t came) {
  if (came == (1U << codec::field_count<T>)-1) return true;
  codec::for_each_field(*static_cast<T*>(at), [&came](std::string_view, auto& member) {
    if ((came & 1) == 0) member = {};
    came >>= 1;
  });
  return true;
}

template <class T>
T& as(Place place) {
  return *static_cast<T*>(place.at);
}

// Each event is false when its value does not fit where it would have to go.
class Handler {
 public:
  explicit Handler(Place root) : target_(root) {}

  // NOLINTBEGIN(readability-identifier-naming): the names are RapidJSON's.
  bool Null() {
    if (target_.kind == Kind::optional_text) as<std::optional<std::string>>(target_).reset();
    return target_.kind == Kind::optional_text || target_.kind == Kind::skip;
  }

  bool Bool(bool value) {
    if (target_.kind == Kind::flag) as<bool>(target_) = value;
    return target_.kind == Kind::flag || target_.kind == Kind::skip;
  }

  bool Int(int value) { return Int64(value); }
  bool Uint(unsigned value) { return Int64(value); }

  bool Int64(std::int64_t value) {
    switch (target_.kind) {
      case Kind::int64:
        as<std::int64_t>(target_) = value;
        return true;
      case Kind::int32:
        as<std::int32_t>(target_) = static_cast<std::int32_t>(value);
        return static_cast<std::int32_t>(value) == value;
      case Kind::int32_list:
        next<std::int32_t>() = static_cast<std::int32_t>(value);
        return static_cast<std::int32_t>(value) == value;
      default:
        return Double(static_cast<double>(value));
    }
  }

  bool Uint64(std::uint64_t value) {
    constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
    return value <= most ? Int64(static_cast<std::int64_t>(value))
                         : Double(static_cast<double>(value));
  }

  bool Double(double value) {
    switch (target_.kind) {
      case Kind::real:
        as<double>(target_) = value;
        return true;
      case Kind::real_list:
        next<double>() = value;
        return true;
      default:
        return target_.kind == Kind::skip;
    }
  }

  // Only with kParseNumbersAsStringsFlag, which is not set.
  static bool RawNumber(const char*, rapidjson::SizeType, bool) { return false; }

  bool String(const char* text, rapidjson::SizeType size, bool) {
    switch (target_.kind) {
      case Kind::text:
        as<std::string>(target_).assign(text, size);
        return true;
      case Kind::text_list:
        next<std::string>().assign(text, size);
        return true;
      case Kind::optional_text: {
        auto& to = as<std::optional<std::string>>(target_);
        if (!to) to.emplace();
        to->assign(text, size);
        return true;
      }
      default:
        return target_.kind == Kind::skip;
    }
  }

  bool StartObject() {
    switch (target_.kind) {
      case Kind::line_list:
        return open(place_of(next<Line>()));
      case Kind::product_list:
        return open(place_of(next<Product>()));
      case Kind::text_map:
        as<std::map<std::string, std::string>>(target_).clear();
        return open(target_);
      default:
        return is_struct(target_.kind) && open(target_);
    }
  }

  bool Key(const char* text, rapidjson::SizeType size, bool) {
    const std::string_view name(text, size);
    const Place object = open_.place;
    switch (object.kind) {
      case Kind::args:
        return expect(member_of(as<Args>(object), name));
      case Kind::address:
        return expect(member_of(as<Address>(object), name));
      case Kind::line:
        return expect(member_of(as<Line>(object), name));
      case Kind::order:
        return expect(member_of(as<Order>(object), name));
      case Kind::product:
        return expect(member_of(as<Product>(object), name));
      case Kind::catalogue:
        return expect(member_of(as<Catalogue>(object), name));
      case Kind::doubles:
        return expect(member_of(as<Doubles>(object), name));
      case Kind::texts:
        return expect(member_of(as<Texts>(object), name));
      case Kind::text_map:
        target_ = place_of(as<std::map<std::string, std::string>>(object)[std::string(name)]);
        return true;
      default:
        target_ = unknown.place;
        return true;
    }
  }

  bool EndObject(rapidjson::SizeType) {
    const bool good = finish_object(open_.place, open_.came);
    close();
    return good;
  }

  bool StartArray() {
    return (target_.kind >= Kind::int32_list || target_.kind == Kind::skip) && open(target_);
  }

  bool EndArray(rapidjson::SizeType count) {
    switch (open_.place.kind) {
      case Kind::int32_list:
        as<std::vector<std::int32_t>>(open_.place).resize(count);
        break;
      case Kind::real_list:
        as<std::vector<double>>(open_.place).resize(count);
        break;
      case Kind::text_list:
        as<std::vector<std::string>>(open_.place).resize(count);
        break;
      case Kind::line_list:
        as<std::vector<Line>>(open_.place).resize(count);
        break;
      case Kind::product_list:
        as<std::vector<Product>>(open_.place).resize(count);
        break;
      default:
        break;
    }
    close();
    return true;
  }
  // NOLINTEND(readability-identifier-naming)

 private:
  struct Open {
    Place place{Kind::skip, nullptr};
    std::uint32_t came = 0;   // of a struct: the members so far
    std::uint32_t count = 0;  // of an array: the elements so far
  };

  static bool is_struct(Kind kind) {
    return kind <= Kind::texts && (kind >= Kind::args || kind == Kind::skip);
  }

  static bool finish_object(Place object, std::uint32_t came) {
    switch (object.kind) {
      case Kind::args:
        return finish<Args>(object.at, came);
      case Kind::address:
        return finish<Address>(object.at, came);
      case Kind::line:
        return finish<Line>(object.at, came);
      case Kind::order:
        return finish<Order>(object.at, came);
      case Kind::product:
        return finish<Product>(object.at, came);
      case Kind::catalogue:
        return finish<Catalogue>(object.at, came);
      case Kind::doubles:
        return finish<Doubles>(object.at, came);
      case Kind::texts:
        return finish<Texts>(object.at, came);
      default:
        return true;
    }
  }

  // The next element of the array that is open: an old one while there are some.
  template <class T>
  T& next() {
    auto& list = as<std::vector<T>>(target_);
    const std::size_t index = open_.count++;
    return index < list.size() ? list[index] : list.emplace_back();
  }

  bool expect(Member member) {
    if ((open_.came & member.bit) != 0) return false;  // it came before
    open_.came |= member.bit;
    target_ = member.place;
    return true;
  }

  bool open(Place place) {
    if (depth_ == around_.size()) return false;
    around_[depth_++] = open_;
    open_ = {.place = place};
    target_ = place;
    return true;
  }

  // In an array the next value goes where this one went; in an object a key comes first.
  void close() {
    open_ = around_[--depth_];
    target_ = open_.place;
  }

  Place target_;
  Open open_;
  std::array<Open, 64> around_;
  std::size_t depth_ = 0;
};

template <unsigned flags>
class Reused {
 public:
  using Input = std::string;

  template <class T>
  Status decode(const std::string& text, T& object) {
    if constexpr ((flags & rapidjson::kParseValidateEncodingFlag) == 0) {
      if (!is_utf8(text)) return {Code::invalid_argument, "simdjson: not UTF-8"};
    }
    rapidjson::StringStream stream(text.c_str());
    Handler handler(place_of(object));
    const rapidjson::ParseResult result = reader_.template Parse<flags>(stream, handler);
    if (!result.IsError()) return {};
    return {Code::invalid_argument,
            std::string("RapidJSON's Reader: ") + rapidjson::GetParseError_En(result.Code())};
  }

 private:
  rapidjson::Reader reader_;
};

// A reader for each text.
template <unsigned flags>
struct Fresh {
  using Input = std::string;

  template <class T>
  Status decode(const std::string& text, T& object) {
    return Reused<flags>().decode(text, object);
  }
};

}  // namespace

void add_rapidjson_sax(Table& table) {
  add_json_decoder<Fresh<parse_flags>, Reused<parse_flags>>(table, "rapidjson_sax");
  add_json_decoder<Fresh<prechecked_parse_flags>, Reused<prechecked_parse_flags>>(
      table, "rapidjson_sax_prechecked");
}

void add_rapidjson(Table& table) {
  for (const char* name :
       {"rapidjson", "rapidjson_validating", "rapidjson_sax", "rapidjson_sax_prechecked"}) {
    table.versions[name] = RAPIDJSON_VERSION_STRING;
  }
  add_rapidjson_writer(table);
  add_rapidjson_dom(table);
  add_rapidjson_sax(table);
}

}  // namespace parley::bench
