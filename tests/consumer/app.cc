// Has a conversion that our own flags would refuse; a user's project decides on its flags itself.
#include <parley/parley.h>

int main(int argc, char**) {
  const short narrow = argc;
  return narrow == 0 ? 1 : 0;
}
