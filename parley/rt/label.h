// Label: what a fiber is about at the moment, for dumps: set for a block, seen by whoever looks.
//
//   rt::Label label("order", order.id);
#pragma once

#include <string_view>

#include "parley/rt/impl/fiber_name.h"

namespace parley::rt {

namespace impl {

struct LabelNode {
  const char* key = nullptr;
  FiberName value;
  LabelNode* outer = nullptr;
};

}  // namespace impl

class Label {
 public:
  // `key` is a literal; `value` is cut at 40 bytes. Inside a fiber only; ends where it began.
  Label(const char* key, std::string_view value);
  ~Label();
  Label(const Label&) = delete;
  Label& operator=(const Label&) = delete;

 private:
  impl::LabelNode node_;
};

}  // namespace parley::rt
