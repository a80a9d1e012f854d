#!/usr/bin/env python3
"""A foreign peer of the raw framing; its bodies are protobuf, forms and plain text as in erpc.

  body_codec_reference.py HOST PORT

It calls /order/price {sku, quantity} in each codec, and answers /client/discount, which the other
side calls back meanwhile. It prints a line for each body that it read: the codec, who said it, the
values. Written from docs/protocols/raw.md and the formats' own rules; of the framing it uses
raw_reference.py. "x as y": a call in x that asks for its answer in y.
"""

import os
import socket
import sys
from urllib.parse import parse_qsl, quote_plus

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "wire"))
from raw_reference import pack, unpack  # noqa: E402

CALL, REPLY = 1, 2


def varint(number):
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def write_protobuf(fields):
    """Fields by position: a text or a number; what is zero or empty is left out."""
    out = b""
    for position, value in enumerate(fields, 1):
        if isinstance(value, str) and value:
            out += varint(position << 3 | 2) + varint(len(value.encode())) + value.encode()
        elif not isinstance(value, str) and value:
            out += varint(position << 3) + varint(value)
    return out


def read_protobuf(data, names):
    values, at = dict.fromkeys(names), 0

    def number():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(data):
        key = number()
        value = number()
        if key & 7 == 2:
            value, at = data[at : at + value].decode(), at + value
        values[names[(key >> 3) - 1]] = value
    return values


def write(codec, named):
    if codec == "p":
        return write_protobuf(list(named.values()))
    return "&".join(f"{name}={quote_plus(str(value))}" for name, value in named.items()).encode()


def read(codec, body, names):
    if codec == "p":
        return read_protobuf(body, names)
    if codec == "f":
        return dict(parse_qsl(body.decode(), keep_blank_values=True))
    return {"plain": body.decode()}


class Peer:
    def __init__(self, host, port):
        self.stream = socket.create_connection((host, port), timeout=20)
        self.file = self.stream.makefile("rb")

    def say(self, seq, kind, method, codec, body, metadata=()):
        frame = (seq, kind, method.encode(), 0, b"", b"", ord(codec), body, list(metadata))
        self.stream.sendall(pack(frame))

    def hear(self):
        size = self.file.read(4)
        return unpack(size + self.file.read(int.from_bytes(size, "big") - 4))

    def call(self, seq, codec, accept):
        metadata = [(b"X-Accept-Body-Codec", str(ord(accept)).encode())] if accept else []
        order = {"sku": "green tea & more", "quantity": 300}
        self.say(seq, CALL, "/order/price", codec, write(codec, order), metadata)
        while True:
            number, kind, method, code, msg, _, back, body, _ = self.hear()
            back = chr(back)
            if kind == CALL:
                print(back, method.decode(), read(back, body, ["sku", "percent"]))
                percent = b"\x08\x0a" if back == "p" else b"percent=10" if back == "f" else b"10"
                self.say(number, REPLY, "", back, percent)
                continue
            assert (number, kind, code) == (seq, REPLY, 0), (number, kind, code, msg)
            print(back, "reply", read(back, body, ["sku", "pence"]))
            return


def main(host, port):
    peer = Peer(host, int(port))
    peer.call(1, "p", "")
    peer.call(2, "f", "")
    peer.call(3, "f", "p")
    peer.call(4, "p", "f")
    peer.call(5, "p", "t")  # which the other side does not know


if __name__ == "__main__":
    main(*sys.argv[1:])
