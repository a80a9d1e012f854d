// The settings of a Peer and of one call: every limit and every wait has its name and default here.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "parley/base/clock.h"
#include "parley/codec/limits.h"
#include "parley/net/network.h"
#include "parley/peer/name_mapper.h"
#include "parley/peer/plugin.h"
#include "parley/wire/filter.h"
#include "parley/wire/filter_pipe.h"
#include "parley/wire/framing.h"
#include "parley/wire/message.h"
#include "parley/wire/metadata.h"

namespace parley::codec {
class CodecRegistry;
class PatternMatcher;
}  // namespace parley::codec

namespace parley {

// One that makes no sense (a time that is negative, a limit below its least value) is refused by
// listen(), dial() and serve() of the peer: invalid_argument, with its name. A limit that may be
// zero then allows none of what it bounds.
struct PeerOptions {
  // How long a call waits for its answer unless CallOptions says otherwise.
  Duration call_timeout = std::chrono::seconds(30);
  // How long dial() tries.
  Duration dial_timeout = std::chrono::seconds(5);
  // How long the rest of a message may take to come once its first byte is there. A session that
  // needs longer is closed. Between messages a session may be silent for ever.
  Duration frame_timeout = std::chrono::seconds(30);
  // How long the other side may take nothing of what is sent. A session that stalls longer is
  // closed.
  Duration write_timeout = std::chrono::seconds(30);
  // At the end of a session: how long handlers and calls under way are waited for.
  Duration drain_timeout = std::chrono::seconds(5);
  // Then: how long what is queued may take to leave.
  Duration flush_timeout = std::chrono::seconds(5);
  // After that: how long the other side may take to close its half. Also how long, from the
  // beginning of the end, to say that it has heard of it (the parley framing).
  Duration close_timeout = std::chrono::seconds(2);
  // After a connection could not be taken (no fiber was left for it): how long until the next
  // accept. Without a descriptor left, accepting pauses by itself (net::Listener::accept).
  Duration accept_pause = std::chrono::milliseconds(100);
  // How often it is logged, at most, that accepting pauses because no descriptor is left.
  Duration accept_report = std::chrono::seconds(1);

  // How long the plugins around a session that begins may take, an exchange with the other side
  // included (EarlySession). Then it is closed.
  Duration early_timeout = std::chrono::seconds(10);

  // A whole message, in both directions. The parley framing takes 64 KiB whatever is said here; its
  // further limits are those of wire::ParleyLimits, for framings of your own.
  std::size_t max_frame_bytes = std::size_t{16} << 20U;
  // Sessions at once; further connections are closed at once.
  std::size_t max_sessions = 10'000;
  // Handlers running at once for one session. A CALL beyond is answered with resource_exhausted, a
  // PUSH beyond is dropped and logged.
  std::size_t max_handlers = 1'024;
  // Bytes of arguments that the handlers of one session hold, and of their answers that wait
  // because the other side takes those before them slowly (max_outgoing_bytes); a request that
  // would exceed it, or comes while they do, is refused as above. One request alone may always run.
  // Of handlers that run by then more answers may come to wait, until there is twice as much. What
  // an answer beyond has to say is dropped: its caller is told resource_exhausted, and that the
  // call was run.
  std::size_t max_handler_bytes = std::size_t{64} << 20U;
  // Calls of ours waiting for an answer in one session, and callbacks of theirs that have not
  // returned; a further one fails with resource_exhausted.
  std::size_t max_calls = 65'536;
  // Fibers that run the sessions of this peer, and so handlers that may wait at the same time,
  // within RuntimeOptions::max_fibers. A CALL beyond is answered with resource_exhausted. One fiber
  // always stands by for whoever waits: with max_fibers = 1 no CALL is served, and callbacks
  // (Session::call_then, on_closed) are called at the end of their session only. At the limit they
  // wait for their turn. A session over a stream that cannot tell when there is something to read
  // (net::Stream::readiness: net::SimWorld, networks of your own) holds one for as long as it
  // lasts.
  std::size_t max_fibers = 100'000;
  // Bytes waiting to be sent in one session; who wants to send more waits. As many again of bodies
  // that go in parts, and of what may not overtake them; what is small passes them. And of answers
  // to pings and to calls that are not run; a session that asks for more of them and takes none is
  // closed.
  std::size_t max_outgoing_bytes = std::size_t{4} << 20U;
  // A body beyond so many bytes goes in parts of that size (the parley framing), and what is small
  // goes between them: the smaller, the sooner, the more frames. At least 16 KiB; 48 KiB or less
  // whatever is said here, while the other side takes no larger frames. PUSHes do not overtake each
  // other, nor do the messages of a stream.
  std::size_t part_bytes = std::size_t{64} << 10U;

