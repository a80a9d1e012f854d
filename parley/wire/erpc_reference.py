#!/usr/bin/env python3
"""An independent witness of erpc's json, pb and WebSocket formats, written from docs/protocols/.

  erpc_reference.py FORMAT decode FRAMES LINES              frames of a file, one line each
  erpc_reference.py FORMAT encode LINES FRAMES              the other way
  erpc_reference.py FORMAT generate SEED COUNT FRAMES LINES random frames and what they mean

FORMAT is json, oldjson (generate only: bodies with nothing but their quotes escaped), pb, wsjson or
wspb; payloads of WebSocket messages stand in the files as the contents of frames. Lines are those
of raw_reference.py. `generate` uses the freedom a sender has: any order of keys or fields, some
left out or unknown, white space, escapes where none are needed, long varints.

What is written goes through the filters that are named by one more argument ("gm": gzip, then md5).

Bytes that are not UTF-8 stand in Python's texts as surrogates ("surrogateescape").
"""

import json
import random
import sys

from filters_reference import apply, undo
from raw_reference import KNOWN, from_line, pairs_of, status_query, strict, to_line


def text_of(raw):
    return raw.decode("utf-8", "surrogateescape")


def bytes_of(text):
    return text.encode("utf-8", "surrogateescape")


def framed(content, pipe=b""):
    # The filter that is applied last stands first.
    rest = bytes([len(pipe)]) + pipe[::-1] + apply(pipe, content)
    return len(rest).to_bytes(4, "big") + rest


def query_of(metadata, escape=strict):
    return b"&".join(escape(key) + b"=" + escape(value) for key, value in metadata)


def message_of(seq, kind, method, status, meta, codec, body):
    status = dict(pairs_of(status))
    number = int(status.get(b"code", b"0"))
    texts = status.get(b"msg", b""), status.get(b"cause", b"")
    return (seq, kind, method, number, *texts, codec, body, pairs_of(meta))


# json


def json_string(raw):
    # Escapes quotes, backslashes and what is below U+0020, as the page has it.
    return bytes_of(json.dumps(text_of(raw), ensure_ascii=False))


def json_fields(message):
    seq, kind, method, number, msg, cause, codec, body, metadata = message
    return {
        b"seq": b"%d" % seq,
        b"mtype": b"%d" % kind,
        b"serviceMethod": json_string(method),
        b"status": json_string(b"&".join(status_query(number, msg, cause))),
        b"meta": json_string(query_of(metadata)),
        b"bodyCodec": b"%d" % codec,
        b"body": json_string(body),
    }


def json_pack(message, pipe):
    members = (b'"%s":%s' % pair for pair in json_fields(message).items())
    return framed(b"{" + b",".join(members) + b"}", pipe)


def json_unpack(content):
    # What is not UTF-8 is a byte; Python's own reader then sees only texts.
    members = json.loads(text_of(content))
    text = lambda key: bytes_of(members.get(key, ""))
    body = undo(bytes(members.get("xferPipe", []))[::-1], text("body"))
    return message_of(members.get("seq", 0), members["mtype"], text("serviceMethod"),
                      text("status"), text("meta"), members.get("bodyCodec", 0), body)


def json_random(rng, message, pipe):
    seq, kind, method, number, msg, cause, codec, body, metadata = message
    space = lambda: bytes(rng.choice(b" \t\r\n") for _ in range(rng.randrange(3)))

    def sloppy(raw):
        # Only what is UTF-8 can be escaped by its number.
        text = text_of(raw)
        is_utf8 = not any("\udc80" <= char <= "\udcff" for char in text)
        dumped = json.dumps(text, ensure_ascii=is_utf8)
        return bytes_of(dumped.replace("/", rng.choice(("/", "\\/"))))

    fields = json_fields(message)
    for key, raw in ((b"serviceMethod", method), (b"body", body)):
        fields[key] = sloppy(raw)
    fields = [(key, value) for key, value in fields.items()
              if not (key == b"body" and not body and rng.randrange(2))]
    fields += [(b"unknown", rng.choice((b'{"seq":[1,{"a":null}]}', b"-1.5e+7", b'"\\\\\\""')))]
    rng.shuffle(fields)
    members = (space() + b'"' + key + b'"' + space() + b":" + space() + value + space()
               for key, value in fields)
    return framed(space() + b"{" + b",".join(members) + b"}" + space(), pipe)


