// simdjson's on-demand parser, read into the structs by hand: members asked for in the order in
// which they come, and in any order when one is not there. Its parser is kept and its input padded
// before timing, as its documentation advises. Its first pass picks its instructions at run time,
// what is in its header those of the compiler's flags.
#include <simdjson.h>

#include <utility>

#include "json.h"

namespace parley::bench {
namespace {

namespace ondemand = simdjson::ondemand;
using simdjson::error_code;
using simdjson::SUCCESS;

error_code read(ondemand::value from, std::string& to) {
  std::string_view text;
  const error_code error = from.get_string().get(text);
  if (error == SUCCESS) to.assign(text);
  return error;
}
error_code read(ondemand::value from, double& to) { return from.get_double().get(to); }
error_code read(ondemand::value from, bool& to) { return from.get_bool().get(to); }
error_code read(ondemand::value from, std::int64_t& to) { return from.get_int64().get(to); }
error_code read(ondemand::value from, std::int32_t& to) {
  std::int64_t wide = 0;
  const error_code error = from.get_int64().get(wide);
  if (error != SUCCESS) return error;
  to = static_cast<std::int32_t>(wide);
  return to == wide ? SUCCESS : simdjson::NUMBER_OUT_OF_RANGE;
}

error_code read_object(ondemand::object from, Address& to);
error_code read_object(ondemand::object from, Line& to);
error_code read_object(ondemand::object from, Product& to);
error_code read_object(ondemand::object from, std::map<std::string, std::string>& to);

template <class T>
error_code read(ondemand::value from, T& to)
  requires requires(ondemand::object object) { read_object(object, to); }
{
  ondemand::object object;
  const error_code error = from.get_object().get(object);
  return error == SUCCESS ? read_object(object, to) : error;
}

template <class T>
error_code read(ondemand::value from, std::optional<T>& to) {
  if (from.is_null()) {
    to.reset();
    return SUCCESS;
  }
  if (!to) to.emplace();
  return read(from, *to);
}

template <class T>
error_code read(ondemand::value from, std::vector<T>& to) {
  ondemand::array array;
  error_code error = from.get_array().get(array);
  std::size_t count = 0;
  for (auto element : array) {
    ondemand::value value;
    if (error == SUCCESS) error = std::move(element).get(value);
    if (error != SUCCESS) return error;
    if (count == to.size()) to.emplace_back();
    error = read(value, to[count++]);
  }
  to.resize(count);
  return error;
}

error_code read_object(ondemand::object from, std::map<std::string, std::string>& to) {
  to.clear();
  for (auto member : from) {
    ondemand::field field;
    std::string_view key;
    error_code error = std::move(member).get(field);
    if (error == SUCCESS) error = field.unescaped_key().get(key);
    if (error == SUCCESS) error = read(field.value(), to[std::string(key)]);
    if (error != SUCCESS) return error;
  }
  return SUCCESS;
}

// What is absent becomes as in a new object. After the first error nothing more is read.
class Members {
 public:
  explicit Members(ondemand::object& object) : object_(object) {}

  template <class T>
  Members& get(std::string_view name, T& to) {
    if (error_ != SUCCESS) return *this;
    ondemand::value value;
    error_ = object_.find_field(name).get(value);
    if (error_ == simdjson::NO_SUCH_FIELD) error_ = object_.find_field_unordered(name).get(value);
    if (error_ == simdjson::NO_SUCH_FIELD) {
      to = T{};
      error_ = SUCCESS;
    } else if (error_ == SUCCESS) {
      error_ = read(value, to);
    }
    return *this;
  }

  [[nodiscard]] error_code error() const { return error_; }

 private:
  ondemand::object& object_;
  error_code error_ = SUCCESS;
};

error_code read_object(ondemand::object from, Address& to) {
  return Members(from)
      .get("name", to.name)
      .get("street", to.street)
      .get("city", to.city)
      .get("postcode", to.postcode)
      .get("country", to.country)
      .error();
}

error_code read_object(ondemand::object from, Line& to) {
  return Members(from)
      .get("sku", to.sku)
      .get("name", to.name)
      .get("price", to.price)
      .get("quantity", to.quantity)
      .get("gift", to.gift)
      .get("labels", to.labels)
      .error();
}

error_code read_object(ondemand::object from, Order& to) {
  return Members(from)
      .get("id", to.id)
      .get("customer", to.customer)
      .get("ship_to", to.ship_to)
      .get("bill_to", to.bill_to)
      .get("lines", to.lines)
      .get("notes", to.notes)
      .get("coupon", to.coupon)
      .get("total", to.total)
      .get("placed_at", to.placed_at)
      .error();
}

error_code read_object(ondemand::object from, Product& to) {
  return Members(from)
      .get("sku", to.sku)
      .get("name", to.name)
      .get("description", to.description)
      .get("price", to.price)
      .get("rating", to.rating)
      .get("stock", to.stock)
      .get("listed", to.listed)
      .get("tags", to.tags)
      .error();
}

error_code read_object(ondemand::object from, Catalogue& to) {
  return Members(from)
      .get("name", to.name)
      .get("version", to.version)
      .get("products", to.products)
      .error();
}

error_code read_object(ondemand::object from, Doubles& to) {
  return Members(from).get("values", to.values).error();
}
error_code read_object(ondemand::object from, Texts& to) {
  return Members(from).get("values", to.values).error();
}

class Decoder {
 public:
  using Input = simdjson::padded_string;

  template <class T>
  Status decode(const Input& text, T& object) {
    ondemand::document document;
    ondemand::object root;
    error_code error = parser_.iterate(text).get(document);
    if (error == SUCCESS) error = document.get_object().get(root);
    if (error == SUCCESS) error = read_object(root, object);
    if (error == SUCCESS) return {};
    return {Code::invalid_argument, std::string("simdjson: ") + simdjson::error_message(error)};
  }

 private:
  ondemand::parser parser_;
};

std::string version() {
  return std::to_string(simdjson::SIMDJSON_VERSION_MAJOR) + '.' +
         std::to_string(simdjson::SIMDJSON_VERSION_MINOR) + '.' +
         std::to_string(simdjson::SIMDJSON_VERSION_REVISION) + " (" +
         simdjson::get_active_implementation()->name() + ", " +
         simdjson::builtin_implementation()->name() + ')';
}

}  // namespace

bool is_utf8(std::string_view text) { return simdjson::validate_utf8(text); }

void add_simdjson(Table& table) {
  table.versions["simdjson"] = version();
  add_json_decoder<Decoder, Decoder, Smallest::order>(table, "simdjson");
}

}  // namespace parley::bench
