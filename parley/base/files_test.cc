#include "parley/base/files.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "parley/base/memory_files.h"

namespace parley {
namespace {

// A file system and a folder of the test's own in it.
class Place {
 public:
  virtual ~Place() = default;
  virtual Files& files() = 0;
  virtual std::string folder() = 0;
};

class RealPlace final : public Place {
 public:
  RealPlace() {
    std::string path = "/tmp/parley-files-XXXXXX";
    folder_ = ::mkdtemp(path.data()) == nullptr ? std::string() : path;
  }
  ~RealPlace() override { std::filesystem::remove_all(folder_); }
  Files& files() override { return files_; }
  std::string folder() override { return folder_; }

 private:
  RealFiles files_;
  std::string folder_;
};

class MemoryPlace final : public Place {
 public:
  MemoryPlace() { EXPECT_TRUE(files_.make_directory("/data").is_ok()); }
  Files& files() override { return files_; }
  std::string folder() override { return "/data"; }

 private:
  MemoryFiles files_;
};

struct Maker {
  const char* name;
  std::unique_ptr<Place> (*make)();
};

class FilesConformance : public testing::TestWithParam<Maker> {
 protected:
  FilesConformance() : place_(GetParam().make()) {}
  [[nodiscard]] Files& files() const { return place_->files(); }
  [[nodiscard]] std::string in(const std::string& name) const {
    return place_->folder() + "/" + name;
  }
  [[nodiscard]] std::string folder() const { return place_->folder(); }
  [[nodiscard]] std::unique_ptr<File> open(const std::string& name,
                                           OpenMode mode = OpenMode::create) const {
    auto file = files().open(in(name), mode);
    EXPECT_TRUE(file) << file.error();
    return file ? *std::move(file) : nullptr;
  }
  [[nodiscard]] std::string content(const std::string& name) const {
    auto text = read_file(files(), in(name), 1 << 20);
    EXPECT_TRUE(text) << text.error();
    return text ? *text : std::string();
  }

