// libprotobuf with the classes that its compiler makes of bodies.proto, on the heap and in an
// arena. Its values are its own messages; they are compared with ours by what Parley reads of them.
#include <google/protobuf/arena.h>

#include "bodies.pb.h"
#include "protobuf_rows.h"

namespace parley::bench {
namespace {

using google::protobuf::Arena;
using google::protobuf::ArenaOptions;

template <class T>
struct MessageOf;
template <>
struct MessageOf<Args> {
  using type = pb::Args;
};
template <>
struct MessageOf<Order> {
  using type = pb::Order;
};
template <>
struct MessageOf<Catalogue> {
  using type = pb::Catalogue;
};

enum class Place { heap, arena };

Status read(std::string_view text, google::protobuf::MessageLite& message) {
  if (message.ParseFromArray(text.data(), static_cast<int>(text.size()))) return {};
  return {Code::invalid_argument, "libprotobuf does not read the message"};
}

Status write(const google::protobuf::MessageLite& message, std::string& text) {
  if (message.SerializeToString(&text)) return {};
  return {Code::invalid_argument, "libprotobuf does not write the message"};
}

// Whether the message is `value`, by what Parley reads of what libprotobuf writes.
template <class T>
Status compare(const google::protobuf::MessageLite& message, const T& value,
               std::string_view what) {
  std::string text;
  Status status = write(message, text);
  if (!status.is_ok()) return status;
  const Result<T> back = Protobuf::decode<T>(text);
  if (!back) return back.error();
  return *back == value ? Status() : other_value(what);
}

template <class T, Memory memory, Place place>
class Encode final : public Task {
 public:
  Encode(T value, const std::string& text)
      : value_(std::move(value)),
        message_(Arena::CreateMessage<Message>(place == Place::arena ? &arena_ : nullptr)),
        status_(read(text, *message_)) {}
  Encode(const Encode&) = delete;
  Encode& operator=(const Encode&) = delete;
  ~Encode() override {
    if constexpr (place == Place::heap) delete message_;
  }

  Status prove() override {
    if (!status_.is_ok()) return status_;
    Status status = write(*message_, text_);
    return status.is_ok() ? compare(*message_, value_, "what was encoded") : status;
  }

  Status run(std::uint64_t ops) override {
    Status status;
    for (; ops > 0 && status.is_ok(); --ops) {
      if constexpr (memory == Memory::reused) {
        status = write(*message_, text_);
        keep(text_);
      } else {
        std::string text;
        status = write(*message_, text);
        keep(text);
      }
    }
    return status;
  }

  [[nodiscard]] std::size_t bytes() const override { return text_.size(); }
  [[nodiscard]] std::uint64_t needed_allocations() const override {
    return memory == Memory::fresh ? 1 : 0;
  }

 private:
  using Message = typename MessageOf<T>::type;

  Arena arena_;
  T value_;
  Message* message_;
  Status status_;
  std::string text_;
};

// An arena that is used again has a first block that holds the whole message.
ArenaOptions options_with(std::vector<char>& block) {
  ArenaOptions options;
  options.initial_block = block.data();
  options.initial_block_size = block.size();
  return options;
}

template <class T, Memory memory, Place place>
class Decode final : public Task {
 public:
  Decode(T value, std::string text)
      : value_(std::move(value)),
        text_(std::move(text)),
        block_(4'096 + 8 * text_.size()),
        arena_(options_with(block_)) {}

  Status prove() override {
    std::vector<std::string> texts = Protobuf::same_as(text_);
    texts.push_back(text_);
    for (const std::string& text : texts) {
      Status status = decodes_to(text, value_);
      if (!status.is_ok()) return status;
    }
    return decodes_to(std::string(Protobuf::nothing), T{});
  }

  Status run(std::uint64_t ops) override {
    Status status;
    for (; ops > 0 && status.is_ok(); --ops) {
      status = with_message([this](Message& message) {
        Status done = read(text_, message);
        keep(message);
        return done;
      });
    }
    return status;
  }

  [[nodiscard]] std::size_t bytes() const override { return text_.size(); }
  [[nodiscard]] std::uint64_t needed_allocations() const override {
    return memory == Memory::fresh ? allocations_of(value_) : 0;
  }

 private:
  using Message = typename MessageOf<T>::type;

  // Calls `use` with the message that is to be read into.
  template <class Use>
  Status with_message(Use use) {
    if constexpr (memory == Memory::reused && place == Place::heap) {
      return use(message_);
    } else if constexpr (memory == Memory::reused) {
      arena_.Reset();
      return use(*Arena::CreateMessage<Message>(&arena_));
    } else if constexpr (place == Place::heap) {
      Message message;
      return use(message);
    } else {
      Arena arena;
      return use(*Arena::CreateMessage<Message>(&arena));
    }
  }

  Status decodes_to(const std::string& text, const T& value) {
    return with_message([&](Message& message) {
      Status status = read(text, message);
      if (!status.is_ok()) return status;
      message.DiscardUnknownFields();
      return compare(message, value, "what was decoded");
    });
  }

  T value_;
  std::string text_;
  Message message_;
  std::vector<char> block_;
  Arena arena_;
};

template <template <class, Memory, Place> class Kind, Memory memory, Place place, class T>
void add_row(Table& table, std::string_view operation, std::string_view body, Maker<T> make) {
  table.rows.push_back({name_of(Protobuf::name, operation, body, memory),
                        place == Place::arena ? "libprotobuf_arena" : "libprotobuf",
                        [make]() -> Result<std::unique_ptr<Task>> {
                          T value = make();
                          const Result<std::string> text = Protobuf::encode(value);
                          if (!text) return text.error();
                          return std::unique_ptr<Task>(
                              std::make_unique<Kind<T, memory, place>>(std::move(value), *text));
                        }});
}

template <Memory memory, Place place, class T>
void add_body(Table& table, std::string_view body, Maker<T> make) {
  add_row<Encode, memory, place>(table, "encode", body, make);
  add_row<Decode, memory, place>(table, "decode", body, make);
}

template <Memory memory, Place place>
void add_bodies(Table& table) {
  add_body<memory, place>(table, "args", make_args);
  add_body<memory, place>(table, "order", make_order);
  add_body<memory, place>(table, "catalogue", make_catalogue);
}

}  // namespace

void add_libprotobuf(Table& table) {
  add_bodies<Memory::fresh, Place::heap>(table);
  add_bodies<Memory::reused, Place::heap>(table);
  add_bodies<Memory::fresh, Place::arena>(table);
  add_bodies<Memory::reused, Place::arena>(table);
  const std::string version = std::to_string(GOOGLE_PROTOBUF_VERSION / 1'000'000) + "." +
                              std::to_string(GOOGLE_PROTOBUF_VERSION / 1'000 % 1'000) + "." +
                              std::to_string(GOOGLE_PROTOBUF_VERSION % 1'000);
  table.versions["libprotobuf"] = version;
  table.versions["libprotobuf_arena"] = version;
}

}  // namespace parley::bench
