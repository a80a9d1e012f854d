// What a session does with transfer filters where its framing leaves that to it
// (wire::Encoder::takes_filtered_bodies). Private to peer. Pure functions, safe anywhere.
#pragma once

#include <string_view>

#include "parley/base/bytes.h"
#include "parley/base/result.h"
#include "parley/peer/options.h"
#include "parley/wire/filter.h"
#include "parley/wire/message.h"

namespace parley::impl {

// What a body may be without its filters: as large as the parley framing takes one.
wire::FilterLimit undone_limit(const PeerOptions& options);

// What an answer is an answer to.
struct Question {
  std::string_view method;
  std::string_view remote_address;
  wire::FilterPipe filters;
};
// Of an answer, by the fiber that waited for it: makes its body what was sent. Where that cannot be
// read, or came through filters that the question did not name, the answer becomes an error.
void unfilter_answer(const PeerOptions& options, const Question& question, wire::Message& reply);

// Of one message on a stream, whose OPEN named the pipe.
Result<Bytes> filter_on_stream(const PeerOptions& options, const wire::FilterPipe& pipe,
                               Bytes body);
// What comes out is at most stream_credit: credit counts what travels, which may be much less.
Result<Bytes> unfilter_on_stream(const PeerOptions& options, const wire::FilterPipe& pipe,
                                 Bytes body);

}  // namespace parley::impl
