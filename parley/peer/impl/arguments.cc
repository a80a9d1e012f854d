// From a request to the arguments of its handler: decoded, bound to what else came with the
// request, held against their rules.
#include "parley/peer/impl/arguments.h"

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "parley/codec/bind.h"
#include "parley/codec/plain.h"
#include "parley/codec/signature.h"
#include "parley/codec/validate.h"
#include "parley/peer/body.h"
#include "parley/peer/handler.h"
#include "parley/peer/session_values.h"
#include "parley/peer/stream.h"
#include "parley/wire/query.h"

namespace parley::impl {
namespace {

// The text of a value of the session that can have one.
template <class... T>
std::optional<std::string> text_of_any(const SessionValues& values, std::string_view name) {
  std::optional<std::string> text;
  const auto look = [&]<class Each>(std::type_identity<Each>) {
    const auto value = values.get<Each>(name);
    if (value == nullptr) return false;
    if (auto plain = codec::encode_plain(*value)) text = *std::move(plain);
    return true;
  };
  (void)(look(std::type_identity<T>()) || ...);
  return text;
}

// What came with a request besides its body. Nothing is in a path: methods have none.
class RequestSources final : public codec::Sources {
 public:
  RequestSources(const Context& context, wire::Metadata query)
      : context_(context), query_(std::move(query)) {}

  void find(codec::Source source, std::string_view name,
            std::vector<std::string_view>& values) const override {
    switch (source) {
      case codec::Source::metadata:
        return find_in(context_.metadata(), name, values);
      case codec::Source::query:
        return find_in(query_, name, values);
      case codec::Source::session:
        if (auto text = in_session(name)) values.emplace_back(kept_.emplace_back(*std::move(text)));
        return;
      case codec::Source::path:
        return;
    }
  }

 private:
  static void find_in(const wire::Metadata& pairs, std::string_view name,
                      std::vector<std::string_view>& values) {
    for (const auto& [key, value] : pairs) {
      if (key == name) values.emplace_back(value);
    }
  }
  [[nodiscard]] std::optional<std::string> in_session(std::string_view name) const {
    return text_of_any<std::string, bool, short, unsigned short, int, unsigned, long, unsigned long,
                       long long, unsigned long long, float, double>(context_.session().values(),
                                                                     name);
  }

  const Context& context_;
  const wire::Metadata query_;
  mutable std::deque<std::string> kept_;  // what lies nowhere else
};

Status bind(const Context& context, const codec::Type& type, void* value) {
  auto query = wire::decode_query(context.query());
  if (!query) return query.error();
  return codec::bind_from_as(type, value, RequestSources(context, *std::move(query)),
                             {.limits = context.options().codec_limits, .refuse_views = true});
}

Status apply_rules(const Context& context, const codec::Type& type, void* value) {
  const PeerOptions& options = context.options();
  Status status;
  if (codec::has_bindings(type)) status = bind(context, type, value);
  if (status.is_ok() && options.validate) {
    status = codec::validate_as(
        type, value,
        {.patterns = options.patterns.get(), .max_depth = options.codec_limits.max_depth});
  }
  // A rule's own words are told as they are: what is broken is their cause then.
  if (status.is_ok() || !status.cause().empty()) return status;
  return status.with_context(context.method());
}

// What is beyond a limit of the codecs stays so, however often it is sent: the request is wrong. A
// caller that is told resource_exhausted would try again.
Status wrong_for_good(Status status) {
  if (status.code() != Code::resource_exhausted) return status;
  return Status(Code::invalid_argument, status.message()).with_cause(status.cause());
}

}  // namespace

Status take_arguments(const Context& context, const wire::Message& request, const codec::Type& type,
                      void* arguments) {
  Status status = decode_arguments_as(context.options(), request, type, arguments);
  if (!status.is_ok()) return wrong_for_good(std::move(status)).with_context(context.method());
  const codec::Body<void> body = codec::body_of(type, arguments);
  return body.type == nullptr ? Status() : apply_rules(context, *body.type, body.object);
}

Status take_message(const RawStream& stream, const Context* served, const Bytes& body,
                    const codec::Type& type, void* value) {
  Status status = decode_value_as(stream.options(), stream.body_codec(), body, type, value);
  if (!status.is_ok()) {
    if (served != nullptr) status = wrong_for_good(std::move(status));
    return status.with_context("a message of the stream");
  }
  return served == nullptr ? Status() : apply_rules(*served, type, value);
}

Status put_result(const Context& context, const codec::Type& type, const void* result,
                  Answer& answer) {
  answer.codec = context.reply_codec();
  Status status = encode_value_as(context.options(), answer.codec, answer.text, type, result);
  if (status.is_ok()) return status;
  return Status(Code::internal, "the result cannot be written: " + status.message())
      .with_cause(status.cause());
}

const Router::Method* find_before_query(const Router& router, wire::Message& request,
                                        Context& context) {
  const std::size_t end = request.method.find('?');
  if (end == std::string_view::npos) return nullptr;
  Router::Recent recent;
  const Router::Method* const method = router.find(request.method.substr(0, end), recent);
  if (method == nullptr) return nullptr;
  context.set_query(request.method.substr(end + 1));
  request.method = request.method.substr(0, end);
  return method;
}

}  // namespace parley::impl
