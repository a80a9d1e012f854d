// msgpack-cxx, as its guide has it: a map for each struct, by what its MSGPACK_DEFINE_MAP stands
// for.
#include <msgpack.hpp>
#include <type_traits>

#include "msgpack_rows.h"

namespace parley::bench {
namespace {

auto map_of(Args& v) {
  return msgpack::type::make_define_map("account", v.account, "reference", v.reference, "amount",
                                        v.amount, "urgent", v.urgent, "lines", v.lines);
}
auto map_of(Address& v) {
  return msgpack::type::make_define_map("name", v.name, "street", v.street, "city", v.city,
                                        "postcode", v.postcode, "country", v.country);
}
auto map_of(Line& v) {
  return msgpack::type::make_define_map("sku", v.sku, "name", v.name, "price", v.price, "quantity",
                                        v.quantity, "gift", v.gift, "labels", v.labels);
}
auto map_of(Order& v) {
  return msgpack::type::make_define_map(
      "id", v.id, "customer", v.customer, "ship_to", v.ship_to, "bill_to", v.bill_to, "lines",
      v.lines, "notes", v.notes, "coupon", v.coupon, "total", v.total, "placed_at", v.placed_at);
}
auto map_of(Product& v) {
  return msgpack::type::make_define_map("sku", v.sku, "name", v.name, "description", v.description,
                                        "price", v.price, "rating", v.rating, "stock", v.stock,
                                        "listed", v.listed, "tags", v.tags);
}
auto map_of(Catalogue& v) {
  return msgpack::type::make_define_map("name", v.name, "version", v.version, "products",
                                        v.products);
}

// The library asks for members that can be changed, also to write them.
template <class T>
auto map_of(const T& value) {
  return map_of(const_cast<T&>(value));
}

template <class T>
inline constexpr bool is_body =
    std::is_same_v<T, Args> || std::is_same_v<T, Address> || std::is_same_v<T, Line> ||
    std::is_same_v<T, Order> || std::is_same_v<T, Product> || std::is_same_v<T, Catalogue>;

}  // namespace
}  // namespace parley::bench

namespace msgpack {
MSGPACK_API_VERSION_NAMESPACE(MSGPACK_DEFAULT_API_NS) {
  namespace adaptor {

  template <class T>
  struct pack<T, std::enable_if_t<parley::bench::is_body<T>>> {
    template <class Stream>
    packer<Stream>& operator()(packer<Stream>& out, const T& value) const {
      parley::bench::map_of(value).msgpack_pack(out);
      return out;
    }
  };
  template <class T>
  struct convert<T, std::enable_if_t<parley::bench::is_body<T>>> {
    const msgpack::object& operator()(const msgpack::object& from, T& value) const {
      parley::bench::map_of(value).msgpack_unpack(from);
      // NOLINTNEXTLINE(bugprone-return-const-ref-from-parameter): as the library wants it
      return from;
    }
  };

  }  // namespace adaptor
}
}  // namespace msgpack

namespace parley::bench {
namespace {

class Encoder {
 public:
  template <class T>
  Status encode(const T& value) {
    buffer_.clear();
    msgpack::pack(buffer_, value);
    return {};
  }
  [[nodiscard]] std::string_view text() const { return {buffer_.data(), buffer_.size()}; }

 private:
  msgpack::sbuffer buffer_;
};

struct Decoder {
  using Input = std::string;

  // It leaves what is absent as it was.
  template <class T>
  Status decode(const std::string& text, T& object) {
    object = T{};
    return read(text, object);
  }
  template <class T>
  static Result<T> decoded(const std::string& text) {
    T object{};
    Status status = read(text, object);
    if (!status.is_ok()) return status;
    return object;
  }

 private:
  // Texts stay where they are until they are copied into the struct.
  static bool is_reference(msgpack::type::object_type, std::size_t, void*) { return true; }

  template <class T>
  static Status read(const std::string& text, T& object) {
    try {
      const msgpack::object_handle handle =
          msgpack::unpack(text.data(), text.size(), &is_reference);
      handle.get().convert(object);
      return {};
    } catch (const std::exception& problem) {
      return {Code::invalid_argument, std::string("msgpack-cxx: ") + problem.what()};
    }
  }
};

}  // namespace

void add_msgpack_cxx(Table& table) {
  add_msgpack_contestant<Encoder, Decoder>(table, "msgpack_cxx");
  table.versions["msgpack_cxx"] = MSGPACK_VERSION;
}

}  // namespace parley::bench
