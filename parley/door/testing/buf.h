// Buf: npm's `buf curl`, a foreign client of gRPC and gRPC-Web that learns of types by reflection
// or from a file, asked of a House. For tests; inside a fiber.
#pragma once

#include <string>

#include "parley/base/testing/witness.h"
#include "parley/door/testing/house.h"
#include "parley/rt/blocking.h"

namespace parley::door::testing {

class Buf {
 public:
  // `ca`: of the one to be asked, whose certificate is for localhost; empty: it speaks no TLS.
  explicit Buf(const House& house, const std::string& ca = "") {
    const std::string address = house.address().substr(6);
    url_ =
        ca.empty() ? "http://" + address : "https://localhost" + address.substr(address.find(':'));
    over_http2_ = ca.empty() ? "--http2-prior-knowledge " : "--cacert ca.pem ";
    witness.write("ca.pem", ca);
  }

  // Empty: it runs. Otherwise why it does not.
  std::string look() {
    return rt::blocking([&]() -> std::string {
      const auto found =
          witness.ask("node -e \"console.log(require.resolve('@bufbuild/buf/package.json'))\"");
      if (found.code != 0) return "npm's @bufbuild/buf is not installed";
      const std::string place = found.out.substr(0, found.out.rfind('/'));
      buf_ = "HOME=. node '" + place + "/bin/buf' curl ";
      const auto answer = witness.ask(buf_ + "--help");
      return answer.code == 0 ? "" : "buf does not run here: " + answer.said;
    });
  }
  // By gRPC over HTTP/2.
  std::string curl(const std::string& options, const std::string& path = "") {
    return ask("--protocol grpc " + over_http2_ + options, path);
  }
  // Without an option that says otherwise, over HTTP/1.1 in clear and over what ALPN chose in TLS.
  std::string ask(const std::string& options, const std::string& path) {
    return rt::blocking([&] {
      const auto answer = witness.ask(buf_ + options + " " + url_ + path);
      return answer.code == 0 ? answer.out : answer.out + answer.said;
    });
  }

  const parley::testing::Witness witness;

 private:
  std::string url_;
  std::string over_http2_;
  std::string buf_;
};

}  // namespace parley::door::testing
