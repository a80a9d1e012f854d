// SpanLines: spans as lines of JSON, one each, for a file or whatever else takes text:
//
//   {"trace":"4bf9...","span":"00f0...","parent":"...","kind":"server","method":"/order/place",
//    "remote":"tcp://10.0.0.7:5020","start_ns":1792480000000000000,"took_ns":1204000,"code":"ok"}
//
// Times are nanoseconds, `start_ns` since 1970. "parent" is missing of the first span of a trace;
// "stream":true is there of streams, "message" of errors.
//
// A fiber of its own writes what has gathered; who takes never waits, and drops what there is no
// room for. Made, and destroyed, inside a fiber; fiber-safe.
//
//   auto lines = SpanLines::append_to("spans.jsonl");
//   parley::Peer peer({.plugins = {trace({.exporter = *lines})}});
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "parley/base/files.h"
#include "parley/base/result.h"
#include "parley/peer/plugins/trace.h"
#include "parley/rt/cond.h"
#include "parley/rt/mutex.h"
#include "parley/rt/scope.h"

namespace parley {

struct SpanLinesOptions {
  // Lines that wait to be written. What comes beyond is dropped and counted.
  std::size_t max_waiting_bytes = std::size_t{1} << 20U;
};

struct SpanCounts {
  std::uint64_t written = 0;
  std::uint64_t dropped = 0;  // no room
  std::uint64_t failed = 0;   // they could not be written
};

class SpanLines final : public SpanExporter {
 public:
  // Gets some lines whole. By one fiber at a time, which may wait.
  using Write = std::function<Status(std::string_view lines)>;

  explicit SpanLines(Write write, const SpanLinesOptions& options = {});
  // To the end of a file, which is made where there is none; errors of Files::open(). `files` must
  // outlive it; null: the machine's.
  static Result<std::shared_ptr<SpanLines>> append_to(const std::string& path,
                                                      const SpanLinesOptions& options = {},
                                                      Files* files = nullptr);
  // Writes what waits, however long `write` takes.
  ~SpanLines() override;

  void take(const Span& span) override;
  // Waits until all that was taken before has been written, or could not be; the status of the
  // fiber's context when that ended first.
  Status flush();
  [[nodiscard]] SpanCounts counts() const;

 private:
  void write_all();

  const Write write_;
  const SpanLinesOptions options_;
  mutable rt::Mutex lock_;  // of what follows
  std::string waiting_;
  std::uint64_t waiting_count_ = 0;
  SpanCounts counts_;
  bool is_writing_ = false;
  bool is_ending_ = false;
  rt::Cond work_, idle_;
  rt::Scope scope_;
};

}  // namespace parley
