// What an HTTP/2 connection may cost, and how it is kept (RFC 9113). Plain values, for both sides.
//
// Limits of a second are counted from the first frame of it. Beyond one of them the connection ends
// with GOAWAY and ENHANCE_YOUR_CALM, and the error says which it was.
#pragma once

#include <cstddef>
#include <cstdint>

#include "parley/base/clock.h"

namespace parley::http {

struct Http2Limits {
  std::uint32_t max_streams = 100;  // at once, opened by the other side
  // A client's: before the other side said how many it allows. More might be refused.
  std::uint32_t max_before_settings = 10;
  // Handlers of a connection that have not returned, also those whose stream was taken back. A
  // stream beyond them is refused (REFUSED_STREAM: it may be sent again).
  std::size_t max_running = 200;
  // The same of a server's connection while more than half of ServerOptions::max_handlers are in
  // use, so that few connections with long streams leave something to all others.
  std::size_t max_running_when_scarce = 20;
  std::size_t max_header_list = 32 * 1024;  // bytes, 32 more for each field (RFC 9113 6.5.2)
  std::size_t max_headers = 100;            // fields of a head
  std::uint32_t max_header_table = 4096;    // bytes that HPACK keeps for the other side
  std::size_t max_continuations = 8;        // frames of one head
  // Of a body. A Server's is ServerOptions::limits.max_body_bytes, a Client's that of its limits.
  std::uint64_t max_body_bytes = 16 * 1024 * 1024;
  std::size_t max_informational = 16;  // responses 1xx before the answer

  std::uint32_t first_window = 64 * 1024;  // bytes of a stream, at first
  // And at most, as bandwidth and delay need it, of a stream that is read: what max_streams times
  // first_window leaves of max_unread. Who reads nothing holds up nobody else.
  std::uint32_t max_window = 4 * 1024 * 1024;
  std::size_t max_unread = 16 * 1024 * 1024;  // of all streams: what nobody has read yet
  std::size_t max_unsent = 64 * 1024;         // of a stream: then write() waits
  std::size_t max_write = 64 * 1024;          // bytes gathered for one write of the connection
  // Frames that wait to be sent, besides one for each of max_streams: what the other side makes us
  // say, and does not read. Beyond them the connection ends as beyond a limit of a second.
  std::size_t max_queued = 2000;

  // In a second.
  // Streams that were opened and taken back (rapid reset), and so many that were reset here because
  // they broke a rule or were more than max_streams; those beyond max_running are not counted.
  std::uint32_t max_resets = 200;
  std::uint32_t max_settings = 20;
  std::uint32_t max_pings = 100;
  std::uint32_t max_empty_frames = 100;     // DATA without bytes that ends nothing
  std::uint32_t max_window_updates = 1000;  // besides 10 for each DATA frame that was sent
  std::uint32_t max_priorities = 200;       // PRIORITY and PRIORITY_UPDATE
  std::uint32_t max_unknown_frames = 200;   // of types that nobody knows
  // Of all streams of a connection, so many in a hundred may be taken back, once there were
  // resets_counted_from of them.
  std::uint32_t max_resets_in_hundred = 80;
  std::uint64_t resets_counted_from = 1000;
};

// Of the first four times zero, and Duration::max(), is never.
struct Http2Options {
  Http2Limits limits{};
  // A connection on which nothing came for so long is sent a PING.
  Duration ping_after{};
  // It ends when no answer came after so long.
  Duration ping_timeout = std::chrono::seconds(20);
  // A connection without a stream for so long ends with GOAWAY.
  Duration idle_timeout = std::chrono::seconds(75);
  // What was gathered must be taken by the other side within this.
  Duration write_timeout = std::chrono::seconds(30);
  // A connection that is to end says so, and takes new streams until a PING behind that is
  // answered: for so long at most.
  Duration goaway_wait = std::chrono::seconds(2);
  // After the last stream of a connection that ends, for the other side to close it. And on a
  // server after an answer that left before the whole request had come, until the stream is reset:
  // for so long what still comes of it is passed over.
  Duration linger = std::chrono::seconds(2);
};

}  // namespace parley::http
