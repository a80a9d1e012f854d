#include "parley/peer/impl/streams.h"

#include <algorithm>
#include <string>
#include <utility>

#include "parley/base/assert.h"
#include "parley/peer/impl/answer.h"
#include "parley/peer/impl/foreign_end.h"

namespace parley::impl {
namespace {

using wire::Message;
using wire::MessageType;

// More credit than anybody can mean, and far from what the number holds.
constexpr std::int64_t most_credit = std::int64_t{1} << 50U;

std::string of(const Message& message) {
  return std::string(name_of(message.type)) + " of stream " + std::to_string(message.seq);
}

// What must be left for a message of that cost: one that costs more than half of all there ever is
// may go when that half is there, since it could never go otherwise.
std::uint64_t needed(std::size_t cost, std::uint64_t all) {
  return std::min<std::uint64_t>(cost, all / 2);
}

// As long as the credit is whole the least that is needed is there; it may be less than nothing.
bool fits(std::uint64_t unreturned, std::size_t cost, std::uint64_t all) {
  return unreturned + needed(cost, all) <= all;
}

// Of what one stream holds, what its own credit does not cover.
std::uint64_t beyond(std::uint64_t held, std::uint64_t credit) {
  return held - std::min(held, credit);
}

// What was sent and not taken.
std::uint64_t untaken(const StreamCore& core, std::uint64_t credit) {
  return static_cast<std::uint64_t>(static_cast<std::int64_t>(credit) - core.may_send);
}

// Who says that it takes everything must not overflow a number here.
wire::Settings within_reason(wire::Settings settings) {
  const auto most = static_cast<std::uint64_t>(most_credit);
  settings.stream_credit = std::min(settings.stream_credit, most);
  settings.session_credit = std::min(settings.session_credit, most);
  return settings;
}

}  // namespace

Streams::Streams(const wire::Settings& takes, const wire::Settings& other, bool is_foreign)
    : takes_(takes),
      other_(within_reason(other)),
      may_send_(is_foreign ? most_credit : static_cast<std::int64_t>(other_.session_credit)),
      is_foreign_(is_foreign) {}

void Streams::allow(const wire::Settings& said) {
  const wire::Settings other = within_reason(said);
  const auto more = static_cast<std::int64_t>(other.stream_credit - other_.stream_credit);
  may_send_ += static_cast<std::int64_t>(other.session_credit - other_.session_credit);
  other_ = other;
  for (Table* table : {&opened_, &served_}) {
    for (auto& [seq, core] : *table) {
      core->may_send += more;
      core->may_go.broadcast();
    }
  }
  may_go_.broadcast();
}

Status Streams::has_room() const {
  if (opened_.size() < other_.max_streams) return {};
  return {Code::resource_exhausted, "max_streams: the other side takes " +
                                        std::to_string(other_.max_streams) + " streams at once"};
}

Streams::Core Streams::find(const Table& table, std::int32_t seq) {
  const auto found = table.find(seq);
  return found == table.end() ? nullptr : found->second;
}

Streams::Core Streams::add(Table& table, const Birth& birth) {
  auto core = std::make_shared<StreamCore>();
  core->seq = birth.seq;
  core->is_own = birth.is_own;
  core->codec = birth.codec;
  core->deadline = birth.deadline;
  // All streams together must not keep back what the session needs.
  core->tell_at =
      std::min(takes_.stream_credit / 4,
               takes_.session_credit / 4 / std::max<std::uint64_t>(takes_.max_streams, 1));
  core->may_send = static_cast<std::int64_t>(other_.stream_credit);
  table.emplace(birth.seq, core);
  return core;
}

Streams::Missing Streams::missing(const StreamCore& core, std::size_t cost) const {
  if (core.may_send < static_cast<std::int64_t>(needed(cost, other_.stream_credit))) {
    return Missing::stream;
  }
  if (is_foreign_) [[unlikely]] {
    const std::uint64_t held = untaken(core, other_.stream_credit);
    const std::uint64_t before = beyond(held, other_.stream_credit);
    const std::uint64_t now = beyond(held + cost, other_.stream_credit);
    return may_hold(sent_beyond_, before, now) ? Missing::nothing : Missing::session;
  }
  if (may_send_ < static_cast<std::int64_t>(needed(cost, other_.session_credit))) {
    return Missing::session;
  }
  return Missing::nothing;
}

void Streams::spend(StreamCore& core, std::size_t cost) {
  PARLEY_ASSERT(missing(core, cost) == Missing::nothing, "credit was spent that is not there");
  core.may_send -= static_cast<std::int64_t>(cost);
  may_send_ -= static_cast<std::int64_t>(cost);
  if (is_foreign_) [[unlikely]]
    count_beyond(core);
}

void Streams::take_back(std::uint64_t cost) {
  if (cost == 0) return;
  may_send_ += static_cast<std::int64_t>(cost);
  may_go_.broadcast();
}

Status Streams::take(Message& message) {
  switch (message.type) {
    case MessageType::data:
      return take_data(message);
    case MessageType::end:
      return take_end(message);
    case MessageType::credit:
      return take_credit(message);
    case MessageType::cancel:
      if (const Core core = find(served_, message.seq); core != nullptr && !core->is_over) {
        end(*core, Status(Code::cancelled, "the other side has given up"));
      }
      return {};
    default:
      return {};
  }
}

Status Streams::take_data(Message& message) {
  const Core core = of_message(message);
  // One whose body was refused says how long it was; one that was opened was longer on its way.
  const std::size_t beside = core == nullptr ? 0 : core->beside;
  const std::size_t cost = StreamCore::message_cost +
                           (message.is_refused ? message.value : message.body.size() + beside);
  if (!is_foreign_ && !fits(to_return_, cost, takes_.session_credit)) {
    return {Code::invalid_argument, of(message) + ": beyond the credit of the session"};
  }
  to_return_ += cost;
  if (core == nullptr) {  // it is over here, which the sender did not know
    to_announce_ += cost;
    return {};
  }
  ++core->came_count;
  if (core->has_other_finished) {
    return {Code::invalid_argument, of(message) + ": after the end"};
  }
  if (!fits(core->to_return, cost, takes_.stream_credit)) {
    return {Code::invalid_argument, of(message) + ": beyond the credit of the stream"};
  }
  core->to_return += cost;
  if (is_foreign_) [[unlikely]]
    count_beyond(*core);
  if (message.is_refused && !core->is_over) end(*core, std::move(message.status));
  if (core->is_abandoned || core->is_over) {
    eaten(*core, cost);
    return {};
  }
  core->inbox.push_back(std::move(message.body));
  core->came.signal();
  return {};
}

Status Streams::take_end(Message& message) {
  Table& table = message.own ? served_ : opened_;
  const Core core = find(table, message.seq);
  if (core == nullptr) return {};
  if (core->has_other_finished) {
    return {Code::invalid_argument, of(message) + ": a second time"};
  }
  core->has_other_finished = true;
  if (message.own) {
    core->came.broadcast();
    return {};
  }
  core->end_metadata = std::move(message.metadata);
  if (!core->is_over) end(*core, as_told(std::move(message.status), true));
  table.erase(message.seq);
  return {};
}

Status Streams::take_credit(const Message& message) {
  if (message.value == 0) return {};
  const auto more = static_cast<std::int64_t>(
      std::min<std::uint64_t>(message.value, static_cast<std::uint64_t>(most_credit)));
  std::int64_t* left = &may_send_;
  rt::Cond* who = &may_go_;
  Core core;
  if (message.seq != 0) {
    core = find(message.own ? served_ : opened_, message.seq);
    if (core == nullptr) return {};
    left = &core->may_send;
    who = &core->may_go;
  }
  if (*left + more > most_credit) {
    return {Code::invalid_argument, of(message) + ": more than can be meant"};
  }
  *left += more;
  who->broadcast();
  return {};
}

void Streams::end(StreamCore& core, Status status) {
  core.is_over = true;
  core.end = std::move(status);
  core.came.broadcast();
  core.may_go.broadcast();
  may_go_.broadcast();  // one of those may be waiting for the session's credit
  if (core.foreign == nullptr) return;
  core.foreign->may_give.broadcast();
  may_give_.broadcast();
}

// Nobody waits for ever: with nothing beyond, any message may be.
bool Streams::may_hold(std::uint64_t all, std::uint64_t before, std::uint64_t now) const {
  return now <= before || all == 0 || all + (now - before) <= takes_.session_credit;
}

Streams::Missing Streams::missing_to_come(const StreamCore& core, std::size_t cost) const {
  if (!fits(core.to_return, cost, takes_.stream_credit)) return Missing::stream;
  const std::uint64_t before = beyond(core.to_return, takes_.stream_credit);
  const std::uint64_t now = beyond(core.to_return + cost, takes_.stream_credit);
  return may_hold(came_beyond_, before, now) ? Missing::nothing : Missing::session;
}

void Streams::count_beyond(StreamCore& core) {
  ForeignEnd& end = *core.foreign;
  const std::uint64_t came = beyond(core.to_return, takes_.stream_credit);
  came_beyond_ += came - std::exchange(end.came_beyond, came);
  const std::uint64_t sent = beyond(untaken(core, other_.stream_credit), other_.stream_credit);
  sent_beyond_ += sent - std::exchange(end.sent_beyond, sent);
}

// All of it, however little: what is kept back of many streams would be missing to nobody else.
void Streams::give_credit_here() {
  const std::uint64_t before = came_beyond_;
  bool is_waited_for = false;
  for (const Core& core : due_) {
    core->wants_credit = false;
    core->to_return -= std::exchange(core->to_announce, 0);
    count_beyond(*core);
    core->foreign->may_give.broadcast();
    // There is room in its own credit, which it needs the less of the session's for.
    is_waited_for = is_waited_for || core->foreign->waits_to_give > 0;
  }
  due_.clear();
  to_return_ -= std::exchange(to_announce_, 0);
  if (is_waited_for || came_beyond_ < before) may_give_.broadcast();
}

void Streams::taken(StreamCore& core, std::uint64_t cost) {
  const std::uint64_t before = sent_beyond_;
  core.may_send += static_cast<std::int64_t>(cost);
  may_send_ += static_cast<std::int64_t>(cost);
  count_beyond(core);
  core.may_go.broadcast();
  if (sent_beyond_ < before || core.foreign->waits_to_send > 0) may_go_.broadcast();
}

void Streams::eaten(StreamCore& core, std::uint64_t cost) {
  core.to_announce += cost;
  to_announce_ += cost;
  const std::uint64_t least = is_foreign_ ? 1 : takes_.stream_credit / 2;
  if (core.wants_credit || core.to_announce < least) return;
  core.wants_credit = true;
  due_.push_back(core.shared_from_this());
}

std::optional<Message> Streams::next_credit() {
  if (to_announce_ >= takes_.session_credit / 2) {
    const std::uint64_t all = std::exchange(to_announce_, 0);
    to_return_ -= all;
    return Message{.type = MessageType::credit, .value = all};
  }
  while (!due_.empty()) {
    const Core core = std::move(due_.back());
    due_.pop_back();
    core->wants_credit = false;
    if (core->has_other_finished || find(core->is_own ? opened_ : served_, core->seq) != core) {
      continue;  // nobody sends on it any more
    }
    const std::uint64_t all = std::exchange(core->to_announce, 0);
    core->to_return -= all;
    return Message{
        .seq = core->seq, .type = MessageType::credit, .own = core->is_own, .value = all};
  }
  return {};
}

void Streams::let_go(StreamCore& core) {
  std::uint64_t cost = 0;
  for (const Bytes& body : core.inbox) cost += core.cost_of(body);
  core.inbox = {};
  eaten(core, cost);
}

void Streams::release(StreamCore& core) {
  std::uint64_t cost = std::exchange(core.read_cost, 0);
  for (std::size_t i = core.next; i < core.taken.size(); ++i) {
    cost += core.cost_of(core.taken[i]);
  }
  core.taken = {};
  core.next = 0;
  eaten(core, cost);
}

void Streams::abandon(StreamCore& core, Status why) {
  const Core shared = core.shared_from_this();  // the table may hold the last one
  core.is_abandoned = true;
  if (!core.is_own) served_.erase(core.seq);
  end(core, std::move(why));
  let_go(core);
}

}  // namespace parley::impl
