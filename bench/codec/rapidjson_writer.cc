// RapidJSON's Writer, fed by hand. The fast paths it has for numbers and texts are for its default
// flags only, with which it takes any bytes for text; so the peer is that one, and the one that
// validates stands beside it.
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "json.h"
#include "rapidjson.h"

namespace parley::bench {
namespace {

using Buffer = rapidjson::StringBuffer;

// Each write() is false when a number is not finite or, for a Writer that looks, a text not UTF-8.
template <class Writer>
struct ByHand {
  static bool write(Writer& to, const std::string& text) {
    return to.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
  }
  static bool write(Writer& to, double value) { return to.Double(value); }
  static bool write(Writer& to, bool value) { return to.Bool(value); }
  static bool write(Writer& to, std::int64_t value) { return to.Int64(value); }
  static bool write(Writer& to, std::int32_t value) { return to.Int(value); }

  template <class T>
  static bool write(Writer& to, const std::vector<T>& list) {
    bool good = to.StartArray();
    for (const T& one : list) good = good && write(to, one);
    return good && to.EndArray();
  }

  static bool write(Writer& to, const std::map<std::string, std::string>& map) {
    bool good = to.StartObject();
    for (const auto& [key, text] : map) {
      good = good && to.Key(key.data(), static_cast<rapidjson::SizeType>(key.size())) &&
             write(to, text);
    }
    return good && to.EndObject();
  }

  template <std::size_t size, class T>
  static bool member(Writer& to, const char (&name)[size], const T& value) {
    return to.Key(name, size - 1) && write(to, value);
  }

  static bool write(Writer& to, const Args& args) {
    return to.StartObject() && member(to, "account", args.account) &&
           member(to, "reference", args.reference) && member(to, "amount", args.amount) &&
           member(to, "urgent", args.urgent) && member(to, "lines", args.lines) && to.EndObject();
  }

  static bool write(Writer& to, const Address& address) {
    return to.StartObject() && member(to, "name", address.name) &&
           member(to, "street", address.street) && member(to, "city", address.city) &&
           member(to, "postcode", address.postcode) && member(to, "country", address.country) &&
           to.EndObject();
  }

  static bool write(Writer& to, const Line& line) {
    return to.StartObject() && member(to, "sku", line.sku) && member(to, "name", line.name) &&
           member(to, "price", line.price) && member(to, "quantity", line.quantity) &&
           member(to, "gift", line.gift) && member(to, "labels", line.labels) && to.EndObject();
  }

  static bool write(Writer& to, const Order& order) {
    return to.StartObject() && member(to, "id", order.id) &&
           member(to, "customer", order.customer) && member(to, "ship_to", order.ship_to) &&
           member(to, "bill_to", order.bill_to) && member(to, "lines", order.lines) &&
           member(to, "notes", order.notes) &&
           (!order.coupon || member(to, "coupon", *order.coupon)) &&
           member(to, "total", order.total) && member(to, "placed_at", order.placed_at) &&
           to.EndObject();
  }

  static bool write(Writer& to, const Product& product) {
    return to.StartObject() && member(to, "sku", product.sku) && member(to, "name", product.name) &&
           member(to, "description", product.description) && member(to, "price", product.price) &&
           member(to, "rating", product.rating) && member(to, "stock", product.stock) &&
           member(to, "listed", product.listed) && member(to, "tags", product.tags) &&
           to.EndObject();
  }

  static bool write(Writer& to, const Catalogue& catalogue) {
    return to.StartObject() && member(to, "name", catalogue.name) &&
           member(to, "version", catalogue.version) && member(to, "products", catalogue.products) &&
           to.EndObject();
  }

  static bool write(Writer& to, const Doubles& doubles) {
    return to.StartObject() && member(to, "values", doubles.values) && to.EndObject();
  }
  static bool write(Writer& to, const Texts& texts) {
    return to.StartObject() && member(to, "values", texts.values) && to.EndObject();
  }
};

template <unsigned flags>
class Encoder {
 public:
  template <class T>
  Status encode(const T& value) {
    buffer_.Clear();
    writer_.Reset(buffer_);
    if (ByHand<Writer>::write(writer_, value)) return {};
    return {Code::invalid_argument, "RapidJSON's Writer refused the value"};
  }
  [[nodiscard]] std::string_view text() const { return {buffer_.GetString(), buffer_.GetSize()}; }

 private:
  using Writer = rapidjson::Writer<Buffer, rapidjson::UTF8<>, rapidjson::UTF8<>,
                                   rapidjson::CrtAllocator, flags>;

  Buffer buffer_;
  Writer writer_;
};

}  // namespace

void add_rapidjson_writer(Table& table) {
  add_json_encoder<Encoder<rapidjson::kWriteDefaultFlags>>(table, "rapidjson");
  add_json_encoder<Encoder<rapidjson::kWriteValidateEncodingFlag>>(table, "rapidjson_validating");
}

}  // namespace parley::bench
