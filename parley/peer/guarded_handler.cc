#include "parley/peer/guarded_handler.h"

#include <string>

#include "parley/peer/context.h"
#include "parley/peer/impl/words.h"

namespace parley::impl {

Status has_thrown(const Context& context, Status status) {
  if (context.is_push()) return status;
  status = status.with_context(shown_name(context.method()));
  context.log(status.to_string());
  if (!context.options().tells_exceptions) return {Code::internal, std::string(status.message())};
  return status;
}

}  // namespace parley::impl
