#include "parley/peer/impl/parts.h"

#include <algorithm>
#include <string>
#include <utility>

#include "parley/base/assert.h"
#include "parley/peer/impl/outbox.h"
#include "parley/peer/impl/streams.h"
#include "parley/peer/impl/words.h"

namespace parley::impl {
namespace {

using wire::Message;
using wire::MessageType;

// What a message holds that waits, so that many small ones are not free.
std::size_t room_of(const Message& message) { return sizeof(Message) + held_by(message); }

}  // namespace

bool Parts::may_cut(MessageType type) noexcept {
  return type == MessageType::call || type == MessageType::reply || type == MessageType::push ||
         type == MessageType::data;
}

bool Parts::is_lane_of(const Lane& lane, const Message& message) {
  switch (message.type) {
    case MessageType::push:
      return lane.is_of_pushes;
    case MessageType::call:
    case MessageType::reply:
    case MessageType::data:
    case MessageType::end:
      return !lane.is_of_pushes && lane.seq == message.seq &&
             lane.is_own == wire::is_of_own_exchange(message);
    default:
      return false;
  }
}

Parts::Lane* Parts::find(const Message& message) {
  for (Lanes* lanes : {&going_, &waiting_}) {
    for (Lane& lane : *lanes) {
      if (is_lane_of(lane, message)) return &lane;
    }
  }
  return nullptr;
}

bool Parts::holds_up(const Message& message) { return find(message) != nullptr; }

void Parts::add(Message message) {
  // The sender's text may be gone when it is written.
  if (!message.method.empty()) {
    Bytes name = Bytes::copy_of(message.method);
    message.method = name.flatten();
    message.method_block = name.first_block();
  }
  bytes_ += room_of(message);
  Lane* lane = find(message);
  if (lane == nullptr) {
    lane = &waiting_.emplace_back();
    lane->seq = message.seq;
    lane->is_own = wire::is_of_own_exchange(message);
    lane->is_of_pushes = message.type == MessageType::push;
  }
  lane->behind.push_back(std::move(message));
}

std::int32_t Parts::cut(wire::Encoder& encoder, std::size_t part_bytes, Outbox& to) {
  while (going_.size() < most_lanes && !waiting_.empty()) {
    going_.splice(going_.end(), waiting_, waiting_.begin());
  }
  if (going_.empty()) return 0;
  Lane& lane = going_.front();
  std::int32_t call = 0;
  if (lane.has_begun) {
    go_on(lane, encoder, part_bytes, to);
  } else {
    call = begin(lane, encoder, part_bytes, to);
  }
  if (!lane.has_begun && lane.behind.empty()) {
    going_.pop_front();
  } else {
    going_.splice(going_.end(), going_, going_.begin());
  }
  return call;
}

std::int32_t Parts::begin(Lane& lane, wire::Encoder& encoder, std::size_t part_bytes, Outbox& to) {
  Message message = std::move(lane.behind.front());
  lane.behind.pop_front();
  bytes_ -= room_of(message);
  if (message.body.size() > part_bytes) {
    lane.has_begun = true;
    lane.begun = message.type;
    lane.begun_bytes = message.body.size();
    lane.seq = message.seq;
    lane.rest = message.body;
    message.body = lane.rest.slice(0, part_bytes);
    lane.rest.remove_prefix(part_bytes);
    message.more = true;
    bytes_ += lane.rest.size();
  }
  const Status status = to.encode_whole(message, encoder);
  PARLEY_ASSERT(status.is_ok(), "a message that was checked before is refused");
  return message.type == MessageType::call ? message.seq : 0;
}

void Parts::go_on(Lane& lane, wire::Encoder& encoder, std::size_t part_bytes, Outbox& to) {
  Message part{.seq = lane.seq,
               .type = MessageType::part,
               .own = lane.is_own,
               .body = lane.rest.slice(0, part_bytes)};
  lane.rest.remove_prefix(part.body.size());
  bytes_ -= part.body.size();
  part.more = lane.has_begun = !lane.rest.empty();
  const Status status = to.encode_whole(part, encoder);
  PARLEY_ASSERT(status.is_ok(), "part of a body is refused");
}

// Takes what a lane holds off `bytes`.
void Parts::forget(const Lane& lane, std::size_t& bytes) {
  bytes -= lane.rest.size();
  for (const Message& message : lane.behind) bytes -= room_of(message);
}

Parts::Left Parts::drop(std::int32_t seq) {
  for (Lanes* lanes : {&going_, &waiting_}) {
    const auto found = std::find_if(lanes->begin(), lanes->end(), [&](const Lane& lane) {
      return !lane.is_of_pushes && lane.is_own && lane.seq == seq;
    });
    if (found == lanes->end()) continue;
    Left left{.is_any = true, .has_begun = found->has_begun};
    if (found->has_begun && found->begun == MessageType::data) {
      left.credit += StreamCore::message_cost + found->begun_bytes;
    }
    for (const Message& message : found->behind) {
      if (message.type == MessageType::data)
        left.credit += StreamCore::message_cost + message.body.size();
    }
    forget(*found, bytes_);
    lanes->erase(found);
    return left;
  }
  return {};
}

std::vector<Parts::UnsentCall> Parts::drop_calls() {
  std::vector<UnsentCall> calls;
  for (Lanes* lanes : {&going_, &waiting_}) {
    for (auto lane = lanes->begin(); lane != lanes->end();) {
      const MessageType type = lane->has_begun ? lane->begun : lane->behind.front().type;
      if (type != MessageType::call) {
        ++lane;
        continue;
      }
      calls.push_back({.seq = lane->seq, .has_begun = lane->has_begun});
      forget(*lane, bytes_);
      lane = lanes->erase(lane);
    }
  }
  return calls;
}

void Parts::shorten_reply(std::int32_t seq) {
  Lane* const lane = find({.seq = seq, .type = MessageType::reply});
  if (lane == nullptr) return;
  if (lane->has_begun && lane->begun == MessageType::reply) {
    bytes_ -= lane->rest.size();
    lane->rest = {};  // one more part, without bytes, ends it
    return;
  }
  if (lane->has_begun) return;
  Message& reply = lane->behind.front();
  if (reply.type != MessageType::reply) return;
  bytes_ -= room_of(reply);
  reply = {.seq = seq,
           .type = MessageType::reply,
           .status = Status(Code::cancelled, "the caller has given up")};
  bytes_ += room_of(reply);
}

}  // namespace parley::impl
