#!/usr/bin/env python3
"""A user's program links the libraries we promised and nothing else: ldd_test.py PROGRAM"""
import re
import subprocess
import sys

PROMISED = {"linux-vdso", "ld-linux-x86-64", "ld-linux-aarch64", "libc", "libm", "libgcc_s",
            "libstdc++", "libssl", "libcrypto", "libz", "libzstd", "libcares", "libsimdjson"}


def main():
    program = sys.argv[1]
    listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    # "libz.so.1 => /lib/...", "/lib64/ld-linux-x86-64.so.2 (0x...)"
    names = {re.sub(r"\.so\b.*", "", line.split()[0].rsplit("/", 1)[-1])
             for line in listed.splitlines() if line.strip()}
    print(f"{program} links {', '.join(sorted(names))}")
    if "libstdc++" not in names:
        sys.exit(f"ldd_test: this is not a list of libraries:\n{listed}")
    if names - PROMISED:
        sys.exit(f"ldd_test: not promised: {', '.join(sorted(names - PROMISED))}")
    if "not found" in listed:
        sys.exit(f"ldd_test: {listed}")


if __name__ == "__main__":
    main()
