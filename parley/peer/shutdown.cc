#include "parley/peer/shutdown.h"

#include <string_view>

#include "parley/peer/impl/words.h"

namespace parley {
namespace {

std::string count(std::size_t number, std::string_view what) {
  return std::to_string(number) + ' ' + std::string(what) + (number == 1 ? "" : "s");
}

}  // namespace

std::string WorkCount::to_string() const {
  return count(handlers, "handler") + ", " + count(calls, "call") + ", " + count(streams, "stream");
}

WorkCount& WorkCount::operator+=(const WorkCount& other) {
  handlers += other.handlers;
  calls += other.calls;
  streams += other.streams;
  return *this;
}

std::string ShutdownReport::to_string() const {
  if (!is_over) return "shutting down; a handler asked for it and does not wait for it";
  std::string text = "shut down within " + impl::in_milliseconds(took) + ": " +
                     count(sessions, "session") + "; finished " + finished.to_string();
  if (cut.all() == 0) return text + "; nothing was cut";
  return text + "; cut " + cut.to_string() + " of " + count(sessions_cut, "session");
}

}  // namespace parley
