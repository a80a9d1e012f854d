// Parley's JSON writer for types that are hot (parley/codec/hot.h): the same structs once more,
// since a type is hot or not.
#include <memory>
#include <string>
#include <utility>

#include "json.h"
#include "parley/codec/hot.h"

namespace parley::bench::hot {
#include "bodies.inc"
}  // namespace parley::bench::hot

namespace parley {

template <>
inline constexpr bool is_hot<bench::hot::Args> = true;
template <>
inline constexpr bool is_hot<bench::hot::Address> = true;
template <>
inline constexpr bool is_hot<bench::hot::Line> = true;
template <>
inline constexpr bool is_hot<bench::hot::Order> = true;
template <>
inline constexpr bool is_hot<bench::hot::Product> = true;
template <>
inline constexpr bool is_hot<bench::hot::Catalogue> = true;

namespace bench {
namespace {

// `T` is hot; its value is that of the body, whose text the table of the other type wrote.
template <class T, Memory memory>
class HotEncoding final : public Task {
 public:
  HotEncoding(T value, std::string expected)
      : value_(std::move(value)), expected_(std::move(expected)) {}

  Status prove() override {
    Status status = encode(text_);
    if (!status.is_ok()) return status;
    return text_ == expected_ ? Status() : other_value("what was encoded");
  }

  Status run(std::uint64_t ops) override {
    for (; ops > 0; --ops) {
      std::string fresh;
      std::string& text = memory == Memory::reused ? text_ : fresh;
      Status status = encode(text);
      keep(text);
      if (!status.is_ok()) [[unlikely]] {
        return status;
      }
    }
    return {};
  }

  [[nodiscard]] std::size_t bytes() const override { return expected_.size(); }
  [[nodiscard]] std::uint64_t needed_allocations() const override {
    return memory == Memory::fresh ? allocations_of_growing_text(expected_.size()) : 0;
  }

 private:
  Status encode(std::string& text) {
    text.clear();
    return codec::encode_json_to(text, value_);
  }

  T value_;
  std::string expected_;
  std::string text_;
};

template <class T, Memory memory, class Body>
void add(Table& table, std::string_view body, Maker<Body> make) {
  table.rows.push_back({name_of(Json::name, "encode", body, memory), "own_hot",
                        [make]() -> Result<std::unique_ptr<Task>> {
                          Result<std::string> text = codec::encode_json(make());
                          if (!text) return text.error();
                          Result<T> value = codec::decode_json<T>(*text);
                          if (!value) return value.error();
                          return std::unique_ptr<Task>(std::make_unique<HotEncoding<T, memory>>(
                              std::move(*value), std::move(*text)));
                        }});
}

}  // namespace

void add_own_hot_json(Table& table) {
  add<hot::Args, Memory::fresh>(table, "args", make_args);
  add<hot::Order, Memory::fresh>(table, "order", make_order);
  add<hot::Catalogue, Memory::fresh>(table, "catalogue", make_catalogue);
  add<hot::Args, Memory::reused>(table, "args", make_args);
  add<hot::Order, Memory::reused>(table, "order", make_order);
  add<hot::Catalogue, Memory::reused>(table, "catalogue", make_catalogue);
}

}  // namespace bench
}  // namespace parley
