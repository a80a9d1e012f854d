// RapidJSON's DOM, read into the structs by hand.
#include <rapidjson/document.h>
#include <rapidjson/error/en.h>

#include "json.h"
#include "rapidjson.h"

namespace parley::bench {
namespace {

using Value = rapidjson::Value;
using Pool = rapidjson::MemoryPoolAllocator<>;

// Each read() is false when the value is of another type or does not fit.
bool read(const Value& from, std::string& to) {
  if (!from.IsString()) return false;
  to.assign(from.GetString(), from.GetStringLength());
  return true;
}
bool read(const Value& from, double& to) {
  if (!from.IsNumber()) return false;
  to = from.GetDouble();
  return true;
}
bool read(const Value& from, bool& to) {
  if (!from.IsBool()) return false;
  to = from.GetBool();
  return true;
}
bool read(const Value& from, std::int64_t& to) {
  if (!from.IsInt64()) return false;
  to = from.GetInt64();
  return true;
}
bool read(const Value& from, std::int32_t& to) {
  if (!from.IsInt()) return false;
  to = from.GetInt();
  return true;
}
bool read(const Value& from, std::map<std::string, std::string>& to);
bool read(const Value& from, Address& to);
bool read(const Value& from, Line& to);
bool read(const Value& from, Product& to);

template <class T>
bool read(const Value& from, std::optional<T>& to) {
  if (from.IsNull()) return to.reset(), true;
  if (!to) to.emplace();
  return read(from, *to);
}

template <class T>
bool read(const Value& from, std::vector<T>& to) {
  if (!from.IsArray()) return false;
  to.resize(from.Size());
  const Value* value = from.Begin();
  for (T& one : to) {
    if (!read(*value++, one)) return false;
  }
  return true;
}

bool read(const Value& from, std::map<std::string, std::string>& to) {
  if (!from.IsObject()) return false;
  to.clear();
  for (auto at = from.MemberBegin(); at != from.MemberEnd(); ++at) {
    std::string key(at->name.GetString(), at->name.GetStringLength());
    if (!read(at->value, to[std::move(key)])) return false;
  }
  return true;
}

// The members of an object, quickest when asked for in the order in which they come.
class Members {
 public:
  explicit Members(const Value& object)
      : at_(object.MemberBegin()), begin_(at_), end_(object.MemberEnd()) {}

  // What is absent becomes as in a new object.
  template <class T>
  bool get(std::string_view name, T& to) {
    if (at_ == end_ || name_of(*at_) != name) {
      at_ = begin_;
      while (at_ != end_ && name_of(*at_) != name) ++at_;
      if (at_ == end_) {
        to = T{};
        return true;
      }
    }
    return read((at_++)->value, to);
  }

 private:
  static std::string_view name_of(const Value::Member& member) {
    return {member.name.GetString(), member.name.GetStringLength()};
  }

  Value::ConstMemberIterator at_;
  Value::ConstMemberIterator begin_;
  Value::ConstMemberIterator end_;
};

bool read(const Value& from, Args& to) {
  if (!from.IsObject()) return false;
  Members members(from);
  return members.get("account", to.account) && members.get("reference", to.reference) &&
         members.get("amount", to.amount) && members.get("urgent", to.urgent) &&
         members.get("lines", to.lines);
}

bool read(const Value& from, Address& to) {
  if (!from.IsObject()) return false;
  Members members(from);
  return members.get("name", to.name) && members.get("street", to.street) &&
         members.get("city", to.city) && members.get("postcode", to.postcode) &&
         members.get("country", to.country);
}

bool read(const Value& from, Line& to) {
  if (!from.IsObject()) return false;
  Members members(from);
  return members.get("sku", to.sku) && members.get("name", to.name) &&
         members.get("price", to.price) && members.get("quantity", to.quantity) &&
         members.get("gift", to.gift) && members.get("labels", to.labels);
}

bool read(const Value& from, Order& to) {
  if (!from.IsObject()) return false;
  Members members(from);
  return members.get("id", to.id) && members.get("customer", to.customer) &&
         members.get("ship_to", to.ship_to) && members.get("bill_to", to.bill_to) &&
         members.get("lines", to.lines) && members.get("notes", to.notes) &&
         members.get("coupon", to.coupon) && members.get("total", to.total) &&
         members.get("placed_at", to.placed_at);
}

bool read(const Value& from, Product& to) {
  if (!from.IsObject()) return false;
  Members members(from);
  return members.get("sku", to.sku) && members.get("name", to.name) &&
         members.get("description", to.description) && members.get("price", to.price) &&
         members.get("rating", to.rating) && members.get("stock", to.stock) &&
         members.get("listed", to.listed) && members.get("tags", to.tags);
}

bool read(const Value& from, Catalogue& to) {
  if (!from.IsObject()) return false;
  Members members(from);
  return members.get("name", to.name) && members.get("version", to.version) &&
         members.get("products", to.products);
}

bool read(const Value& from, Doubles& to) {
  return from.IsObject() && Members(from).get("values", to.values);
}
bool read(const Value& from, Texts& to) {
  return from.IsObject() && Members(from).get("values", to.values);
}

// The document parsed from `text`, read into `object`.
template <class Document, class T>
Status read_parsed(Document& document, const std::string& text, T& object) {
  document.template Parse<parse_flags>(text.c_str());
  if (document.HasParseError()) {
    return {Code::invalid_argument, std::string("RapidJSON's DOM: ") +
                                        rapidjson::GetParseError_En(document.GetParseError())};
  }
  if (read(document, object)) return {};
  return {Code::invalid_argument, "RapidJSON's DOM has a value of another type"};
}

// A document for each text.
struct Fresh {
  using Input = std::string;

  template <class T>
  Status decode(const std::string& text, T& object) {
    rapidjson::Document document;
    return read_parsed(document, text, object);
  }
};

// Documents that live in one memory, as RapidJSON's guide has it for those who parse often. A pool
// keeps over Clear() only what was given to it; so it is given what a text needs at most (a value
// of 16 bytes for each two bytes of text, and the text).
class Pooled {
 public:
  using Input = std::string;

  template <class T>
  Status decode(const std::string& text, T& object) {
    const std::size_t needed = text.size() * 10 + 1024;
    if (needed > values_.size()) {
      values_.resize(needed);
      stack_.resize(needed);
    }
    Pool values(values_.data(), values_.size());
    Pool stack(stack_.data(), stack_.size());
    rapidjson::GenericDocument<rapidjson::UTF8<>, Pool, Pool> document(&values, text.size(),
                                                                       &stack);
    return read_parsed(document, text, object);
  }

 private:
  std::vector<char> values_;
  std::vector<char> stack_;
};

}  // namespace

void add_rapidjson_dom(Table& table) { add_json_decoder<Fresh, Pooled>(table, "rapidjson"); }

}  // namespace parley::bench
