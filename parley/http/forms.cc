#include "parley/http/forms.h"

#include <algorithm>
#include <cstdint>

#include "parley/http/impl/chars.h"
#include "parley/http/impl/parameters.h"
#include "parley/http/syntax.h"

namespace parley::http {
namespace {

// Bytes of the UTF-8 sequence (Unicode 15, table 3-7) that `text` begins with, 0 for none.
std::size_t utf8_size(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto is_next = [&](std::size_t i) { return (byte(i) & 0xc0U) == 0x80; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return is_next(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const bool is_short = first == 0xe0 && byte(1) < 0xa0;
    const bool is_surrogate = first == 0xed && byte(1) > 0x9f;
    return is_next(1) && is_next(2) && !is_short && !is_surrogate ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const bool is_short = first == 0xf0 && byte(1) < 0x90;
    const bool is_beyond = first == 0xf4 && byte(1) > 0x8f;
    return is_next(1) && is_next(2) && is_next(3) && !is_short && !is_beyond ? 4 : 0;
  }
  return 0;
}

bool is_control(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t' && c != '\r' && c != '\n') || byte == 0x7f;
}

Status wrong(std::string_view text, const std::string& why) {
  return {Code::invalid_argument, "the escaped text " + quoted(text) + " " + why};
}

void put_escaped(std::string& out, char c) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  const auto byte = static_cast<unsigned char>(c);
  out += {'%', digits[byte >> 4U], digits[byte & 15U]};
}

bool is_plain(char c) noexcept {
  const char small = impl::lower_case(c);
  return (small >= 'a' && small <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

std::string escaped(std::string_view text, bool space_is_plus) {
  std::string out;
  for (const char c : text) {
    if (is_plain(c)) {
      out += c;
    } else if (c == ' ' && space_is_plus) {
      out += '+';
    } else {
      put_escaped(out, c);
    }
  }
  return out;
}

}  // namespace

std::optional<std::string_view> Form::get(std::string_view name) const noexcept {
  const auto it = std::ranges::find(pairs, name, &FormPair::name);
  if (it == pairs.end()) return std::nullopt;
  return it->value;
}

std::vector<std::string_view> Form::all(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const FormPair& pair : pairs) {
    if (pair.name == name) values.emplace_back(pair.value);
  }
  return values;
}

Result<std::string> unescape(std::string_view text, const UnescapeOptions& options) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '+' && options.plus_is_space) {
      out += ' ';
    } else if (c == '%' && impl::run_of(text.substr(at + 1, 2), impl::chars::hex) == 2) {
      out += static_cast<char>(impl::hex_value(text[at + 1]) * 16 + impl::hex_value(text[at + 2]));
      at += 2;
    } else if (c != '%' || options.keep_lone_percents) {
      out += c;
    } else {
      return wrong(text, "has no two hexadecimal digits behind the percent sign at byte " +
                             std::to_string(at) + "; write a percent sign itself as %25");
    }
  }
  if (!options.allow_controls && std::ranges::any_of(out, is_control)) {
    return wrong(text, "has a control character in it");
  }
  for (std::size_t at = 0; !options.allow_any_bytes && at < out.size();) {
    const std::size_t size = utf8_size(std::string_view(out).substr(at));
    if (size == 0) {
      return wrong(text, "is no UTF-8 from its byte " + std::to_string(at) + " (unescaped) on");
    }
    at += size;
  }
  return out;
}

std::string escape(std::string_view text) { return escaped(text, false); }

Result<Form> parse_form(std::string_view text, const FormOptions& options) {
  if (text.size() > options.max_bytes) {
    return Status(
        Code::resource_exhausted,
        "the form is larger than " + std::to_string(options.max_bytes) + " bytes (max_bytes)");
  }
  Form form;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('&'), text.size());
    const std::string_view piece = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (piece.empty()) continue;
    if (form.pairs.size() == options.max_pairs) {
      return Status(
          Code::resource_exhausted,
          "the form has more than " + std::to_string(options.max_pairs) + " pairs (max_pairs)");
    }
    const std::size_t equals = std::min(piece.find('='), piece.size());
    Result<std::string> name = unescape(piece.substr(0, equals), options.unescape);
    if (!name) return name.error();
    Result<std::string> value =
        unescape(piece.substr(std::min(equals + 1, piece.size())), options.unescape);
    if (!value) return value.error();
    form.pairs.push_back({*std::move(name), *std::move(value)});
  }
  return form;
}

std::string write_form(const Form& form) {
  std::string out;
  for (const auto& [name, value] : form.pairs) {
    if (!out.empty()) out += '&';
    out += escaped(name, true) + "=" + escaped(value, true);
  }
  return out;
}

Result<Form> read_form(ServerExchange& exchange, const FormOptions& options,
                       rt::Deadline deadline) {
  const Headers& headers = exchange.request().headers;
  std::string_view type = headers.get("Content-Type").value_or("");
  if (headers.count("Content-Type") != 1 ||
      !same_name(impl::value_before_parameters(type), "application/x-www-form-urlencoded")) {
    exchange.note_body_fault(Code::invalid_argument, 415);
    return Status(Code::invalid_argument,
                  "the body is no form: application/x-www-form-urlencoded was expected as its "
                  "Content-Type");
  }
  if (Status status = exchange.limit_body(options.max_bytes); !status.is_ok()) return status;
  const Result<std::string> body = exchange.read_all(options.max_bytes, deadline);
  if (!body) return body.error();
  Result<Form> form = parse_form(*body, options);
  if (!form) {
    const Code code = form.error().code();
    exchange.note_body_fault(code, code == Code::resource_exhausted ? 413 : 400);
  } else {
    exchange.note_body_fault(Code::ok, 0);  // what was tried before and failed was got over
  }
  return form;
}

}  // namespace parley::http
