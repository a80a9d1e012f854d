#include "parley/wire/filter.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "parley/base/assert.h"
#include "parley/base/guard.h"

namespace parley::wire {
namespace {

// A byte for people: 'm', or 0x03 when it does not print.
std::string shown(char byte) {
  if (byte > ' ' && byte <= '~') return {'\'', byte, '\''};
  constexpr std::string_view digits = "0123456789abcdef";
  const auto value = static_cast<unsigned char>(byte);
  return {'0', 'x', digits[value >> 4U], digits[value & 15U]};
}

// Of all of them, in that order, before any does its work.
Status check(const Filters* filters, const FilterPipe& pipe, std::string_view what_to_do) {
  for (const char id : pipe.ids()) {
    if (filters != nullptr && filters->find(id) != nullptr) continue;
    return {Code::unimplemented,
            "transfer filter " + shown(id) + " is not registered; " + std::string(what_to_do)};
  }
  return {};
}

// A filter is anybody's code, and runs where nobody else would catch what it throws.
template <class Run>
Result<Bytes> run_guarded(Run run) {
  Result<Bytes> result = Bytes();
  const Status thrown = guarded([&] { result = run(); });
  if (thrown.is_ok()) return result;
  return Status(Code::internal, "threw an exception").with_cause(thrown.cause());
}

Status failed_in(const Filter& filter, const Status& why) {
  return why.with_context("transfer filter " + std::string(filter.name()));
}

// What lies between two stages: a checksum, or what cannot be compressed, adds to the content.
FilterLimit within_pipe(const FilterLimit& limit) {
  constexpr std::size_t few = 1024;
  const std::size_t added = limit.bytes / 64 + few;
  const std::size_t most = std::numeric_limits<std::size_t>::max();
  return {.bytes = limit.bytes > most - added ? most : limit.bytes + added,
          .name = limit.name,
          .of_pipe = limit.bytes};
}

// An id that stands there twice; 0: none does.
char repeated(std::string_view ids) {
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (ids.find(ids[i], i + 1) != std::string_view::npos) return ids[i];
  }
  return 0;
}

}  // namespace

FilterPipe::FilterPipe(std::string_view ids) {
  PARLEY_ASSERT(ids.size() <= max_filters, "a pipe has at most eight filters");
  PARLEY_ASSERT(ids.find('\0') == std::string_view::npos, "0 is no filter's id");
  PARLEY_ASSERT(repeated(ids) == 0, "a pipe has each filter once");
  std::copy(ids.begin(), ids.end(), ids_.begin());
}

Result<FilterPipe> FilterPipe::read(std::string_view ids) {
  if (ids.size() > max_filters) {
    return Status(Code::resource_exhausted,
                  std::to_string(ids.size()) + " transfer filters are more than a pipe may have (" +
                      std::to_string(max_filters) + ")");
  }
  if (ids.find('\0') != std::string_view::npos) {
    return Status(Code::invalid_argument, "transfer filter 0x00 cannot be: 0 is no id");
  }
  if (const char id = repeated(ids); id != 0) {
    return Status(Code::invalid_argument,
                  "transfer filter " + shown(id) + " stands there twice: a pipe has each once");
  }
  return FilterPipe(ids);
}

FilterPipe FilterPipe::reversed() const noexcept {
  FilterPipe pipe;
  const std::string_view ids = this->ids();
  std::copy(ids.rbegin(), ids.rend(), pipe.ids_.begin());
  return pipe;
}

Status FilterLimit::exceeded() const {
  return {Code::resource_exhausted, "more comes out than " + std::string(name) + " allows (" +
                                        std::to_string(bytes) +
                                        " bytes): send less at once or raise the limit"};
}

Filters& Filters::add(std::unique_ptr<const Filter> filter) {
  PARLEY_ASSERT(filter != nullptr && filter->id() != 0, "a transfer filter needs an id");
  PARLEY_ASSERT(find(filter->id()) == nullptr, "two transfer filters have the same id");
  filters_.push_back(std::move(filter));
  return *this;
}

const Filter* Filters::find(char id) const noexcept {
  for (const auto& filter : filters_) {
    if (filter->id() == id) return filter.get();
  }
  return nullptr;
}

Result<Bytes> apply_filters(const Filters* filters, const FilterPipe& pipe, Bytes content) {
  Status bad = check(filters, pipe, "register it on this side, or send without it");
  if (!bad.is_ok()) return bad;
  for (const char id : pipe.ids()) {
    const Filter& filter = *filters->find(id);
    Result<Bytes> applied = run_guarded([&] { return filter.apply(std::move(content)); });
    if (!applied) return failed_in(filter, applied.error());
    content = *std::move(applied);
  }
  return content;
}

Result<Bytes> undo_filters(const Filters* filters, const FilterPipe& pipe, Bytes content,
                           const FilterLimit& limit) {
  Status bad = check(filters, pipe.reversed(),
                     "let the sender send without it, or register it on this side");
  if (!bad.is_ok()) return bad;
  const std::string_view ids = pipe.ids();
  for (std::size_t i = ids.size(); i-- > 0;) {
    const Filter& filter = *filters->find(ids[i]);
    const FilterLimit most = i == 0 ? limit : within_pipe(limit);
    Result<Bytes> undone = run_guarded([&] { return filter.undo(std::move(content), most); });
    if (!undone) return failed_in(filter, undone.error());
    if (undone->size() > most.bytes) return failed_in(filter, most.exceeded());
    content = *std::move(undone);
  }
  return content;
}

Status filter_body(Message& message, const Filters* filters) {
  if (message.filters.empty() || message.is_filtered) return {};
  Result<Bytes> body = apply_filters(filters, message.filters, message.body);
  if (!body) return body.error();
  message.body = *std::move(body);
  message.is_filtered = true;
  return {};
}

Status unfilter_body(Message& message, const Filters* filters, const FilterLimit& limit) {
  if (!message.is_filtered) return {};
  Result<Bytes> body = undo_filters(filters, message.filters, message.body, limit);
  if (!body) return body.error();
  message.body = *std::move(body);
  message.is_filtered = false;
  return {};
}

}  // namespace parley::wire
