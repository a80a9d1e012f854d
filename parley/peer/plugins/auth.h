// auth_bearer and auth_checker: who dials says who it is, and who accepts looks at that, before
// anything else passes: one AUTH_CALL, answered by one AUTH_REPLY, as Teleport's plugin of that
// name has it, in its framings and in the parley framing. Put them first: plugins before the
// checker see connections of anybody.
//
// Each is a plugin for any number of peers; its functions are called by fibers of any worker at
// once, and may wait.
//
//   parley::Peer server({.plugins = {auth_checker(
//       [](EarlySession& session, const Credentials& shown) -> Result<Credentials> {
//         auto user = users.find(shown.body.to_string());
//         if (!user) return Status(Code::unauthenticated, "no such token");
//         if (Status s = session.set_id(user->name); !s.is_ok()) return s;
//         return Credentials();                       // what is answered
//       })}});
//   parley::Peer client({.plugins = {auth_bearer({.body = Bytes::copy_of("token")})}});
#pragma once

#include <functional>

#include "parley/base/bytes.h"
#include "parley/base/result.h"
#include "parley/peer/early_session.h"
#include "parley/peer/plugin.h"
#include "parley/wire/message.h"
#include "parley/wire/metadata.h"

namespace parley {

// What one side shows, and what the other answers.
struct Credentials {
  Bytes body = {};
  wire::BodyCodec codec = wire::BodyCodec::plain;
  wire::Metadata metadata = {};
};

// Shows what `show` returns, on each connection that is dialled, again when it is dialled again; an
// error of it is dial()'s. Then `answered`, if there is one, gets the answer. dial() returns the
// status of who refused, its code as it came (unauthenticated, most likely); unavailable when the
// other side closed, as one does that has no checker; deadline_exceeded without an answer within
// the timeout.
using ShowCredentials = std::function<Result<Credentials>(EarlySession& session)>;
using CredentialsAnswered = std::function<Status(EarlySession& session, const Credentials& answer)>;
Plugin auth_bearer(ShowCredentials show, CredentialsAnswered answered = {},
                   const EarlyOptions& options = {});
// The same credentials always.
Plugin auth_bearer(const Credentials& credentials);

// Waits for what who dialled shows, and answers with what `check` returns, or with its error: then
// the connection is closed and its handlers never hear of it. So it is when another message comes
// first (unauthenticated), when none comes within the timeout, or more than max_bytes. What is
// known of them is set in `check`: an id, values.
using CheckCredentials =
    std::function<Result<Credentials>(EarlySession& session, const Credentials& shown)>;
Plugin auth_checker(CheckCredentials check, const EarlyOptions& options = {});

}  // namespace parley
