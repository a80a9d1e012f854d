// The two kinds of Task that every format has, encoding and decoding, over what a contestant has to
// provide. A new format needs a Format and its contestants (json.h shows how), in a file of its
// own. A contestant with message types of its own brings its own Task instead.
//
// Format:   static Result<std::string> encode(const T&)     Parley's own codec
//           static Result<T> decode<T>(std::string_view)
//           static std::vector<std::string> same_as(text)   texts that mean the same
//           static constexpr std::string_view nothing       the text of an object without members
// Encoder:  Status encode(const T&)                         over what it encoded before
//           std::string_view text() const
// Decoder:  using Input                                     made from a std::string, before timing
//           Status decode(const Input&, T&)                 over what the object held before
//           static Result<T> decoded<T>(const Input&)       optional: into a new object, if the
//                                                           library has a call for it
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "task.h"
#include "value_cost.h"

namespace parley::bench {

// Whether buffers and objects are made for each operation, or one serves all.
enum class Memory { fresh, reused };

inline Status other_value(std::string_view what) {
  return {Code::data_loss, std::string(what) + " is not the value that went in"};
}

template <class Format, class Encoder, class T, Memory memory>
class Encoding final : public Task {
 public:
  explicit Encoding(T value) : value_(std::move(value)) {}

  Status prove() override {
    Status status = encoder_.encode(value_);
    if (!status.is_ok()) return status;
    bytes_ = encoder_.text().size();
    const Result<T> back = Format::template decode<T>(encoder_.text());
    if (!back) return back.error();
    return *back == value_ ? Status() : other_value("what was encoded");
  }

  Status run(std::uint64_t ops) override {
    for (; ops > 0; --ops) {
      Status status = once();
      if (!status.is_ok()) [[unlikely]] {
        return status;
      }
    }
    return {};
  }

  [[nodiscard]] std::size_t bytes() const override { return bytes_; }
  [[nodiscard]] std::uint64_t needed_allocations() const override {
    return memory == Memory::fresh ? allocations_of_growing_text(bytes_) : 0;
  }

 private:
  Status once() {
    if constexpr (memory == Memory::reused) {
      Status status = encoder_.encode(value_);
      keep(encoder_);
      return status;
    } else {
      Encoder encoder;
      Status status = encoder.encode(value_);
      keep(encoder);
      return status;
    }
  }

  T value_;
  Encoder encoder_;
  std::size_t bytes_ = 0;
};

template <class Format, class Decoder, class T, Memory memory>
class Decoding final : public Task {
 public:
  Decoding(T value, std::string text)
      : value_(std::move(value)), text_(std::move(text)), input_(text_) {}

  Status prove() override {
    std::vector<std::string> texts = Format::same_as(text_);
    texts.push_back(text_);
    for (const std::string& text : texts) {
      const Result<bool> equal = decodes_to(value_, typename Decoder::Input(text));
      if (!equal) return equal.error();
      if (!*equal) return other_value("what was decoded");
    }
    // What is absent is as in a new object, whatever the object held before.
    const std::string nothing(Format::nothing);
    const Result<bool> empty = decodes_to(T{}, typename Decoder::Input(nothing));
    if (!empty) return empty.error();
    return *empty ? Status() : other_value("an object decoded from nothing");
  }

  Status run(std::uint64_t ops) override {
    for (; ops > 0; --ops) {
      Status status = once(input_);
      if (!status.is_ok()) [[unlikely]] {
        return status;
      }
    }
    return {};
  }

  [[nodiscard]] std::size_t bytes() const override { return text_.size(); }
  [[nodiscard]] std::uint64_t needed_allocations() const override {
    return memory == Memory::fresh ? allocations_of(value_) : 0;
  }

 private:
  static constexpr bool has_own_call =
      requires(const typename Decoder::Input& input) { Decoder::template decoded<T>(input); };

  Status once(const typename Decoder::Input& input) {
    if constexpr (memory == Memory::reused) {
      Status status = decoder_.decode(input, object_);
      keep(object_);
      return status;
    } else if constexpr (has_own_call) {
      const Result<T> object = Decoder::template decoded<T>(input);
      keep(object);
      return object.error();
    } else {
      T object{};
      Status status = decoder_.decode(input, object);
      keep(object);
      return status;
    }
  }

  Result<bool> decodes_to(const T& value, const typename Decoder::Input& input) {
    if constexpr (memory == Memory::fresh && has_own_call) {
      const Result<T> object = Decoder::template decoded<T>(input);
      if (!object) return object.error();
      return *object == value;
    } else {
      // A used object in both cases: decode() says that nothing of it is left.
      Status status = decoder_.decode(input, object_);
      if (!status.is_ok()) return status;
      return object_ == value;
    }
  }

  T value_;
  std::string text_;
  typename Decoder::Input input_;
  Decoder decoder_;
  T object_;
};

template <class T>
using Maker = T (*)();

inline std::string name_of(std::string_view format, std::string_view operation,
                           std::string_view body, Memory memory) {
  std::string name(format);
  name.append(1, '.').append(operation).append(1, '.').append(body);
  return memory == Memory::reused ? name + "_reused" : name;
}

// Adds FORMAT.encode.BODY, with `_reused` for Memory::reused.
template <class Format, class Encoder, Memory memory, class T>
void add_encoding(Table& table, std::string_view contestant, std::string_view body, Maker<T> make) {
  table.rows.push_back({name_of(Format::name, "encode", body, memory), std::string(contestant),
                        [make]() -> Result<std::unique_ptr<Task>> {
                          return std::unique_ptr<Task>(
                              std::make_unique<Encoding<Format, Encoder, T, memory>>(make()));
                        }});
}

// What is done to the text before it is decoded.
using Form = std::string (*)(std::string_view text);
inline std::string as_it_is(std::string_view text) { return std::string(text); }

// Adds FORMAT.decode.BODY, with `_reused` for Memory::reused. The text is Parley's, in that form.
template <class Format, class Decoder, Memory memory, class T>
void add_decoding(Table& table, std::string_view contestant, std::string_view body, Maker<T> make,
                  Form form = as_it_is) {
  table.rows.push_back(
      {name_of(Format::name, "decode", body, memory), std::string(contestant),
       [make, form]() -> Result<std::unique_ptr<Task>> {
         T value = make();
         const Result<std::string> text = Format::encode(value);
         if (!text) return text.error();
         return std::unique_ptr<Task>(
             std::make_unique<Decoding<Format, Decoder, T, memory>>(std::move(value), form(*text)));
       }});
}

}  // namespace parley::bench
