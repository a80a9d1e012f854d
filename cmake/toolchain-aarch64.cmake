# Cross-builds for 64-bit ARM (Debian packages g++-aarch64-linux-gnu and qemu-user-static), used by
# ./dev aarch64:
#
#   cmake -S . -B build/aarch64 --toolchain cmake/toolchain-aarch64.cmake
#
# Programs of the build itself are the host's; libraries and headers are never.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)

set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_ASM_COMPILER aarch64-linux-gnu-gcc)

# Debian's cross libraries live here; qemu finds the loader and the C++ library in the same place.
set(parley_sysroot /usr/aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH ${parley_sysroot})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

# Tests, and what CMake tries to run while it configures.
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64-static -L ${parley_sysroot})
