#include "parley/peer/impl/reason.h"

namespace parley::impl {
namespace {

Status with_more(const Status& reason, const std::string& more) {
  return reason.with_cause(reason.cause().empty() ? more : reason.cause() + "; " + more);
}

}  // namespace

std::string as_cause(const Status& reason) {
  return reason.cause().empty() ? reason.message() : reason.message() + ": " + reason.cause();
}

Status without_a_word(const Status& reason, std::string_view framing) {
  return with_more(reason, "nothing has come from it: does it speak " + std::string(framing) +
                               ", does it want TLS or a plugin, has it room (max_sessions)?");
}

Status at_first_bytes(const Status& reason, std::string_view framing) {
  return with_more(reason, "these were its first bytes: does it speak " + std::string(framing) +
                               ", or does it want TLS?");
}

}  // namespace parley::impl
