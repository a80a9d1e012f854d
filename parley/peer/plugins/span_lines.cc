#include "parley/peer/plugins/span_lines.h"

#include <mutex>
#include <utility>

#include "parley/base/guard.h"
#include "parley/peer/impl/words.h"
#include "parley/rt/blocking.h"
#include "parley/rt/context.h"

namespace parley {
namespace {

void append_text(std::string& line, std::string_view name, std::string_view text) {
  line += ",\"";
  line += name;
  line += "\":";
  impl::append_quoted(line, text);
}

std::string line_of(const Span& span) {
  std::string line = R"({"trace":")" + span.context.trace.to_string() + R"(","span":")" +
                     observe::span_text(span.context.span) + '"';
  if (span.parent != 0) append_text(line, "parent", observe::span_text(span.parent));
  append_text(line, "kind", name_of(span.kind));
  if (span.is_stream) line += R"(,"stream":true)";
  append_text(line, "method", span.method);
  append_text(line, "remote", span.remote_address);
  line += R"(,"start_ns":)" + std::to_string(span.start.time_since_epoch().count()) +
          R"(,"took_ns":)" + std::to_string(span.took.count());
  const std::int32_t business = span.status.business_code();
  append_text(line, "code", business != 0 ? std::to_string(business) : name_of(span.status.code()));
  if (!span.status.is_ok()) append_text(line, "message", span.status.message());
  return line + "}\n";
}

// At its end, whatever is there.
Result<std::unique_ptr<File>> open_to_append(Files& files, const std::string& path) {
  auto file = files.open(path, OpenMode::write);
  if (file || file.error().code() != Code::not_found) return file;
  return files.open(path, OpenMode::create_new);
}

}  // namespace

SpanLines::SpanLines(Write write, const SpanLinesOptions& options)
    : write_(std::move(write)), options_(options), scope_(rt::Context::background()) {
  scope_.go("span lines", [this] { write_all(); });
}

SpanLines::~SpanLines() {
  {
    const std::lock_guard lock(lock_);
    is_ending_ = true;
  }
  work_.broadcast();
}

Result<std::shared_ptr<SpanLines>> SpanLines::append_to(const std::string& path,
                                                        const SpanLinesOptions& options,
                                                        Files* files) {
  static RealFiles machine;
  Files& there = files == nullptr ? machine : *files;
  auto opened = rt::blocking([&] { return open_to_append(there, path); });
  if (!opened) return opened.error();
  const std::shared_ptr<File> file = *std::move(opened);
  return std::make_shared<SpanLines>(
      [file](std::string_view lines) { return rt::blocking([&] { return file->append(lines); }); },
      options);
}

void SpanLines::take(const Span& span) {
  const std::string line = line_of(span);
  {
    const std::lock_guard lock(lock_);
    if (waiting_.size() + line.size() > options_.max_waiting_bytes) {
      ++counts_.dropped;
      return;
    }
    waiting_ += line;
    if (++waiting_count_ > 1) return;
  }
  work_.broadcast();
}

Status SpanLines::flush() {
  std::unique_lock lock(lock_);
  return idle_.wait(lock, [this] { return !is_writing_ && waiting_.empty(); });
}

SpanCounts SpanLines::counts() const {
  const std::lock_guard lock(lock_);
  return counts_;
}

void SpanLines::write_all() {
  std::unique_lock lock(lock_);
  for (;;) {
    (void)work_.wait(lock, [this] { return is_ending_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    is_writing_ = true;
    const std::string lines = std::exchange(waiting_, {});
    const std::uint64_t count = std::exchange(waiting_count_, 0);
    lock.unlock();
    Status status;
    const Status thrown = guarded([&] { status = write_(lines); });
    lock.lock();
    is_writing_ = false;
    (thrown.is_ok() && status.is_ok() ? counts_.written : counts_.failed) += count;
    idle_.broadcast();
  }
}

}  // namespace parley
