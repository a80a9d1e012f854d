// The keys API of etcd v2 over HTTP: /v2/keys and what belongs to it, answered by a kv::Store. What
// speaks to etcd's v2 (a client library, curl, rpcx, confd) speaks to this.
//
// - GET /v2/keys/PATH: recursive, sorted, quorum; with wait what changes: waitIndex, stream
// - PUT /v2/keys/PATH: value, ttl, dir, refresh; prevExist, prevValue, prevIndex
// - POST /v2/keys/PATH: value, ttl, dir; makes a new name in order
// - DELETE /v2/keys/PATH: dir, recursive; prevValue, prevIndex
// - GET /v2/stats/store: what the store counts; /v2/members, /v2/machines: this server; /version;
//   /health
//
// Fields come in the query or as a form in the body; those of the body are the ones that count.
// Answers, errors and their numbers are etcd's to the letter (kv/json.h, kv/error.h), with
// X-Etcd-Index. There is no Raft here: X-Raft-Index is the same number, and X-Raft-Term is 1.
// Otherwise than etcd: listings are always sorted, a path like "//a/../b" is cleaned and not
// redirected, a ttl above a hundred years is refused, and there are limits: a request beyond one
// (CommandLimits, TreeOptions) is 400 with error 209 and the name of the limit, a store or a disk
// that is full 500 with error 300.
//
// The handler may be called by any number of fibers. The store must outlive it.
//
//   http::Server server(**listener, cluster::keys_api(store));
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "parley/base/clock.h"
#include "parley/http/exchange.h"
#include "parley/kv/store.h"

namespace parley::cluster {

struct KeysApiOptions {
  // Of the form in a request's body: 413 beyond it.
  std::size_t max_form_bytes = std::size_t{4} << 20;
  // How long a write may wait for the store before it is 500 with error 300; it may still happen.
  Duration write_timeout = std::chrono::seconds(5);
  // Watches at once; one more is 500 with error 300. Fewer than ServerOptions::max_handlers, so
  // that those who wait leave room for those who write.
  std::size_t max_watches = 5'000;
  // A watch that has had nothing to say for so long sends an empty line, which JSON does not mind
  // and by which a client that is gone is found out. Zero: never, as etcd has it.
  Duration watch_ping = std::chrono::seconds(60);
  // X-Etcd-Cluster-Id of every answer: clients compare it. Empty: none is sent.
  std::string cluster_id = "parley";
};

// Answers as the list above says; 404 for other paths, 405 for other methods. A watch holds its
// fiber and its connection until something changes, the server drains, or the client is found to be
// gone (watch_ping). Errors are those of writing the answer.
http::Handler keys_api(kv::Store& store, KeysApiOptions options = {});

}  // namespace parley::cluster
