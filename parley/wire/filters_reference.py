"""The transfer filters as docs/protocols/filters.md has them, but for zstd, which Python lacks: by
zlib, hashlib and a CRC that goes bit by bit. What the references of the formats use."""

import gzip
import hashlib


def crc32c(content):
    crc = 0xFFFFFFFF
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return (crc ^ 0xFFFFFFFF).to_bytes(4, "big")


def md5(content):
    return hashlib.md5(content).digest()


SUMS = {"m": md5, "c": crc32c}


def apply(pipe, content):
    """`pipe` in the order of application."""
    for name in pipe.decode("latin-1"):
        if name == "g":
            content = gzip.compress(content, 6)
        else:
            content += SUMS[name](content)
    return content


def undo(pipe, content):
    for name in reversed(pipe.decode("latin-1")):
        if name == "g":
            content = gzip.decompress(content)
        else:
            size = len(SUMS[name](b""))
            content, claimed = content[:-size], content[-size:]
            assert SUMS[name](content) == claimed, "the checksum is wrong"
    return content
