#include "parley/peer/plugin.h"

#include <array>

namespace parley {
namespace {

constexpr std::string_view no_peer = "listen(), dial() and serve() return it";
constexpr std::string_view closed =
    "the connection is closed; dial() returns it, accepting logs it";

constexpr std::array order{
    PluginHook{"build", "before_new_peer", "peer", "before the peer is made", no_peer},
    PluginHook{"build", "after_new_peer", "peer", "when it was made", no_peer},
    PluginHook{"build", "on_register", "peer", "before a method is served", no_peer},
    PluginHook{"build", "after_listen", "peer", "before the first connection is accepted",
               "the listener is closed; listen() returns it"},
    PluginHook{"connect", "before_dial", "dialled", "before the connection is made",
               "there is none; dial() returns it"},
    PluginHook{"connect", "after_dial", "dialled", "before the session is to be found", closed},
    PluginHook{"connect", "after_accept", "accepted", "before the session is to be found", closed},
    PluginHook{"connect", "on_session", "session", "when it is to be found and serves",
               "the session is closed; dial() returns it, accepting logs it"},
    PluginHook{"call", "call", "caller", "around a CALL or a PUSH", "is the caller's error"},
    PluginHook{"call", "open", "caller", "around the opening of a stream", "is the caller's error"},
    PluginHook{"serve", "serve", "callee", "around a CALL or a PUSH, before it is routed",
               "is the answer to a CALL; of a PUSH it is logged"},
    PluginHook{"serve", "serve", "group", "the same, after it was routed",
               "is the answer to a CALL; of a PUSH it is logged"},
    PluginHook{"serve", "serve_stream", "callee", "around a stream, before it is routed",
               "is the end of the stream"},
    PluginHook{"serve", "serve_stream", "group", "the same, after it was routed",
               "is the end of the stream"},
    PluginHook{"end", "on_disconnect", "session", "when the session has ended", "is logged"},
};

}  // namespace

std::span<const PluginHook> plugin_order() noexcept { return order; }

}  // namespace parley
