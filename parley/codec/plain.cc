#include "parley/codec/plain.h"

#include "parley/codec/impl/represented.h"
#include "parley/codec/impl/scalar_text.h"

namespace parley::codec {
namespace {

using impl::Failure;
using impl::ScalarStyle;
using impl::Shown;

bool fail_kind(const Type& type, Failure& failure) {
  return failure.set(
      Code::invalid_argument,
      "an " + std::string(name_of(type.kind)) + " has no plain text: use JSON, or one value of it");
}

struct Writer {
  std::string& out;
  ScalarStyle style;
  Failure failure;

  struct Target {
    Writer* writer;
    const Type* type;
  };

  bool write(const Type& type, const void* object) {
    if (type.kind == Kind::optional) {
      const void* const value = type.optional->get(object);
      return value == nullptr || write(*type.element, value);
    }
    if (type.kind == Kind::represented) {
      Target target{this, type.element};
      return type.represented->show(
          object,
          [](void* context, const void* as) {
            const auto& self = *static_cast<Target*>(context);
            return self.writer->write(*self.type, as);
          },
          &target);
    }
    if (!impl::is_scalar(type.kind)) return fail_kind(type, failure);
    return impl::append_scalar(out, type, object, style, failure);
  }
};

struct Reader {
  std::string_view text;
  ScalarStyle style;
  Shown shown;
  Failure failure;
  bool is_represented = false;  // what is read is taken over while the text is there

  struct Target {
    Reader* reader;
    const Type* type;
  };

  bool read(const Type& type, void* object) {
    if (type.kind == Kind::optional) {
      if (!text.empty()) return read(*type.element, type.optional->ensure(object));
      type.optional->reset(object);
      return true;
    }
    if (type.kind == Kind::represented) {
      Target target{this, type.element};
      return impl::take_represented(
          type, object,
          [](void* context, void* as) {
            const auto& self = *static_cast<Target*>(context);
            return self.reader->read(*self.type, as);
          },
          &target, is_represented, failure);
    }
    if (!impl::is_scalar(type.kind)) return fail_kind(type, failure);
    const Shown allowed = is_represented ? Shown::taken_over : shown;
    return impl::parse_scalar(text, type, object, style, allowed, failure);
  }
};

}  // namespace

Status encode_plain_as(std::string& out, const Type& type, const void* object, const Limits& limits,
                       const PlainOptions& options) {
  const std::size_t size = out.size();
  Writer writer{.out = out,
                .style = {.enums_as_numbers = options.enums_as_numbers, .limits = limits},
                .failure = {}};
  if (writer.write(type, object)) return {};
  out.resize(size);
  return writer.failure.status();
}

Status decode_plain_as(std::string_view text, const Type& type, void* object, const Limits& limits,
                       const PlainOptions& options) {
  Reader reader{.text = text,
                .style = {.limits = limits},
                .shown = options.refuse_views ? Shown::refused : Shown::as_it_is,
                .failure = {}};
  if (text.size() > limits.max_bytes) {
    reader.failure.set(Code::resource_exhausted, "the text has " + std::to_string(text.size()) +
                                                     " bytes, more than max_bytes (" +
                                                     std::to_string(limits.max_bytes) + ")");
  } else if (reader.read(type, object)) {
    return {};
  }
  return reader.failure.status();
}

}  // namespace parley::codec
