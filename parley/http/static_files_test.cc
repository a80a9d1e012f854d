#include "parley/http/static_files.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "parley/base/testing/witness.h"
#include "parley/http/impl/contained_folder.h"
#include "parley/http/testing/memory_exchange.h"
#include "parley/rt/testing/fiber_test.h"

namespace parley::http {
namespace {

using testing::MemoryExchange;

// A folder of files that were changed long ago, with others beside it.
class Site {
 public:
  Site() {
    namespace fs = std::filesystem;
    fs::create_directories(witness_.path("www/sub/deep"));
    fs::create_directories(witness_.path("www/.git"));
    write("secret", "secret");
    write("www/index.html", "home");
    write("www/tea.txt", "0123456789");
    write("www/empty.txt", "");
    write("www/big.bin", std::string(200'000, 'x') + "end");
    write("www/.hidden", "hidden");
    write("www/.git/config", "hidden");
    write("www/gr\xc3\xbcn tea.html", "green");
    write("www/sub/index.html", "sub");
    write("www/app.js", "plain script");
    write("www/app.js.gz", "gzip");
    write("www/app.js.zst", "zstd");
    fs::create_symlink("tea.txt", witness_.path("www/inside"));
    fs::create_symlink("../secret", witness_.path("www/outside"));
    fs::create_symlink(witness_.path("secret"), witness_.path("www/absolute"));
    fs::create_directory_symlink("..", witness_.path("www/up"));
    EXPECT_EQ(::mkfifo(witness_.path("www/pipe").c_str(), 0600), 0);
  }

  void write(const std::string& name, const std::string& text) const {
    witness_.write(name, text);
    const timespec long_ago[2] = {{784'111'777, 5}, {784'111'777, 5}};
    EXPECT_EQ(::utimensat(AT_FDCWD, witness_.path(name).c_str(), long_ago, 0), 0);
  }
  [[nodiscard]] std::string root() const { return witness_.path("www"); }

 private:
  parley::testing::Witness witness_;
};

// Puts the request to the files, and says "200 body".
std::string ask(const Site& site, MemoryExchange& exchange, StaticFilesOptions options = {}) {
  auto files = StaticFiles::open(site.root(), std::move(options));
  EXPECT_TRUE(files.has_value()) << files.error();
  const Status status = exchange.run(*files);
  EXPECT_TRUE(status.is_ok()) << status;
  return std::to_string(exchange.answered().status) + " " + exchange.body();
}

std::string get(const Site& site, const std::string& target, StaticFilesOptions options = {}) {
  MemoryExchange exchange(Method::get, target);
  return ask(site, exchange, std::move(options));
}

const std::string none = "404 Not Found\n";

PARLEY_FIBER_TEST(StaticFiles, are_served_with_their_type_and_validators) {
  const Site site;
  MemoryExchange exchange(Method::get, "/tea.txt?x");
  EXPECT_EQ(ask(site, exchange), "200 0123456789");
  EXPECT_EQ(exchange.field("Content-Type"), "text/plain; charset=utf-8");
  EXPECT_EQ(exchange.field("Last-Modified"), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(exchange.field("Accept-Ranges"), "bytes");
  EXPECT_EQ(exchange.field("X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(exchange.field("Vary"), "Accept-Encoding");
  EXPECT_TRUE(exchange.field("ETag").starts_with('"')) << exchange.field("ETag");
  EXPECT_EQ(get(site, "/gr%C3%BCn%20tea.html"), "200 green");
  EXPECT_EQ(get(site, "/empty.txt"), "200 ");
  MemoryExchange head(Method::head, "/tea.txt");
  EXPECT_EQ(ask(site, head), "200 ");
  EXPECT_EQ(head.size()->bytes(), 10u);
  EXPECT_EQ(head.field("ETag"), exchange.field("ETag"));
  MemoryExchange post(Method::post, "/tea.txt");
  EXPECT_EQ(ask(site, post), "405 Method Not Allowed\n");
  EXPECT_EQ(post.field("Allow"), "GET, HEAD");
}

PARLEY_FIBER_TEST(StaticFiles, let_no_path_out_of_their_folder) {
  const Site site;
  for (const auto* target : {"/../secret",
                             "/sub/../../secret",
                             "/%2e%2e/secret",
                             "/..%2fsecret",
                             "/sub%2f..%2f..%2fsecret",
                             "/tea.txt%00",
                             "/tea.txt%00.html",
                             "//tea.txt",
                             "/./tea.txt",
                             "/sub//index.html",
                             "/%2Ftea.txt",
                             "/outside",
                             "/absolute",
                             "/up/secret",
                             "/up/www/tea.txt",
                             "/..\\secret",
                             "/none",
                             "/pipe",
                             "/tea.txt/",
                             "/tea.txt/x",
                             "/%",
                             "/sub/deep/",
                             "*"}) {
    EXPECT_EQ(get(site, target), none) << target;
  }
  EXPECT_EQ(get(site, "/" + std::string(300, 'x')), none);
}

PARLEY_FIBER_TEST(StaticFiles, show_hidden_files_and_follow_links_by_option) {
  const Site site;
  EXPECT_EQ(get(site, "/.hidden"), none);
  EXPECT_EQ(get(site, "/.git/config"), none);
  EXPECT_EQ(get(site, "/%2ehidden"), none);
  EXPECT_EQ(get(site, "/.hidden", {.serves_hidden = true}), "200 hidden");
  EXPECT_EQ(get(site, "/../secret", {.serves_hidden = true}), none);
  EXPECT_EQ(get(site, "/inside"), "200 0123456789");
  EXPECT_EQ(get(site, "/inside", {.follows_links = false}), none);
}

PARLEY_FIBER_TEST(StaticFiles, answer_for_folders_by_their_index) {
  const Site site;
  EXPECT_EQ(get(site, "/"), "200 home");
  EXPECT_EQ(get(site, "/sub/"), "200 sub");
  EXPECT_EQ(get(site, "/", {.index = "tea.txt"}), "200 0123456789");
  EXPECT_EQ(get(site, "/", {.index = ""}), none);
  MemoryExchange exchange(Method::get, "/sub?a=b");
  EXPECT_EQ(ask(site, exchange), "301 Moved Permanently\n");
  EXPECT_EQ(exchange.field("Location"), "/sub/?a=b");
}

PARLEY_FIBER_TEST(StaticFiles, stand_behind_a_prefix) {
  const Site site;
  EXPECT_EQ(get(site, "/files/tea.txt", {.prefix = "/files/"}), "200 0123456789");
  EXPECT_EQ(get(site, "/tea.txt", {.prefix = "/files/"}), none);
  EXPECT_EQ(get(site, "/files", {.prefix = "/files/"}), none);
}

PARLEY_FIBER_TEST(StaticFiles, are_not_sent_again_to_who_has_them) {
  const Site site;
  MemoryExchange first(Method::get, "/tea.txt");
  (void)ask(site, first);
  MemoryExchange again(Method::get, "/tea.txt");
  again.with("If-None-Match", first.field("ETag"));
  EXPECT_EQ(ask(site, again, {.cache_control = "max-age=60"}), "304 ");
  EXPECT_EQ(again.field("ETag"), first.field("ETag"));
  EXPECT_EQ(again.field("Cache-Control"), "max-age=60");
  EXPECT_EQ(first.field("Cache-Control"), "");
  MemoryExchange since(Method::get, "/tea.txt");
  since.with("If-Modified-Since", first.field("Last-Modified"));
  EXPECT_EQ(ask(site, since), "304 ");
  MemoryExchange failed(Method::get, "/tea.txt");
  failed.with("If-Match", "\"other\"");
  EXPECT_EQ(ask(site, failed), "412 Precondition Failed\n");
  site.write("www/tea.txt", "changed it");
  site.write("www/tea.txt", "changed it all");
  MemoryExchange changed(Method::get, "/tea.txt");
  changed.with("If-None-Match", first.field("ETag"));
  EXPECT_EQ(ask(site, changed), "200 changed it all");
}

PARLEY_FIBER_TEST(StaticFiles, changed_just_now_have_a_weak_tag) {
  const parley::testing::Witness witness;
  witness.write("new.txt", "new");
  MemoryExchange exchange(Method::get, "/new.txt");
  // As if it were changed a day from now, so that no pause of this machine matters.
  const timespec soon[2] = {{4'000'000'000, 0}, {4'000'000'000, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, witness.path("new.txt").c_str(), soon, 0), 0);
  ASSERT_TRUE(exchange.run(*StaticFiles::open(witness.path(""))).is_ok());
  EXPECT_TRUE(exchange.field("ETag").starts_with("W/\"")) << exchange.field("ETag");
}

PARLEY_FIBER_TEST(StaticFiles, go_out_in_ranges) {
  const Site site;
  MemoryExchange one(Method::get, "/tea.txt");
  one.with("Range", "bytes=2-4");
  EXPECT_EQ(ask(site, one), "206 234");
  EXPECT_EQ(one.field("Content-Range"), "bytes 2-4/10");
  MemoryExchange several(Method::get, "/tea.txt");
  several.with("Range", "bytes=0-1,8-");
  EXPECT_TRUE(ask(site, several, {.ranges = {.join_gap = 0}}).starts_with("206 --parley-"));
  EXPECT_TRUE(several.field("Content-Type").starts_with("multipart/byteranges; boundary="));
  EXPECT_NE(several.body().find("Content-Range: bytes 8-9/10\r\n\r\n89\r\n--"), std::string::npos);
  MemoryExchange outside(Method::get, "/tea.txt");
  outside.with("Range", "bytes=10-");
  EXPECT_EQ(ask(site, outside), "416 Range Not Satisfiable\n");
  EXPECT_EQ(outside.field("Content-Range"), "bytes */10");
  MemoryExchange older(Method::get, "/tea.txt");
  older.with("Range", "bytes=2-4").with("If-Range", "\"older\"");
  EXPECT_EQ(ask(site, older), "200 0123456789");
}

PARLEY_FIBER_TEST(StaticFiles, go_out_compressed_where_such_a_neighbour_is_and_is_accepted) {
  const Site site;
  const auto asked = [&](const std::string& accept, StaticFilesOptions options = {}) {
    MemoryExchange exchange(Method::get, "/app.js");
    exchange.with("Accept-Encoding", accept);
    const std::string answer = ask(site, exchange, std::move(options));
    EXPECT_EQ(exchange.field("Content-Type"), "text/javascript; charset=utf-8");
    return answer + " " + exchange.field("Content-Encoding");
  };
  EXPECT_EQ(asked("gzip"), "200 gzip gzip");
  EXPECT_EQ(asked("gzip, zstd"), "200 zstd zstd");
  EXPECT_EQ(asked("br"), "200 plain script ");
  EXPECT_EQ(asked("gzip", {.uses_precompressed = false}), "200 plain script ");
  MemoryExchange other(Method::get, "/tea.txt");
  other.with("Accept-Encoding", "gzip");
  EXPECT_EQ(ask(site, other), "200 0123456789");
  EXPECT_EQ(other.field("Content-Encoding"), "");
}

PARLEY_FIBER_TEST(StaticFiles, hold_one_buffer_and_stop_when_nobody_reads) {
  const Site site;
  MemoryExchange small(Method::get, "/big.bin");
  EXPECT_EQ(ask(site, small, {.buffer_bytes = 1000}).size(), 4u + 200'003);
  EXPECT_GE(small.pieces_written().size(), 201u);
  MemoryExchange large(Method::get, "/big.bin");
  EXPECT_TRUE(ask(site, large).ends_with("xend"));
  EXPECT_LE(large.pieces_written().size(), 60u);
  MemoryExchange gone(Method::get, "/big.bin");
  gone.on_write([n = 0](std::string_view) mutable -> Status {
    return ++n < 3 ? Status() : Status(Code::unavailable, "gone");
  });
  EXPECT_EQ(gone.run(*StaticFiles::open(site.root())).code(), Code::unavailable);
  EXPECT_EQ(gone.pieces_written().size(), 2u);
}

PARLEY_FIBER_TEST(StaticFiles, that_shrink_meanwhile_cut_the_answer) {
  const Site site;
  MemoryExchange exchange(Method::get, "/big.bin");
  exchange.on_write([&](std::string_view) -> Status {
    site.write("www/big.bin", "short");
    return {};
  });
  EXPECT_EQ(exchange.run(*StaticFiles::open(site.root())).code(), Code::aborted);
  EXPECT_FALSE(exchange.has_ended());
}

PARLEY_FIBER_TEST(StaticFiles, have_options_that_can_be) {
  const Site site;
  for (const auto& options :
       {StaticFilesOptions{.prefix = "files/"}, StaticFilesOptions{.prefix = "/files"},
        StaticFilesOptions{.index = "../x"}, StaticFilesOptions{.cache_control = "a\r\nb"},
        StaticFilesOptions{.types = {{"x", "\n"}}}, StaticFilesOptions{.buffer_bytes = 0}}) {
    EXPECT_EQ(StaticFiles::open(site.root(), options).error().code(), Code::invalid_argument);
  }
  EXPECT_EQ(StaticFiles::open(site.root() + "/none").error().code(), Code::not_found);
  MemoryExchange exchange(Method::get, "/tea.txt");
  (void)ask(site, exchange, {.types = {{"TXT", "text/tea"}}});
  EXPECT_EQ(exchange.field("Content-Type"), "text/tea");
}

TEST(ContainedFolder, follows_no_link_where_the_kernel_cannot_hold_it_in) {
  const Site site;
  auto folder = impl::ContainedFolder::open(site.root(), true, false);
  ASSERT_TRUE(folder.has_value());
  EXPECT_TRUE(folder->find("tea.txt")->is_file);
  EXPECT_EQ(folder->find("tea.txt")->size, 10u);
  EXPECT_TRUE(folder->find("sub/index.html")->is_file);
  EXPECT_TRUE(folder->find("sub")->is_folder);
  EXPECT_TRUE(folder->find("")->is_folder);
  EXPECT_FALSE(folder->find("pipe")->is_file);
  for (const auto* path : {"inside", "outside", "absolute", "up/secret", "none", "tea.txt/x"}) {
    EXPECT_EQ(folder->find(path).error().code(), Code::not_found) << path;
  }
}

}  // namespace
}  // namespace parley::http
