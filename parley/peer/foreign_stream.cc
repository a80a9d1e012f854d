#include "parley/peer/foreign_stream.h"

#include <algorithm>
#include <utility>

#include "parley/peer/impl/foreign.h"
#include "parley/peer/impl/foreign_end.h"
#include "parley/peer/impl/terms.h"
#include "parley/rt/context.h"
#include "parley/rt/time.h"

namespace parley {

ForeignStream::ForeignStream(std::shared_ptr<impl::Connection> connection, std::string method,
                             wire::Message request)
    : connection_(std::move(connection)),
      method_(std::move(method)),
      request_(std::move(request)),
      came_at_(rt::now()),
      handler_(impl::Foreign::context_of(*connection_), rt::OnExit::cancel) {
  request_.method = method_;
}

ForeignStream::~ForeignStream() {
  (void)caller_gave_up_.stop();
  if (core_ == nullptr) return;
  Status why = rt::Context::current().status();
  if (why.is_ok()) why = Status(Code::cancelled, "the other side has given up");
  cancel(std::move(why));
}

Status ForeignStream::begin(rt::Deadline deadline) {
  const rt::Context caller = rt::Context::current();
  deadline = std::min(deadline, caller.deadline());
  if (Status s = caller.status(); !s.is_ok()) return s.with_context("the stream was not opened");
  if (deadline.instant() <= came_at_) return impl::deadline_passed();
  auto core = impl::Foreign::open(*connection_, request_, deadline);
  if (!core) return core.error();
  core_ = *std::move(core);
  const bool runs = handler_.try_go(
      "stream", [this] { impl::Foreign::serve_stream(*connection_, *core_, request_, came_at_); });
  if (!runs) {
    impl::Foreign::drop(*connection_, *core_, request_);
    return {Code::resource_exhausted, "max_fibers: no fiber for the stream; it was not opened"};
  }
  caller_gave_up_ =
      rt::DoneCall(caller, handler_, "caller gave up", [this, caller] { cancel(caller.status()); });
  return {};
}

Status ForeignStream::give(Bytes body, rt::Deadline deadline) {
  return impl::Foreign::give(*connection_, *core_, std::move(body), deadline);
}

void ForeignStream::finish() { impl::Foreign::finish(*connection_, *core_); }

Result<std::optional<Bytes>> ForeignStream::take(rt::Deadline deadline) {
  auto taken = impl::Foreign::take(*connection_, *core_, deadline);
  // The handler is told where nobody waits for it any more.
  if (!taken && impl::Foreign::is_given_up(*connection_, *core_)) handler_.cancel(taken.error());
  return taken;
}

Result<std::optional<wire::Metadata>> ForeignStream::take_head(rt::Deadline deadline) {
  return impl::Foreign::take_head(*connection_, *core_, deadline);
}

bool ForeignStream::has_some() const { return impl::Foreign::has_some(*connection_, *core_); }

void ForeignStream::cancel(Status why) {
  if (impl::Foreign::give_up(*connection_, *core_, why)) handler_.cancel(std::move(why));
}

Result<wire::Metadata> ForeignStream::end_metadata() const {
  return impl::Foreign::end_metadata(*connection_, *core_);
}

}  // namespace parley
