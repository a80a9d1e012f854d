#include "parley/http/exchange.h"

#include <utility>

namespace parley::http {

std::string_view name_of(Protocol protocol) noexcept {
  switch (protocol) {
    case Protocol::http_1_0:
      return "HTTP/1.0";
    case Protocol::http_1_1:
      return "HTTP/1.1";
    case Protocol::http_2:
      return "HTTP/2";
  }
  return "";
}

Result<std::string> Exchange::read_all(std::size_t most, rt::Deadline deadline) {
  std::string all;
  for (;;) {
    const Result<std::string_view> piece = read(deadline);
    if (!piece) return piece.error();
    if (piece->empty()) return all;
    if (piece->size() > most - all.size()) {
      note_too_large();
      return Status(Code::resource_exhausted, "the body is larger than the " +
                                                  std::to_string(most) +
                                                  " bytes that read_all() was to take; send less, "
                                                  "or have it take more");
    }
    all += *piece;
  }
}

Status ServerExchange::answer(StatusCode status, std::string_view body,
                              std::string_view content_type) {
  Response& head = response();
  head.status = status;
  if (!body.empty() && !head.headers.get("Content-Type")) {
    if (Status bad = head.headers.add("Content-Type", content_type); !bad.is_ok()) return bad;
  }
  const bool has_none = status == 204 || status == 304 || status < 200;
  if (Status begun = begin(has_none ? BodySize::none() : BodySize::of(body.size()));
      !begun.is_ok()) {
    return begun;
  }
  if (!has_none) {
    if (Status written = write(body); !written.is_ok()) return written;
  }
  return end();
}

}  // namespace parley::http
