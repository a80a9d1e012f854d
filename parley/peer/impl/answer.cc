#include "parley/peer/impl/answer.h"

#include <source_location>
#include <utility>

namespace parley::impl {

Status as_answer(Status status) {
  const bool not_sent = status.code() == Code::not_sent;
  if (!not_sent && status.code() != Code::outcome_unknown) return status;
  return Status(not_sent ? Code::unavailable : Code::unknown, status.message(),
                std::source_location())
      .with_cause(status.cause())
      .with_business_code(status.business_code());
}

Status as_told(Status status, bool says_not_sent) {
  if (says_not_sent && status.code() == Code::not_sent) return status;
  return as_answer(std::move(status));
}

void settle(Result<wire::Message>& reply, wire::Metadata* metadata, bool says_not_sent) {
  if (!reply) return;
  if (Status s = settle(*reply, metadata, says_not_sent); !s.is_ok()) reply = std::move(s);
}

}  // namespace parley::impl
