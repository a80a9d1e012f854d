#include "parley/door/impl/erpc_http_decoder.h"

#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>

#include "parley/codec/json.h"
#include "parley/door/status_table.h"
#include "parley/http/syntax.h"
#include "parley/http/url.h"
#include "parley/wire/query.h"
#include "parley/wire/status_code.h"

namespace parley::door::impl {
namespace {

using http::Event;
using http::Http1Parser;
using http::Method;
using wire::BodyCodec;
using wire::Message;
using wire::MessageType;

constexpr std::string_view answer_begins = "HTTP/";
constexpr http::StatusCode ok_number = 200;

http::Http1Limits limits_of(const ErpcHttpTerms& terms) {
  return {.max_body_bytes = terms.max_bytes, .needs_host = false};
}

Status wrong(const std::string& what) {
  return {Code::invalid_argument, "erpc-http message: " + what};
}

// As erpc has it: 32 signed bits in decimal.
std::optional<std::int32_t> number_of(std::string_view text) {
  std::int32_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [behind, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || behind != end) return {};
  return number;
}

bool is_answer(MessageType type) {
  return type == MessageType::reply || type == MessageType::auth_reply;
}

// What the body of an answer of 299 says.
struct ErpcError {
  std::optional<std::int32_t> code{};
  std::optional<std::string> msg{};
  std::optional<std::string> cause{};
};

}  // namespace

ErpcHttpDecoder::ErpcHttpDecoder(std::shared_ptr<const ErpcHttpTerms> terms)
    : terms_(std::move(terms)),
      calls_(Http1Parser::Reads::requests, limits_of(*terms_)),
      answers_(Http1Parser::Reads::responses, limits_of(*terms_)) {}

void ErpcHttpDecoder::feed(Bytes chunk) {
  if (error_.is_ok()) came_.append(std::move(chunk));
}

Result<bool> ErpcHttpDecoder::next(Message& message) {
  if (!error_.is_ok()) return error_;
  auto whole = advance(message);
  if (!whole) return die(whole.error());
  return whole;
}

Result<bool> ErpcHttpDecoder::advance(Message& message) {
  while (reading_ != Reading::nothing || begin()) {
    std::string_view in = came_.empty() ? std::string_view() : came_.piece(0);
    const std::size_t before = in.size();
    const auto event = parser().next(in);
    if (!event) return event.error();
    if (*event == Event::body) body_ += parser().body();
    used_ += before - in.size();
    came_.remove_prefix(before - in.size());
    switch (*event) {
      case Event::more:
        if (came_.empty()) return false;
        break;
      case Event::head:
        if (Status bad = take_head(); !bad.is_ok()) return bad;
        break;
      case Event::end:
        if (Status bad = take_body(); !bad.is_ok()) return bad;
        message = std::exchange(message_, {});
        reading_ = Reading::nothing;
        used_ = 0;
        return true;
      case Event::informational:
      case Event::body:
        break;
    }
  }
  return false;
}

// False when it cannot be told yet which way the next message goes.
bool ErpcHttpDecoder::begin() {
  if (came_.size() < answer_begins.size()) return false;
  if (came_.slice(0, answer_begins.size()) == answer_begins) {
    reading_ = Reading::answer;
    answers_.expect({.method = Method::post});
  } else {
    reading_ = Reading::call;
  }
  body_.clear();
  is_error_ = false;
  return true;
}

Status ErpcHttpDecoder::take_head() {
  return reading_ == Reading::answer ? take_answer() : take_call();
}

Status ErpcHttpDecoder::take_call() {
  const http::Request& request = calls_.request();
  if (request.method != Method::post) {
    return wrong("a " + std::string(request.method_name()) +
                 " calls nothing here; send POST, or ask for pages on a connection without X-Seq");
  }
  if (Status bad = take_numbers(request.headers, MessageType::call); !bad.is_ok()) return bad;
  if (is_answer(message_.type)) return wrong("a request with the X-Mtype of an answer");
  auto method = http::percent_decoded(request.path());
  if (!method) return method.error();
  if (method->size() > longest_erpc_method) {
    return wrong("a method of " + std::to_string(method->size()) + " bytes; at most " +
                 std::to_string(longest_erpc_method) + " are taken");
  }
  Bytes name = Bytes::from(*std::move(method));
  message_.method = name.flatten();
  message_.method_block = name.first_block();
  take_fields(request.headers);
  auto query = wire::decode_query(request.query(), {.max_entries = terms_->max_entries});
  if (!query) return query.error();
  for (const auto& [key, value] : *query) message_.metadata.add(key, value);
  if (message_.metadata.size() > terms_->max_entries) {
    return {Code::resource_exhausted,
            "erpc-http message: more metadata than max_metadata_entries (" +
                std::to_string(terms_->max_entries) + ")"};
  }
  // Nobody waits for an answer to a PUSH, but who writes one here waits for an answer to a POST.
  if (message_.type == MessageType::push) {
    message_.type = MessageType::call;
    refuse(
        Status(Code::unimplemented,
               "there is no PUSH in erpc's http framing; send a CALL (X-Mtype: 1), or use another "
               "framing"));
  }
  take_coding(request.headers);
  return {};
}

Status ErpcHttpDecoder::take_answer() {
  const http::Response& response = answers_.response();
  if (Status bad = take_numbers(response.headers, MessageType::reply); !bad.is_ok()) return bad;
  if (!is_answer(message_.type)) return wrong("an answer with the X-Mtype of a request");
  if (!has_number_) {
    return wrong("an answer " + std::to_string(response.status) +
                 " without X-Seq: the other side speaks plain HTTP, not erpc's http framing");
  }
  if (answers_.framing().body == http::BodyKind::until_close) {
    return wrong("an answer without Content-Length");
  }
  take_fields(response.headers);
  is_error_ = response.status == business_error;
  if (!is_error_ && response.status != ok_number) {
    // Another success than 200 says nothing that could be gone by.
    const Code code = code_of_http(response.status);
    message_.status = Status(code == Code::ok ? Code::unknown : code,
                             "the other side answered " + std::to_string(response.status));
  }
  take_coding(response.headers);
  return {};
}

Status ErpcHttpDecoder::take_numbers(const http::Headers& headers, MessageType otherwise) {
  for (const std::string_view name : {seq_field, type_field}) {
    if (headers.count(name) > 1) return wrong("two headers " + std::string(name));
  }
  const auto seq = headers.get(seq_field);
  has_number_ = seq.has_value();
  if (seq) {
    const auto number = number_of(*seq);
    if (!number) return wrong("X-Seq " + http::quoted(*seq) + " is no number of 32 bits");
    message_.seq = *number;
  }
  message_.type = otherwise;
  if (const auto text = headers.get(type_field)) {
    const auto number = number_of(*text);
    const auto type = number && *number > 0
                          ? wire::teleport_type_of(static_cast<std::uint32_t>(*number))
                          : std::nullopt;
    if (!type) return wrong("X-Mtype " + http::quoted(*text) + " is no type of a message, 1 to 5");
    message_.type = *type;
  }
  return {};
}

// What says how the message is written is none of its metadata; everything else is.
void ErpcHttpDecoder::take_fields(const http::Headers& headers) {
  for (const auto [name, value] : headers) {
    if (http::same_name(name, "Content-Type")) {
      message_.body_codec = codec_of(*terms_, value);
      continue;
    }
    const bool frames =
        http::same_name(name, seq_field) || http::same_name(name, type_field) ||
        http::same_name(name, coding_field) || http::same_name(name, "Content-Length") ||
        http::same_name(name, "Transfer-Encoding") || http::same_name(name, "Content-Encoding");
    if (!frames) message_.metadata.add(std::string(name), std::string(value));
  }
}

void ErpcHttpDecoder::take_coding(const http::Headers& headers) {
  const auto coding = headers.get("Content-Encoding");
  const auto named = headers.get(coding_field);
  if (!named && (!coding || http::same_name(*coding, "identity"))) return;
  if (headers.count("Content-Encoding") > 1 || headers.count(coding_field) > 1 ||
      (coding && !http::same_name(*coding, "gzip"))) {
    return refuse(
        Status(Code::unimplemented,
               "erpc's http framing has one filter, gzip, and it once; this body came as " +
                   http::quoted(coding ? *coding : *named)));
  }
  if (!coding && *named != terms_->gzip_name) {
    return refuse(Status(Code::unimplemented,
                         "no transfer filter is named " + http::quoted(*named) + " here"));
  }
  message_.filters = wire::FilterPipe(std::string_view(&terms_->gzip_id, 1));
}

// The first reason counts. What carries a status instead of a body has none to be undone.
void ErpcHttpDecoder::refuse(Status why) {
  if (message_.is_refused || !message_.status.is_ok()) return;
  message_.is_refused = reading_ == Reading::call;
  message_.status = std::move(why);
}

Status ErpcHttpDecoder::take_body() {
  const std::size_t size = body_.size();
  Bytes body = Bytes::from(std::exchange(body_, {}));
  // Nothing is nothing, whatever it says that it went through: erpc does not look either.
  if (message_.status.is_ok() && !message_.filters.empty() && size > 0) {
    auto undone =
        wire::undo_filters(terms_->filters.get(), message_.filters, std::exchange(body, {}),
                           {.bytes = terms_->max_bytes, .name = "max_frame_bytes"});
    if (undone) {
      body = *std::move(undone);
    } else {
      refuse(undone.error());
    }
  }
  // The answer goes through what the call came through, and erpc looks it up by its name.
  const http::Headers& headers =
      reading_ == Reading::answer ? answers_.response().headers : calls_.request().headers;
  if (headers.get(coding_field).value_or(terms_->gzip_name) != terms_->gzip_name) {
    message_.filters = {};
  }
  if (message_.is_refused) message_.value = size;
  if (!message_.status.is_ok()) return {};
  message_.body = std::move(body);
  if (is_error_) take_error();
  return {};
}

void ErpcHttpDecoder::take_error() {
  ErpcError error;
  const std::string text = std::exchange(message_.body, {}).to_string();
  message_.body_codec = BodyCodec::none;
  const Status read = codec::decode_json_into(text, error);
  if (!read.is_ok() || error.code.value_or(0) == 0) {
    constexpr std::size_t most_shown = 256;
    message_.status = Status(Code::unknown, "the other side answered 299 and not why")
                          .with_cause(text.substr(0, most_shown));
    return;
  }
  message_.status = wire::status_of_raw_number(*error.code, std::move(error.msg).value_or(""),
                                               std::move(error.cause).value_or(""));
}

Status ErpcHttpDecoder::die(Status why) {
  came_ = {};
  used_ = 0;
  body_ = {};
  message_ = {};
  return error_ = std::move(why);
}

}  // namespace parley::door::impl
