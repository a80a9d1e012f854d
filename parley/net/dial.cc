#include <cerrno>

#include "parley/net/impl/in_process_hint.h"
#include "parley/net/impl/options.h"
#include "parley/net/impl/race.h"
#include "parley/net/impl/socket.h"
#include "parley/net/impl/socket_stream.h"
#include "parley/net/impl/unix.h"
#include "parley/net/network.h"
#include "parley/net/resolver.h"
#include "parley/rt/pollable.h"

namespace parley::net {
namespace {

Result<std::unique_ptr<Stream>> dial_numeric(const Address& address, rt::Deadline deadline,
                                             const DialOptions& options) {
  const std::string what = "dial " + address.to_string();
  auto fd = impl::open_stream_socket(address);
  if (!fd) return fd.error();
  if (Status s = impl::apply(options, fd->get(), address); !s.is_ok()) return s.with_context(what);
  const impl::SocketAddress where = impl::socket_address_of(address);
  if (const int begun = impl::connect(fd->get(), where); begun != 0) {
    if (begun != EINPROGRESS) return errno_status(begun, what);
    rt::Pollable pollable;
    if (Status s = pollable.watch(fd->get()); !s.is_ok()) return s;
    if (Status s = pollable.wait_writable(deadline); !s.is_ok()) return s.with_context(what);
    if (const int error = impl::pending_error(fd->get()); error != 0) {
      return errno_status(error, what);
    }
  }
  return impl::make_socket_stream(*std::move(fd), address);
}

// From an address of one family only addresses of that family can be reached.
Family family_of(const std::optional<Address>& bind) {
  if (!bind || !bind->as_numbers().is_numeric()) return Family::any;
  return bind->host.find(':') == std::string::npos ? Family::ipv4 : Family::ipv6;
}

}  // namespace

Result<std::unique_ptr<Stream>> SocketNetwork::dial(const Address& address, rt::Deadline deadline,
                                                    const DialOptions& options) {
  const std::string what = "dial " + address.to_string();
  if (address.network == "unix") {
    auto stream = impl::dial_unix(address, deadline, options);
    return stream ? std::move(stream) : stream.error().with_context(what);
  }
  if (address.network != "tcp") {
    return Status(Code::invalid_argument,
                  what + ": a stream dials tcp and unix addresses" + impl::hint_for(address));
  }
  const Address numbers = address.as_numbers();
  return numbers.is_numeric() ? dial_numeric(numbers, deadline, options)
                              : dial_name(address, deadline, options);
}

Result<std::unique_ptr<Stream>> SocketNetwork::dial_name(const Address& address,
                                                         rt::Deadline deadline,
                                                         const DialOptions& options) const {
  Resolver* resolver = options_.resolver;
  std::unique_ptr<Resolver> own;
  if (resolver == nullptr) {
    auto opened = Resolver::open();
    if (!opened) return opened.error().with_context("dial " + address.to_string());
    own = *std::move(opened);
    resolver = own.get();
  }
  const Family only = family_of(options.bind);
  const impl::Race race{
      .address = address,
      .options = options_.race,
      .lookup = [&](Family family, rt::Deadline until) -> impl::Race::Found {
        if (only != Family::any && only != family) {
          return Status(Code::not_found, "the other family was left out, because of bind " +
                                             options.bind->to_string());
        }
        return resolver->lookup(address.host, family, until);
      },
      .connect = [&](const Address& numeric,
                     rt::Deadline until) { return dial_numeric(numeric, until, options); },
  };
  return impl::run_race(race, deadline);
}

}  // namespace parley::net
