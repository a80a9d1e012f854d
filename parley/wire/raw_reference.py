#!/usr/bin/env python3
"""An independent witness of the raw framing, written from docs/protocols/raw.md alone.

  raw_reference.py decode FRAMES LINES              frames of a file, one line each
  raw_reference.py encode LINES FRAMES              the other way
  raw_reference.py generate SEED COUNT FRAMES LINES random frames and what they mean

What is written goes through the filters that are named by one more argument ("gm": gzip, then md5).

A line is: seq type method number msg cause codec body metadata; texts in hex ("-" when empty),
metadata as key:value,key:value. `generate` uses the freedom a sender has: '+' for a space, escapes
in lower case or where none is needed, keys of the status in any order, upper-case digits in seq.
"""

import random
import sys
from urllib.parse import quote, unquote_to_bytes

from filters_reference import apply, undo

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
KNOWN = [-1, 499, 400, 408, 404, 409, 403, 429, 412, 410, 416, 405, 500, 503, 510, 401, 105, 102]


def base36(number):
    digits, rest = "", abs(number)
    while rest or not digits:
        rest, digit = divmod(rest, 36)
        digits = DIGITS[digit] + digits
    return ("-" if number < 0 else "") + digits


def strict(text):
    return quote(text, safe="").encode()


def pairs_of(query):
    pairs = []
    for piece in query.split(b"&"):
        if piece:
            key, _, value = piece.partition(b"=")
            pairs.append(tuple(unquote_to_bytes(part.replace(b"+", b" ")) for part in (key, value)))
    return pairs


def status_query(number, msg, cause, escape=strict):
    fields = [b"code=" + str(number).encode()]
    if msg:
        fields.append(b"msg=" + escape(msg))
    if cause:
        fields.append(b"cause=" + escape(cause))
    return fields


def pack(message, pipe=b"", escape=strict, seq_text=None, shuffle=None):
    seq, kind, method, number, msg, cause, codec, body, metadata = message
    seq_text = (seq_text or base36(seq)).encode()
    fields = status_query(number, msg, cause, escape)
    if shuffle:
        shuffle(fields)
    status = b"&".join(fields)
    meta = b"&".join(escape(key) + b"=" + escape(value) for key, value in metadata)
    rest = bytes([len(seq_text)]) + seq_text + bytes([kind, len(method)]) + method
    rest += len(status).to_bytes(2, "big") + status + len(meta).to_bytes(2, "big") + meta
    rest += bytes([codec]) + body
    rest = bytes([len(pipe)]) + pipe[::-1] + apply(pipe, rest)
    return (len(rest) + 4).to_bytes(4, "big") + rest


def unpack(frame):
    at = 4

    def take(count):
        nonlocal at
        assert at + count <= len(frame), "field beyond the frame"
        at += count
        return frame[at - count : at]

    def sized(width):
        return take(int.from_bytes(take(width), "big"))

    ids = sized(1)
    frame, at = undo(ids[::-1], frame[at:]), 0
    seq = int(sized(1), 36)
    kind = take(1)[0]
    method, status, metadata = sized(1), dict(pairs_of(sized(2))), pairs_of(sized(2))
    codec = take(1)[0]
    number = int(status.get(b"code", b"0"))
    texts = status.get(b"msg", b""), status.get(b"cause", b"")
    return (seq, kind, method, number, *texts, codec, frame[at:], metadata)


def to_line(message):
    seq, kind, method, number, msg, cause, codec, body, metadata = message
    meta = ",".join(key.hex() + ":" + value.hex() for key, value in metadata)
    texts = [text.hex() or "-" for text in (method, msg, cause, body)]
    method, msg, cause, body = texts
    return f"{seq} {kind} {method} {number} {msg} {cause} {codec} {body} {meta or '-'}"


def from_line(line):
    seq, kind, method, number, msg, cause, codec, body, meta = line.split()
    method, msg, cause, body = (bytes.fromhex(t.strip("-")) for t in (method, msg, cause, body))
    pairs = [] if meta == "-" else [pair.split(":") for pair in meta.split(",")]
    metadata = [(bytes.fromhex(key), bytes.fromhex(value)) for key, value in pairs]
    return (int(seq), int(kind), method, int(number), msg, cause, int(codec), body, metadata)


def frames_of(data):
    while data:
        size = int.from_bytes(data[:4], "big")
        assert 14 <= size <= len(data), f"frame of {size} bytes, {len(data)} left"
        yield data[:size]
        data = data[size:]


def random_frame(rng, pipe):
    def text(most):
        return bytes(rng.choice((rng.randrange(256), rng.randrange(32, 127)))
                     for _ in range(rng.randrange(most + 1)))

    def sloppy(raw):
        out = b""
        for byte in raw:
            char = bytes([byte])
            if char in b"&=%+" or rng.randrange(3) == 0:
                out += b"%" + rng.choice(("%02x", "%02X")).encode() % byte
            else:
                out += b"+" if char == b" " and rng.randrange(2) else char
        return out

    number = rng.choice((0, rng.choice(KNOWN), rng.randrange(1000, 2**31)))
    msg, cause = (text(20), text(20)) if number else (b"", b"")
    seq = rng.choice((0, -1, 2**31 - 1, -(2**31), rng.randrange(-(2**31), 2**31)))
    metadata = [(text(10), text(20)) for _ in range(rng.randrange(4))]
    message = (seq, rng.randrange(1, 6), text(40), number, msg, cause, rng.randrange(256),
               text(100), metadata)
    seq_text = base36(seq).upper() if rng.randrange(2) else None
    return message, pack(message, pipe, sloppy, seq_text, rng.shuffle)


def main(args):
    if args[0] == "decode":
        with open(args[1], "rb") as frames, open(args[2], "w") as lines:
            for frame in frames_of(frames.read()):
                lines.write(to_line(unpack(frame)) + "\n")
    elif args[0] == "encode":
        with open(args[1]) as lines, open(args[2], "wb") as frames:
            for line in lines:
                frames.write(pack(from_line(line), b"".join(map(str.encode, args[3:]))))
    else:
        rng, pipe = random.Random(int(args[1])), b"".join(map(str.encode, args[5:]))
        with open(args[3], "wb") as frames, open(args[4], "w") as lines:
            for _ in range(int(args[2])):
                message, frame = random_frame(rng, pipe)
                frames.write(frame)
                lines.write(to_line(message) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