 private:
  std::unique_ptr<Place> place_;
};

INSTANTIATE_TEST_SUITE_P(
    Over, FilesConformance,
    testing::Values(Maker{"machine", [] { return std::unique_ptr<Place>(new RealPlace); }},
                    Maker{"memory", [] { return std::unique_ptr<Place>(new MemoryPlace); }}),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST_P(FilesConformance, what_was_written_is_read_at_any_place) {
  const auto file = open("log");
  EXPECT_EQ(file->path(), in("log"));
  EXPECT_TRUE(file->append("hello ").is_ok());
  EXPECT_TRUE(file->append("world").is_ok());
  EXPECT_TRUE(file->write_at(0, "H").is_ok());
  EXPECT_TRUE(file->sync().is_ok());
  EXPECT_EQ(*file->size(), 11u);
  std::array<char, 5> buffer{};
  EXPECT_EQ(*file->read_at(6, buffer), 5u);
  EXPECT_EQ(std::string(buffer.data(), 5), "world");
  EXPECT_EQ(*file->read_at(9, buffer), 2u);
  EXPECT_EQ(*file->read_at(11, buffer), 0u);
  EXPECT_EQ(*file->read_at(1000, buffer), 0u);
  EXPECT_EQ(content("log"), "Hello world");
}

TEST_P(FilesConformance, a_gap_and_a_longer_size_are_zeros_and_append_goes_to_the_end) {
  const auto file = open("log");
  EXPECT_TRUE(file->write_at(3, "x").is_ok());
  EXPECT_TRUE(file->append("y").is_ok());
  EXPECT_EQ(content("log"), std::string("\0\0\0xy", 5));
  EXPECT_TRUE(file->truncate(4).is_ok());
  EXPECT_TRUE(file->append("z").is_ok());
  EXPECT_EQ(content("log"), std::string("\0\0\0xz", 5));
  EXPECT_TRUE(file->truncate(7).is_ok());
  EXPECT_TRUE(file->append("!").is_ok());
  EXPECT_EQ(content("log"), std::string("\0\0\0xz\0\0!", 8));
  const auto again = open("log", OpenMode::write);
  EXPECT_TRUE(again->append("?").is_ok());
  EXPECT_EQ(*files().size_of(in("log")), 9u);
}

TEST_P(FilesConformance, each_mode_of_opening_does_what_it_says) {
  EXPECT_EQ(files().open(in("a"), OpenMode::read).error().code(), Code::not_found);
  EXPECT_EQ(files().open(in("a"), OpenMode::write).error().code(), Code::not_found);
  EXPECT_TRUE(open("a", OpenMode::create)->append("kept").is_ok());
  EXPECT_EQ(content("a"), "kept");
  EXPECT_EQ(*open("a", OpenMode::create)->size(), 4u);
  EXPECT_EQ(files().open(in("a"), OpenMode::create_new).error().code(), Code::already_exists);
  EXPECT_NE(open("b", OpenMode::create_new), nullptr);
  const auto reading = open("a", OpenMode::read);
  EXPECT_EQ(reading->append("x").code(), Code::failed_precondition);
  EXPECT_EQ(reading->write_at(0, "x").message(),
            "write " + in("a") + ": it was opened for reading");
  EXPECT_EQ(reading->truncate(0).code(), Code::failed_precondition);
  EXPECT_EQ(content("a"), "kept");
}

TEST_P(FilesConformance, errors_name_the_operation_the_path_and_the_reason) {
  EXPECT_EQ(files().open(in("no"), OpenMode::read).error().message(),
            "open " + in("no") + ": No such file or directory");
  EXPECT_EQ(files().remove(in("no")).message(),
            "remove " + in("no") + ": No such file or directory");
  EXPECT_EQ(files().size_of(in("no")).error().code(), Code::not_found);
  EXPECT_EQ(files().list(in("no")).error().code(), Code::not_found);
  EXPECT_EQ(files().sync_directory(in("no")).code(), Code::not_found);
  EXPECT_EQ(files().rename(in("no"), in("yes")).message(),
            "rename " + in("no") + " to " + in("yes") + ": No such file or directory");
  EXPECT_EQ(files().open(in("no/file"), OpenMode::create).error().code(), Code::not_found);
  (void)open("file");
  EXPECT_EQ(files().open(in("file/x"), OpenMode::create).error().code(), Code::failed_precondition);
  EXPECT_EQ(files().list(in("file")).error().code(), Code::failed_precondition);
  EXPECT_EQ(files().open(folder(), OpenMode::read).error().code(), Code::failed_precondition);
  EXPECT_EQ(files().open(folder(), OpenMode::write).error().code(), Code::failed_precondition);
  EXPECT_EQ(files().size_of(folder()).error().code(), Code::failed_precondition);
}

TEST_P(FilesConformance, paths_are_absolute_and_in_their_shortest_form) {
  const std::string long_name = "/" + std::string(max_path, 'x');
  for (const std::string& path : {std::string(), std::string("x"), in("../x"), in("./x"), in(""),
                                  in("x//y"), std::string("/x\0y", 4), long_name}) {
    EXPECT_EQ(files().open(path, OpenMode::create).error().code(), Code::invalid_argument);
    EXPECT_EQ(files().remove(path).code(), Code::invalid_argument);
    EXPECT_EQ(files().rename(in("a"), path).code(), Code::invalid_argument);
    EXPECT_EQ(files().rename(path, in("a")).code(), Code::invalid_argument);
    EXPECT_EQ(files().list(path).error().code(), Code::invalid_argument);
    EXPECT_EQ(files().lock(path).error().code(), Code::invalid_argument);
    EXPECT_EQ(files().size_of(path).error().code(), Code::invalid_argument);
    EXPECT_EQ(files().make_directory(path).code(), Code::invalid_argument);
    EXPECT_EQ(files().sync_directory(path).code(), Code::invalid_argument);
  }
}

TEST_P(FilesConformance, rename_replaces_a_file_and_stays_in_its_folder) {
  EXPECT_TRUE(open("old")->append("old").is_ok());
  EXPECT_TRUE(open("new")->append("new").is_ok());
  EXPECT_TRUE(files().rename(in("new"), in("old")).is_ok());
  EXPECT_EQ(content("old"), "new");
  EXPECT_EQ(files().size_of(in("new")).error().code(), Code::not_found);
  EXPECT_TRUE(files().rename(in("old"), in("old")).is_ok());
  EXPECT_TRUE(files().make_directory(in("folder")).is_ok());
  EXPECT_EQ(files().rename(in("old"), in("folder/old")).code(), Code::invalid_argument);
  EXPECT_EQ(files().rename(in("old"), in("folder")).code(), Code::failed_precondition);
  EXPECT_EQ(files().rename(in("folder"), in("old")).code(), Code::failed_precondition);
  EXPECT_TRUE(files().rename(in("folder"), in("other")).is_ok());
  EXPECT_TRUE(files().sync_directory(folder()).is_ok());
  EXPECT_EQ(*files().list(folder()), (std::vector<std::string>{"old", "other"}));
}

TEST_P(FilesConformance, a_removed_file_stays_for_who_has_it_open) {
  const auto file = open("log");
  EXPECT_TRUE(file->append("text").is_ok());
  EXPECT_TRUE(files().remove(in("log")).is_ok());
  EXPECT_EQ(files().open(in("log"), OpenMode::read).error().code(), Code::not_found);
  EXPECT_EQ(*file->size(), 4u);
  EXPECT_TRUE(open("log")->append("another").is_ok());
  EXPECT_EQ(*file->size(), 4u);
}

TEST_P(FilesConformance, folders_are_made_listed_in_order_and_removed_when_empty) {
  EXPECT_TRUE(files().make_directory(in("shop")).is_ok());
  EXPECT_EQ(files().make_directory(in("shop")).code(), Code::already_exists);
  EXPECT_EQ(files().make_directory(in("no/shop")).code(), Code::not_found);
  for (const char* name : {"shop/c", "shop/a", "shop/b"}) (void)open(name);
  EXPECT_EQ(*files().list(in("shop")), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_TRUE(files().sync_directory(in("shop")).is_ok());
  EXPECT_EQ(files().remove(in("shop")).code(), Code::failed_precondition);
  for (const char* name : {"shop/c", "shop/a", "shop/b"}) {
    EXPECT_TRUE(files().remove(in(name)).is_ok());
  }
  EXPECT_TRUE(files().remove(in("shop")).is_ok());
  EXPECT_EQ(*files().list(folder()), std::vector<std::string>{});
}

TEST_P(FilesConformance, a_lock_keeps_others_out_until_it_goes) {
  auto lock = files().lock(in("lock"));
  ASSERT_TRUE(lock) << lock.error();
  const auto second = files().lock(in("lock"));
  EXPECT_EQ(second.error().code(), Code::failed_precondition);
  EXPECT_TRUE(second.error().message().starts_with("lock " + in("lock") + ": ")) << second.error();
  EXPECT_TRUE(second.error().message().ends_with(" has it")) << second.error();
  EXPECT_TRUE(files().lock(in("other")));
  lock->reset();
  EXPECT_TRUE(files().lock(in("lock")));
}

TEST_P(FilesConformance, read_file_refuses_what_is_longer_than_asked_for) {
  EXPECT_TRUE(open("log")->append("12345").is_ok());
  EXPECT_EQ(*read_file(files(), in("log"), 5), "12345");
  EXPECT_EQ(read_file(files(), in("log"), 4).error().code(), Code::resource_exhausted);
  EXPECT_EQ(read_file(files(), in("no"), 4).error().code(), Code::not_found);
}

TEST_P(FilesConformance, replace_file_leaves_only_the_new_content) {
  EXPECT_TRUE(open("current.new")->append("left by a crash, and longer").is_ok());
  EXPECT_TRUE(replace_file(files(), in("current"), "one").is_ok());
  EXPECT_TRUE(replace_file(files(), in("current"), "two").is_ok());
  EXPECT_EQ(content("current"), "two");
  EXPECT_EQ(*files().list(folder()), std::vector<std::string>{"current"});
}

TEST(RealFiles, files_and_folders_are_for_their_owner_only) {
  RealPlace place;
  const ::mode_t before = ::umask(0);
  EXPECT_TRUE(place.files().open(place.folder() + "/a", OpenMode::create));
  EXPECT_TRUE(place.files().make_directory(place.folder() + "/b").is_ok());
  ::umask(before);
  struct stat status{};
  ASSERT_EQ(::stat((place.folder() + "/a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  ASSERT_EQ(::stat((place.folder() + "/b").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
}

TEST(RealFiles, a_lock_names_the_process_that_has_it) {
  RealPlace place;
  const std::string path = place.folder() + "/lock";
  const auto lock = place.files().lock(path);
  EXPECT_EQ(place.files().lock(path).error().message(),
            "lock " + path + ": process " + std::to_string(::getpid()) + " has it");
}

TEST(RealFiles, what_is_no_file_is_not_opened_and_does_not_hang) {
  RealPlace place;
  const std::string path = place.folder() + "/pipe";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_EQ(place.files().open(path, OpenMode::read).error().code(), Code::failed_precondition);
}

// A disk that is full, for as long as this lives: the kernel refuses files longer than a limit with
// EFBIG, and sends a signal that is ignored meanwhile.
class NoMoreThan {
 public:
  explicit NoMoreThan(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~NoMoreThan() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  NoMoreThan(const NoMoreThan&) = delete;
  NoMoreThan& operator=(const NoMoreThan&) = delete;

 private:
  void (*handler_)(int);
  rlimit before_{};
};

TEST(RealFiles, a_write_that_does_not_fit_leaves_its_first_bytes_and_can_be_taken_back) {
  RealPlace place;
  const auto file = *place.files().open(place.folder() + "/log", OpenMode::create);
  EXPECT_TRUE(file->append("whole").is_ok());
  {
    const NoMoreThan limit(8);
    EXPECT_EQ(file->append("too long").code(), Code::resource_exhausted);
  }
  EXPECT_EQ(*read_file(place.files(), file->path(), 100), "wholetoo");
  EXPECT_TRUE(file->truncate(5).is_ok());
  EXPECT_TRUE(file->append("!").is_ok());
  EXPECT_EQ(*read_file(place.files(), file->path(), 100), "whole!");
}

}  // namespace
}  // namespace parley
