// What a client is answered whose handler failed, the same over every version of HTTP. Private to
// http.
#pragma once

#include <string>

#include "parley/base/status.h"
#include "parley/http/message.h"
#include "parley/http/status_text.h"
#include "parley/rt/context.h"

namespace parley::http::impl {

// What is wrong with the body of a request, as it was found out last: the handler that returns that
// error leaves the answer to us.
class BodyFault {
 public:
  void note(Code code, StatusCode answer) noexcept {
    code_ = code;
    answer_ = answer;
  }
  [[nodiscard]] bool is_behind(const Status& returned) const noexcept {
    return answer_ != 0 && returned.code() == code_;
  }
  // On the fiber of the request. What a handler says of its own troubles stays here.
  StatusCode answer_to(const Status& returned, std::string& text) const {
    if (is_behind(returned)) {
      text = returned.message() + "\n";
      return answer_;
    }
    const Status ended = rt::Context::current().status();
    const bool is_cut = !ended.is_ok() && returned.code() == ended.code();
    const StatusCode answer = is_cut ? StatusCode{503} : StatusCode{500};
    text = std::string(reason_of(answer)) + "\n";
    return answer;
  }

 private:
  StatusCode answer_ = 0;
  Code code_ = Code::ok;
};

[[nodiscard]] inline Status opens_a_tunnel() {
  return Status(Code::invalid_argument,
                "2xx to CONNECT opens a tunnel (RFC 9110 9.3.6); hand_over() it, or answer with "
                "another status");
}

// Of a handler that returned ok.
[[nodiscard]] inline Status nothing_answered(const Request& request) {
  return Status(Code::internal,
                "the handler of " + std::string(request.method_name()) + " " + request.target +
                    " returned ok and answered nothing, which is 500; answer(), begin() or return "
                    "an error");
}

}  // namespace parley::http::impl
