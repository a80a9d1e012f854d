#include "parley/peer/impl/filters.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

#include "parley/base/status.h"
#include "parley/peer/impl/words.h"
#include "parley/wire/framing.h"

namespace parley::impl {
namespace {

wire::FilterLimit undone_on_stream_limit(const PeerOptions& options) {
  return {.bytes = std::max<std::size_t>(options.stream_credit, wire::Settings().stream_credit),
          .name = "stream_credit"};
}

Status not_asked_for(const wire::FilterPipe& came) {
  return {Code::internal, "it came through the transfer filters \"" +
                              printable(std::string(came.ids())) +
                              "\", which the question did not name, and was not undone"};
}

}  // namespace

wire::FilterLimit undone_limit(const PeerOptions& options) {
  return {.bytes = std::max<std::size_t>(options.max_frame_bytes, wire::Settings().max_message),
          .name = "max_frame_bytes"};
}

void unfilter_answer(const PeerOptions& options, const Question& question, wire::Message& reply) {
  if (!reply.is_filtered || !reply.status.is_ok()) return;
  const Status status =
      reply.filters == question.filters
          ? wire::unfilter_body(reply, options.filters.get(), undone_limit(options))
          : not_asked_for(reply.filters);
  if (status.is_ok()) return;
  reply.body = {};
  reply.status = status.with_context("the answer to " + std::string(question.method) + " from " +
                                     std::string(question.remote_address) + " cannot be read");
}

Result<Bytes> filter_on_stream(const PeerOptions& options, const wire::FilterPipe& pipe,
                               Bytes body) {
  return wire::apply_filters(options.filters.get(), pipe, std::move(body));
}

Result<Bytes> unfilter_on_stream(const PeerOptions& options, const wire::FilterPipe& pipe,
                                 Bytes body) {
  Result<Bytes> undone = wire::undo_filters(options.filters.get(), pipe, std::move(body),
                                            undone_on_stream_limit(options));
  if (!undone) return undone.error().with_context("a message of the stream cannot be read");
  return undone;
}

}  // namespace parley::impl