  // Streams that the other side of a session may have open at once, at least 100; each is served as
  // a handler of max_handlers. Bytes that may have come on one of them without being read, at least
  // 64 KiB, and on all of a session together, at least 1 MiB: readers that are slow together hold
  // up the session's other streams beyond that (not those of a ForeignSession, which share nothing
  // but max_handler_bytes of what is larger). A message that is larger than half of either may
  // come all the same. Through filters they are the bytes that travel; what comes out of one
  // message is at most stream_credit, too. Framings of your own have them in their limits.
  std::size_t max_streams = 1'000;
  std::size_t stream_credit = std::size_t{256} << 10U;
  std::size_t session_credit = std::size_t{4} << 20U;
  // Values a program may keep with one session (SessionValues).
  std::size_t max_session_values = 1'024;
  // Callbacks that may wait for the end of one session (Session::on_closed).
  std::size_t max_on_closed = 1'024;

  // The formats of bodies that are read and written here, by id (codec/codec.h). A message in any
  // other is answered with invalid_argument, which names those that are known. Null: json,
  // protobuf, msgpack, form and plain.
  std::shared_ptr<const codec::CodecRegistry> codecs = {};
  // What arguments are written in, unless the call says otherwise, and what is answered to who says
  // nothing: neither in what it writes nor what it takes. Only json has code for small values.
  wire::BodyCodec body_codec = wire::BodyCodec::json;
  // What one body may be: beyond it reading ends with resource_exhausted and the limit's name, and
  // the caller of a handler is told invalid_argument, since another try would be in vain.
  // Numbers and texts of up to 48 bytes that are arguments by themselves are not measured. A level
  // of depth takes less than 1 KiB of the fiber's stack, and what is made of it some more when it
  // is destroyed: twice the default fits RuntimeOptions::stack_size, more may need a larger one.
  codec::Limits codec_limits = {};
  // Whether callers are told the text of an exception that a handler threw, as the cause of
  // internal. False: only that it threw one, which is what a port that anybody reaches should say.
  // The log has the text either way.
  bool tells_exceptions = true;
  // Whether arguments are held against the rules beside their types (codec/validate.h) before a
  // handler runs, those of a PUSH and the messages of a stream it serves too. What rules say of
  // where a value comes from (codec/bind.h) holds in any case: it is never taken from a body. What
  // is sent from here is not looked at: the rules are those of who serves.
  bool validate = true;
  // Who knows the regular expressions of rules (codec/regex/regex.h). Null: a method whose
  // arguments have some fails with failed_precondition, and the log says so when it is added.
  std::shared_ptr<const codec::PatternMatcher> patterns = {};

  // How the methods of controllers get their names (controller.h).
  NameMapper name_mapper = &http_name;

  // The byte formats this peer speaks. It dials with the first; who dials it may speak any of them,
  // which is told by the first bytes. None: parley, then raw.
  std::vector<std::shared_ptr<const wire::Framing>> framings = {};

  // The transfer filters that calls may go through (CallOptions::filters; wire/filters/standard.h
  // has some). A call through one that is not among them is answered with unimplemented; in
  // Teleport's formats it ends the session. What a body may be without its filters is
  // max_frame_bytes, and a stream's message stream_credit. Framings of your own of Teleport's
  // formats take theirs from their limits. Null: none.
  std::shared_ptr<const wire::Filters> filters = {};

