# What each part of the work needs, as Debian 12 packages, and the commands that show it is there
# on other systems. Adding a library to a floor means adding its -dev package here.
# shellcheck shell=bash disable=SC2034

declare -A packages_of=(
  [build]="g++ clang-19 libclang-rt-19-dev llvm-19
    cmake ninja-build ccache pkg-config python3 libgtest-dev libsimdjson-dev
    libyaml-cpp-dev libre2-dev zlib1g-dev libzstd-dev zstd libpugixml-dev libcli11-dev
    libc-ares-dev libgrpc++-dev protobuf-compiler-grpc libnghttp2-dev
    nghttp2-client nghttp2-server nginx-light libssl-dev openssl
    dnsmasq-base python3-prometheus-client python3-msgpack
    python3-jsonschema python3-protobuf protobuf-compiler libprotoc-dev libclang-19-dev nodejs
    node-typescript gdb curl chromium etcd-server"
  [format]="clang-format-19"
  [lint]="clang-tidy-19"
  [bench]="strace valgrind wrk golang-go rapidjson-dev libmsgpack-cxx-dev"
  [conformance]="dpkg-dev libprotobuf-dev"
  [aarch64]="g++-aarch64-linux-gnu qemu-user-static googletest"
)

declare -A commands_of=(
  [build]="$CXX clang++-19 cmake ninja python3"
  [format]="clang-format-19"
  [lint]="clang-tidy-19"
  [bench]=""
  [conformance]="protoc"
  [aarch64]="aarch64-linux-gnu-g++ qemu-aarch64-static"
)

for set in "${!packages_of[@]}"; do
  packages_of[$set]="${packages_of[$set]//$'\n'/ }"
done
