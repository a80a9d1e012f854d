// That a secret is wiped before its memory is given back. By itself, since it replaces the
// operators of the program.
#include <cstdlib>
#include <new>

#include "parley/crypto/testing/vectors.h"

namespace {

// What is watched, and what was found in it when it was given back.
const char* watched = nullptr;
std::size_t watched_bytes = 0;
int wiped = 0;
int shown = 0;

void watch(const parley::crypto::Secret& secret) {
  watched = secret.reveal().data();
  watched_bytes = secret.size();
  wiped = 0;
  shown = 0;
}

void look_at(const char* memory) {
  if (memory == nullptr || memory != watched) return;
  watched = nullptr;
  bool is_zero = true;
  for (std::size_t i = 0; i < watched_bytes; ++i) is_zero = is_zero && memory[i] == 0;
  ++(is_zero ? wiped : shown);
}

}  // namespace

void* operator new[](std::size_t size) {
  void* memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) std::abort();
  return memory;
}
void operator delete[](void* memory) noexcept {
  look_at(static_cast<const char*>(memory));
  std::free(memory);
}
void operator delete[](void* memory, std::size_t /*size*/) noexcept { operator delete[](memory); }

namespace parley::crypto {
namespace {

TEST(Secret, is_wiped_when_it_goes) {
  {
    const Secret key = testing::secret("the key of the shop");
    watch(key);
  }
  EXPECT_EQ(wiped, 1);
  EXPECT_EQ(shown, 0);
}

TEST(Secret, is_wiped_when_another_takes_its_place) {
  Secret key = testing::secret("the key of the shop");
  watch(key);
  key = testing::secret("another");
  EXPECT_EQ(wiped, 1);
  EXPECT_EQ(shown, 0);
}

// So that the two above are known to see anything.
TEST(Secret, memory_that_is_not_wiped_would_be_noticed) {
  {
    const Secret key = testing::secret("the key of the shop");
    watch(key);
    const std::unique_ptr<char[]> other(new char[4]{'t', 'e', 'a', 's'});
    watched = other.get();
    watched_bytes = 4;
  }
  EXPECT_EQ(shown, 1);
}

}  // namespace
}  // namespace parley::crypto