def old_json_random(rng, message, pipe):
    fields = json_fields(message)
    fields[b"body"] = b'"' + message[7].replace(b'"', b'\\"') + b'"'
    return framed(b"{" + b",".join(b'"%s":%s' % pair for pair in fields.items()) + b"}", pipe)


def is_json(text):
    try:
        json.loads(text_of(b'"' + text + b'"'))
    except json.JSONDecodeError:
        return False
    return True


# pb


def varint(number):
    number &= 2**64 - 1
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def number_field(number, value):
    return varint(number << 3) + varint(value) if value else b""


def bytes_field(number, value):
    return varint(number << 3 | 2) + varint(len(value)) + value if value else b""


def pb_fields(message):
    seq, kind, method, number, msg, cause, codec, body, metadata = message
    return [number_field(1, seq), number_field(2, kind), bytes_field(3, method),
            bytes_field(4, b"&".join(status_query(number, msg, cause))),
            bytes_field(5, query_of(metadata)), number_field(6, codec), bytes_field(7, body)]


def pb_pack(message, pipe):
    return framed(b"".join(pb_fields(message)), pipe)


def signed(number):
    return (number & 2**32 - 1 ^ 2**31) - 2**31


def pb_read(content):
    at, fields = 0, {}

    def take_varint():
        nonlocal at
        number = shift = 0
        while True:
            byte = content[at]
            at += 1
            number |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return number

    while at < len(content):
        tag = take_varint()
        if tag & 7 == 0:
            fields[tag >> 3] = take_varint()
        else:
            size = take_varint()
            assert tag & 7 == 2 and at + size <= len(content), "not a field written by us"
            fields[tag >> 3] = content[at : at + size]
            at += size
    return fields


def pb_unpack(content):
    fields = pb_read(content)
    return message_of(signed(fields.get(1, 0)), fields[2], fields.get(3, b""), fields.get(4, b""),
                      fields.get(5, b""), fields.get(6, 0), fields.get(7, b""))


def pb_random(rng, message, pipe):
    def lengthened(field):
        # A varint may have bytes that add nothing; the tags here have one byte.
        if field and field[0] & 7 == 0 and len(field) < 9 and rng.randrange(3) == 0:
            return field[:-1] + bytes([field[-1] | 128]) + rng.choice((b"\0", b"\x80\0"))
        return field

    fields = [lengthened(field) for field in pb_fields(message)]
    # Fields nobody knows, of each kind, and a first body that the later one replaces.
    unknown = [b"\x78\x05", b"\x79" + b"8" * 8, b"\x7a\x03abc", b"\x7d" + b"4" * 4, b"\xf8\x7f\x01"]
    fields += rng.sample(unknown, rng.randrange(len(unknown)))
    rng.shuffle(fields)
    if message[7]:
        fields.insert(0, bytes_field(7, b"an earlier body"))
    return framed(b"".join(fields), pipe)


# WebSocket


def filtered(message, pipe):
    return message[:7] + (apply(pipe, message[7]),) + message[8:]


def wsjson_pack(message, pipe):
    fields = json_fields(filtered(message, pipe))
    if message[3] == 0:
        del fields[b"status"]
    fields[b"xferPipe"] = b"[" + b",".join(b"%d" % id for id in pipe[::-1]) + b"]"
    return framed(b"{" + b",".join(b'"%s":%s' % pair for pair in fields.items()) + b"}")