  // What is around its life, its sessions and its calls, in the order in which it is asked
  // (plugin.h).
  std::vector<Plugin> plugins = {};

  // Lines of the log about requests of one session, PUSHes that are dropped or fail and what
  // handlers throw, within request_lines_period: whoever calls shall not fill the log. How many
  // more there were is said before the next such line, or at the end of the session.
  std::size_t max_request_lines = 10;
  Duration request_lines_period = std::chrono::seconds(1);

  // Where connections come from; null: TCP. Must outlive the peer.
  net::Network* network = nullptr;
  // Told, one line each, of what no caller sees: sessions that ended badly, pushes that failed; and
  // of what handlers throw, which their callers are told, too (internal, its text as the cause).
  // Fibers call it, several at once: what it writes to needs a lock if it has none of its own. Of
  // what it throws nobody hears: the line is lost.
  std::function<void(std::string_view line)> log = {};
};

// Who began a session: who dialled speaks the first of PeerOptions::framings, who accepted waits to
// hear which it is.
enum class Side : std::uint8_t { dialled, accepted };

// What a PUSH to many does about a session whose max_outgoing_bytes are waiting to be sent.
enum class WhenFull : std::uint8_t {
  wait,   // for room, once all others have it, at most PushOptions::timeout for all together
  drop,   // this session does not get it
  close,  // the session is cut: whoever cannot keep up has to come again
};

struct PushOptions {
  WhenFull when_full = WhenFull::wait;
  // Of WhenFull::wait; zero is the same as drop.
  Duration timeout = std::chrono::seconds(1);
  // Travels beside the arguments.
  wire::Metadata metadata = {};
  // What the arguments go through, as CallOptions::filters: once for all sessions of a peer that
  // speak the parley framing.
  wire::FilterPipe filters = {};
  // What the arguments are written in; nothing: PeerOptions::body_codec of the first session's
  // peer.
  std::optional<wire::BodyCodec> body_codec = {};
};

// Of the calls of a Batch.
struct BatchOptions {
  // Overrides PeerOptions::call_timeout: for all of them together.
  std::optional<Duration> timeout = {};
  // Travels beside the arguments of each.
  wire::Metadata metadata = {};
  // What the arguments and the result of each go through, as CallOptions::filters.
  wire::FilterPipe filters = {};
  // What the arguments of each are written in, when it is added: it has to be said when the batch
  // is made. Nothing: PeerOptions::body_codec.
  std::optional<wire::BodyCodec> body_codec = {};
};

struct CallOptions {
  // Overrides PeerOptions::call_timeout.
  std::optional<Duration> timeout = {};
  // Travels beside the arguments.
  wire::Metadata metadata = {};
  // Where the metadata of the answer goes, an error's too; null: nowhere.
  wire::Metadata* reply_metadata = nullptr;
  // What the arguments go through on their way, and the result on its way back: FilterPipe("z"); of
  // a stream, each message either way. Each filter is to be in PeerOptions::filters of both sides,
  // or the call fails and says so; not_sent when its time is over before they have done their work.
  wire::FilterPipe filters = {};
  // What the arguments are written in; of a stream, all messages either way. Nothing:
  // PeerOptions::body_codec.
  std::optional<wire::BodyCodec> body_codec = {};
  // What the result shall be written in, if the other side can; otherwise it is written as the
  // arguments are. Travels as metadata (X-Accept-Body-Codec), as Teleport has it. Not of a stream.
  std::optional<wire::BodyCodec> accept_body_codec = {};
  // For proxies: the arguments have gone through `filters` already, somewhere else, and what comes
  // back is left as it travelled; wire::Message::is_filtered says so of an answer
  // (call<wire::Message>). Of a stream, each message either way. Where the format of the session or
  // a plugin around its calls needs them undone they are, and then so is the answer.
  bool is_filtered = false;
};

}  // namespace parley
