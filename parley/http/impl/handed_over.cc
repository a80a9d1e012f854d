#include "parley/http/impl/handed_over.h"

#include <utility>

#include "parley/http/draining.h"
#include "parley/rt/context.h"

namespace parley::http::impl {
namespace {

class Bound final : public Attended {
 public:
  Bound(const Service& service, const rt::Cancel& cancel)
      : limit_(service.options().handed_over_timeout), cancel_(cancel) {
    join(service.draining());
  }
  ~Bound() override { leave(); }
  Bound(const Bound&) = delete;
  Bound& operator=(const Bound&) = delete;

 private:
  Instant attend(Instant /*now*/, bool drains) override {
    if (!drains) return Instant::max();
    if (!std::exchange(is_told_, true)) return rt::Deadline::after(limit_).instant();
    cancel_(Status(Code::cancelled, "the server drains, and handed_over_timeout is over"));
    return Instant::max();
  }

  const Duration limit_;
  const rt::Cancel& cancel_;
  bool is_told_ = false;
};

}  // namespace

void run_handed_over(const Service& service, const std::function<void()>& then) {
  auto [context, cancel] = rt::Context::current().with_cancel();
  const rt::WithContext bound(context);
  const Bound limit(service, cancel);
  then();
}

}  // namespace parley::http::impl