def wsjson_random(rng, message, pipe):
    content = json_random(rng, filtered(message, pipe), b"")[5:]
    ids = b",".join(b"%d" % id for id in pipe[::-1])
    return framed(content.replace(b"{", b'{"xferPipe": [%s],' % ids, 1))


def wspb_fields(message, pipe):
    seq, kind, method, number, msg, cause, codec, body, metadata = filtered(message, pipe)
    status = b"&".join(status_query(number, msg, cause)) if number else b""
    return [number_field(1, seq), number_field(2, kind), bytes_field(3, method),
            bytes_field(4, query_of(metadata)), number_field(5, codec), bytes_field(8, status),
            bytes_field(6, body), bytes_field(7, pipe[::-1])]


def wspb_pack(message, pipe):
    return framed(b"".join(wspb_fields(message, pipe)))


def wspb_unpack(content):
    fields = pb_read(content)
    return message_of(signed(fields.get(1, 0)), fields[2], fields.get(3, b""), fields.get(8, b""),
                      fields.get(4, b""), fields.get(5, 0),
                      undo(fields.get(7, b"")[::-1], fields.get(6, b"")))


def wspb_random(rng, message, pipe):
    fields = wspb_fields(message, pipe)
    if not pipe:
        fields.append(b"\x3a\x00")
    rng.shuffle(fields)
    return framed(b"".join(fields))


# all

FORMATS = {"wsjson": (wsjson_pack, json_unpack, wsjson_random),
           "wspb": (wspb_pack, wspb_unpack, wspb_random),
           "json": (json_pack, json_unpack, json_random), "pb": (pb_pack, pb_unpack, pb_random),
           "oldjson": (None, None, old_json_random)}


def contents_of(data):
    while data:
        size = 4 + int.from_bytes(data[:4], "big")
        assert 5 < size <= len(data), f"frame of {size} bytes, {len(data)} left"
        ids = data[5 : 5 + data[4]]
        yield undo(ids[::-1], data[5 + len(ids) : size])
        data = data[size:]


def random_message(rng, is_old):
    def text(most):
        likely = b'\\"\n/ab{}' if is_old else b'\\"\n\x7f/ab&=%'
        return bytes(rng.choice((rng.randrange(256), rng.choice(likely), rng.randrange(32, 127)))
                     for _ in range(rng.randrange(most + 1)))

    number = rng.choice((0, rng.choice(KNOWN), rng.randrange(1000, 2**31)))
    msg, cause = (text(20), text(20)) if number else (b"", b"")
    seq = rng.choice((0, -1, 2**31 - 1, -(2**31), rng.randrange(-(2**31), 2**31)))
    metadata = [(text(10), text(20)) for _ in range(rng.randrange(4))]
    body = text(100)
    # An old body that happens to be a JSON string means something else.
    while is_old and b"\\" in body and is_json(body.replace(b'"', b'\\"')):
        body = text(100)
    return (seq, rng.randrange(1, 6), text(40), number, msg, cause, rng.randrange(256), body,
            metadata)


def main(args):
    pack, unpack, randomly = FORMATS[args[0]]
    if args[1] == "decode":
        with open(args[2], "rb") as frames, open(args[3], "w") as lines:
            for content in contents_of(frames.read()):
                lines.write(to_line(unpack(content)) + "\n")
    elif args[1] == "encode":
        with open(args[2]) as lines, open(args[3], "wb") as frames:
            for line in lines:
                frames.write(pack(from_line(line), b"".join(map(str.encode, args[4:]))))
    else:
        rng, pipe = random.Random(int(args[2])), b"".join(map(str.encode, args[6:]))
        with open(args[4], "wb") as frames, open(args[5], "w") as lines:
            for _ in range(int(args[3])):
                message = random_message(rng, args[0] == "oldjson")
                frames.write(randomly(rng, message, pipe))
                lines.write(to_line(message) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
