// NoDescriptors: while one lives, this process may open no descriptor; for tests of what happens
// then. Those it has stay open.
//
// Thread-safety: the limit is the process's; one NoDescriptors at a time. Of a runtime's threads
// its monitor opens a file now and then: see rt::testing::without_reports().
#pragma once

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace parley::testing {

class NoDescriptors {
 public:
  NoDescriptors() {
    EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &before_), 0);
    set(0);
  }
  ~NoDescriptors() { EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &before_), 0); }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;

  // New descriptors get numbers below `limit` from here on.
  void set(rlim_t limit) {
    rlimit low = before_;
    low.rlim_cur = limit;
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  }

 private:
  rlimit before_{};
};

}  // namespace parley::testing
