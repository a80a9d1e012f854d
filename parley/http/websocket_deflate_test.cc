#include "parley/http/websocket_deflate.h"

#include <gtest/gtest.h>

#include <string>

namespace parley::http {
namespace {

// The answer of a server; "none" when it takes no offer, "400" when the list is none.
std::string answer_to(std::string_view offers, const DeflateOptions& options = {}) {
  std::string answer;
  const auto agreed = accept_deflate(offers, options, answer);
  if (!agreed) return "400";
  EXPECT_EQ(answer.empty(), !agreed->has_value());
  return *agreed ? answer : "none";
}

struct OfferCase {
  const char* section;
  const char* offers;
  const char* answer;
};

const OfferCase offer_cases[] = {
    {"5", "", "none"},
    {"5", "permessage-deflate", "permessage-deflate"},
    {"5", "PerMessage-Deflate", "permessage-deflate"},
    {"5", "permessage-bzip2", "none"},
    {"5", "x-webkit-deflate-frame, permessage-deflate", "permessage-deflate"},
    {"5", "other; a=b; c=\"d\", permessage-deflate", "permessage-deflate"},
    {"5.1", "permessage-deflate; use_y; y=10, permessage-deflate", "permessage-deflate"},
    {"7.1.1.1", "permessage-deflate; server_no_context_takeover",
     "permessage-deflate; server_no_context_takeover"},
    {"7.1.1.1", "permessage-deflate; server_no_context_takeover=1", "none"},
    {"7.1.1.2", "permessage-deflate; client_no_context_takeover",
     "permessage-deflate; client_no_context_takeover"},
    {"7.1.1.2", "permessage-deflate; client_no_context_takeover=true", "none"},
    {"7.1.2.1", "permessage-deflate; server_max_window_bits=10",
     "permessage-deflate; server_max_window_bits=10"},
    {"7.1.2.1", "permessage-deflate; server_max_window_bits=15",
     "permessage-deflate; server_max_window_bits=15"},
    {"7.1.2.1", "permessage-deflate; server_max_window_bits=\"10\"",
     "permessage-deflate; server_max_window_bits=10"},
    {"7.1.2.1", "permessage-deflate; server_max_window_bits=8",
     "permessage-deflate; server_max_window_bits=8"},
    {"7.1.2.1", "permessage-deflate; server_max_window_bits", "none"},
    {"7.1.2.1", "permessage-deflate; server_max_window_bits=7", "none"},
    {"7.1.2.1", "permessage-deflate; server_max_window_bits=16", "none"},
    {"7.1.2.1", "permessage-deflate; server_max_window_bits=010", "none"},
    {"7.1.2.1", "permessage-deflate; server_max_window_bits=1x", "none"},
    {"7.1.2.2", "permessage-deflate; client_max_window_bits", "permessage-deflate"},
    {"7.1.2.2", "permessage-deflate; client_max_window_bits=9",
     "permessage-deflate; client_max_window_bits=9"},
    {"7.1.2.2", "permessage-deflate; client_max_window_bits=16", "none"},
    {"7.1", "permessage-deflate; server_max_window_bits=9; server_max_window_bits=9", "none"},
    {"7.1", "permessage-deflate; client_max_window_bits; client_max_window_bits=9", "none"},
    {"7.1", "permessage-deflate; client_no_context_takeover; client_no_context_takeover", "none"},
    {"7.1", "permessage-deflate; colour=red", "none"},
    {"7.1.3",
     "permessage-deflate; client_max_window_bits; server_max_window_bits=10, permessage-deflate; "
     "client_max_window_bits",
     "permessage-deflate; server_max_window_bits=10"},
    {"7.1.3", "permessage-deflate; server_max_window_bits=99, permessage-deflate",
     "permessage-deflate"},
    {"9.1", "permessage-deflate;", "400"},
    {"9.1", "permessage-deflate; ", "400"},
    {"9.1", "permessage-deflate; ; a", "400"},
    {"9.1", "permessage deflate", "400"},
    {"9.1", "permessage-deflate; a=", "400"},
    {"9.1", "permessage-deflate; a=b c", "400"},
    {"9.1", "permessage-deflate; =b", "400"},
    {"9.1", "permessage-deflate, other; a=\"b c\"", "400"},
    {"9.1", "permessage-deflate; a=\"b", "400"},
    {"9.1", "=permessage-deflate", "400"},
};

TEST(WebSocketDeflate, offers_are_taken_as_rfc_7692_has_it) {
  for (const OfferCase& one : offer_cases) {
    EXPECT_EQ(answer_to(one.offers), one.answer) << one.section << " " << one.offers;
  }
}

TEST(WebSocketDeflate, a_server_says_what_it_wants_and_bounds_only_clients_that_know_how) {
  const std::string both = "permessage-deflate; client_max_window_bits";
  EXPECT_EQ(answer_to(both, {.is_on = false}), "none");
  EXPECT_EQ(answer_to(both, {.server_no_context_takeover = true}),
            "permessage-deflate; server_no_context_takeover");
  EXPECT_EQ(answer_to(both, {.client_no_context_takeover = true}),
            "permessage-deflate; client_no_context_takeover");
  EXPECT_EQ(answer_to(both, {.server_max_window_bits = 11}),
            "permessage-deflate; server_max_window_bits=11");
  EXPECT_EQ(answer_to(both, {.client_max_window_bits = 12}),
            "permessage-deflate; client_max_window_bits=12");
  EXPECT_EQ(
      answer_to("permessage-deflate; client_max_window_bits=9", {.client_max_window_bits = 12}),
      "permessage-deflate; client_max_window_bits=9");
  EXPECT_EQ(answer_to("permessage-deflate", {.client_max_window_bits = 12}), "permessage-deflate");
}

TEST(WebSocketDeflate, an_offer_says_what_the_options_say) {
  EXPECT_EQ(deflate_offer({.is_on = false}), "");
  EXPECT_EQ(deflate_offer({}), "permessage-deflate; client_max_window_bits");
  EXPECT_EQ(deflate_offer({.server_no_context_takeover = true,
                           .client_no_context_takeover = true,
                           .server_max_window_bits = 10,
                           .client_max_window_bits = 9}),
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
            "server_max_window_bits=10; client_max_window_bits=9");
}

TEST(WebSocketDeflate, a_client_refuses_an_answer_that_does_not_go_with_its_offer) {
  const DeflateOptions plain;
  const DeflateOptions strict{.server_no_context_takeover = true,
                              .server_max_window_bits = 10,
                              .client_max_window_bits = 9};
  struct Case {
    const DeflateOptions& offered;
    const char* answer;
    bool is_fine;
  };
  const DeflateOptions off{.is_on = false};
  const Case cases[] = {
      {plain, "", true},
      {plain, "permessage-deflate", true},
      {plain, "permessage-deflate; server_no_context_takeover", true},
      {plain, "permessage-deflate; client_no_context_takeover", true},
      {plain, "permessage-deflate; server_max_window_bits=9", true},
      {plain, "permessage-deflate; client_max_window_bits=9", true},
      {plain, "permessage-deflate; client_max_window_bits", false},
      {plain, "permessage-deflate; client_max_window_bits=16", false},
      {plain, "permessage-deflate; server_max_window_bits", false},
      {plain, "permessage-deflate; colour=red", false},
      {plain, "permessage-deflate; server_no_context_takeover=1", false},
      {plain, "permessage-deflate, permessage-deflate", false},
      {plain, "permessage-bzip2", false},
      {plain, "permessage-deflate;", false},
      {off, "permessage-deflate", false},
      {strict, "permessage-deflate", false},
      {strict, "permessage-deflate; server_no_context_takeover", false},
      {strict, "permessage-deflate; server_max_window_bits=10", false},
      {strict, "permessage-deflate; server_no_context_takeover; server_max_window_bits=11", false},
      {strict, "permessage-deflate; server_no_context_takeover; server_max_window_bits=10", true},
      {strict,
       "permessage-deflate; server_no_context_takeover; server_max_window_bits=8; "
       "client_max_window_bits=10",
       true},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(check_deflate_answer(one.answer, one.offered).has_value(), one.is_fine) << one.answer;
  }
}

TEST(WebSocketDeflate, both_sides_make_the_same_of_an_answer) {
  const DeflateOptions client{.server_max_window_bits = 13, .client_max_window_bits = 12};
  const DeflateOptions server{.client_no_context_takeover = true, .client_max_window_bits = 11};
  std::string answer;
  const auto there = accept_deflate(deflate_offer(client), server, answer);
  const auto here = check_deflate_answer(answer, client);
  ASSERT_TRUE(there && *there && here && *here) << answer;
  for (const Side side : {Side::client, Side::server}) {
    EXPECT_EQ((*there)->window_bits(side), (*here)->window_bits(side));
    EXPECT_EQ((*there)->forgets(side), (*here)->forgets(side));
  }
  EXPECT_EQ((*here)->client_max_window_bits, 11);
  EXPECT_EQ((*here)->server_max_window_bits, 13);
  EXPECT_TRUE((*here)->client_no_context_takeover);
}

}  // namespace
}  // namespace parley::http
