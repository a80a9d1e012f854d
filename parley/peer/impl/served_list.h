// ServedList: the calls of the other side's whose handlers have handed on, and may be ended by what
// others read. Private to peer.
//
// From any fiber; never waits for long.
//
//   list.add(call);                                   // its handler is about to wait
//   list.end(7, Status(Code::cancelled, "..."));      // elsewhere, meanwhile
//   list.remove(call);                                // before it goes
#pragma once

#include <cstdint>
#include <mutex>

#include "parley/base/status.h"
#include "parley/peer/impl/call_table.h"

namespace parley::impl {

class ServedList {
 public:
  // From here on it may be ended. Of several calls of one number, which nobody may use, the first.
  void add(ServedCall& call);
  // If it was added.
  void remove(ServedCall& call) {
    if (call.is_listed) take_out(call);
  }
  // Ends the context of the handler of that call, if it is here.
  void end(std::int32_t seq, const Status& why);

 private:
  void take_out(ServedCall& call);

  // tidy-allow(os-threads): a fiber that is about to wait for something else cannot wait for this.
  std::mutex lock_;
  ServedCalls calls_;
};

}  // namespace parley::impl
