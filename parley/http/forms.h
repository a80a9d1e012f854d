// Forms and query strings (application/x-www-form-urlencoded) as pairs of names and values, in
// their order; and percent escapes. Pure functions, from anywhere. codec/form.h does the other
// thing: it turns a form into a struct; this one is for who wants the pairs, and http stands below
// codec.
//
//   Result<Form> form = parse_form(exchange.request().query());
//   for (const FormPair& pair : form->pairs) ...
//   std::string_view tea = form->get("tea").value_or("green");
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "parley/base/result.h"
#include "parley/http/exchange.h"

namespace parley::http {

struct FormPair {
  std::string name{};
  std::string value{};

  friend bool operator==(const FormPair&, const FormPair&) = default;
};

struct Form {
  std::vector<FormPair> pairs{};

  // The value of the first pair of that name; names count by their case.
  [[nodiscard]] std::optional<std::string_view> get(std::string_view name) const noexcept;
  [[nodiscard]] std::vector<std::string_view> all(std::string_view name) const;
};

struct UnescapeOptions {
  bool plus_is_space = false;
  // A percent sign without two hexadecimal digits behind it is one itself (as in browsers); an
  // error otherwise.
  bool keep_lone_percents = false;
  // Takes bytes that are no UTF-8, which are an error otherwise.
  bool allow_any_bytes = false;
  // Takes NUL and other controls (but tab, CR and LF, which a text may have), an error otherwise.
  bool allow_controls = false;
};

struct FormOptions {
  std::size_t max_pairs = 1000;
  std::size_t max_bytes = 1024 * 1024;  // of the form as it is sent
  UnescapeOptions unescape{.plus_is_space = true};
};
inline constexpr FormOptions default_form_options{};

// Without escapes. invalid_argument as the options say, with the byte.
Result<std::string> unescape(std::string_view text, const UnescapeOptions& options = {});
// All but letters, digits and - . _ ~ as %XX (RFC 3986 2.3): fits a path's segment, a query, a
// form.
[[nodiscard]] std::string escape(std::string_view text);

// A name without '=' has an empty value; an empty piece between two '&' is passed over.
// invalid_argument for a wrong escape, resource_exhausted at a limit.
Result<Form> parse_form(std::string_view text, const FormOptions& options = default_form_options);
// Spaces become '+'.
[[nodiscard]] std::string write_form(const Form& form);

// The form in the body of a request. invalid_argument, too, where Content-Type says that it is
// something else (a handler that returns it has answered 415, of a form that is wrong 400); errors
// as Exchange::read() has them.
Result<Form> read_form(ServerExchange& exchange, const FormOptions& options = default_form_options,
                       rt::Deadline deadline = {});

}  // namespace parley::http
