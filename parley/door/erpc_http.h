// erpc's http framing (docs/protocols/erpc-http.md) as a framing of a Peer: a call is a POST with
// X-Seq and X-Mtype, its answer a response with both, any number of them under way at once and
// either side may ask. It looks like HTTP and is not: answers come in any order.
//
// A Peer that has it among PeerOptions::framings is called by erpc's clients at a Door's one port,
// where those two headers tell it from plain HTTP; it also works behind a listener of its own. One
// that has it first calls erpc's servers.
//
// Immutable; any thread.
//
//   Peer peer({.framings = {std::make_shared<wire::ParleyFraming>(), erpc_http_framing()}});
//   Door door(**listener, peer);
//
//   Peer client({.framings = {erpc_http_framing()}});     // calls an erpc server
//   auto session = client.dial("tcp://host:9090");
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "parley/codec/codec.h"
#include "parley/wire/erpc_limits.h"
#include "parley/wire/framing.h"

namespace parley::door {

inline constexpr std::string_view erpc_http_name = "erpc-http";

struct ErpcHttpOptions {
  // max_frame_bytes is for a body as it travels, as it comes out of gzip, and for a head with its
  // body that is written; heads that are read have the limits of http::Http1Limits. gzip need not
  // be among the filters.
  wire::ErpcLimits limits{};
  // What erpc's side has registered gzip as, and which filter of ours it is. A call that names
  // another one is read; its answer goes uncompressed then, as erpc could not undo it.
  std::string gzip_name = "gzip";
  char gzip_id = 'g';
  // Whose media types there are besides erpc's five, and must outlive the framing. Null: those of
  // codec::CodecRegistry.
  const codec::CodecRegistry* codecs = nullptr;
};

// There is no PUSH in it: one that is sent here is unimplemented, one that comes is answered with
// that. What is no message of it (another method than POST, an answer without X-Seq, a broken head)
// ends its session.
std::shared_ptr<const wire::Framing> erpc_http_framing(ErpcHttpOptions options = {});

// Whether a connection of HTTP/1 whose first bytes these are begins with a call of this framing: a
// POST whose head has X-Seq and X-Mtype. needs_more while its head is not whole, and no after
// most_erpc_http_head of them.
inline constexpr std::size_t most_erpc_http_head = 16 * 1024;
[[nodiscard]] wire::Match begins_erpc_http(std::string_view first_bytes) noexcept;

// Of a connection whose first bytes come piece by piece: what was seen of them, so that each is
// looked at once. `first_bytes` are those of the last time and what came behind them.
struct ErpcHttpSeen {
  std::uint16_t line = 0;   // where the one begins that is not whole
  std::uint16_t bytes = 0;  // were looked at
  bool has_seq = false;
  bool has_type = false;
};
[[nodiscard]] wire::Match begins_erpc_http(std::string_view first_bytes,
                                           ErpcHttpSeen& seen) noexcept;

}  // namespace parley::door
