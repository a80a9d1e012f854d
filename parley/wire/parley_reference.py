#!/usr/bin/env python3
"""An independent witness of the parley framing, written from docs/protocols/parley.md alone.

  parley_reference.py decode STREAM LINES              messages of a stream, one line each
  parley_reference.py encode LINES STREAM              the other way
  parley_reference.py generate SEED COUNT STREAM LINES a random stream and what it means

A line is: kind id own method deadline code business msg cause codec filters value metadata body;
texts in hex ("-" when empty), metadata as key:value,key:value, "-" where a kind has no such field.
Bodies stand there as they came out of their filters. `encode`
keeps every name it may, as a sender should; `generate` uses the freedom a sender has: names sent as
text or kept, bodies in parts with others between them, extensions, settings of later versions.
"""

import random
import sys

MAGIC = b"\xf0PRL"
KINDS = {1: "CALL", 2: "REPLY", 3: "PUSH", 4: "OPEN", 5: "DATA", 6: "END", 7: "CANCEL",
         8: "CREDIT", 9: "PART", 10: "PING", 11: "PONG", 12: "GO_AWAY"}
NUMBERS = {name: number for number, name in KINDS.items()}
NUMBERS.update({"AUTH_CALL": 1, "AUTH_REPLY": 2})
DEADLINE, OWN, METADATA, MORE, AUTH = 0x10, 0x10, 0x20, 0x40, 0x80
STATUS = {"REPLY": 0x10, "AUTH_REPLY": 0x10, "END": 0x80}
WITH_METHOD = ("CALL", "AUTH_CALL", "PUSH", "OPEN")
WITH_DEADLINE = ("CALL", "AUTH_CALL", "OPEN")
WITH_METADATA = ("CALL", "AUTH_CALL", "REPLY", "AUTH_REPLY", "PUSH", "OPEN", "END")
WITH_CODEC = ("CALL", "AUTH_CALL", "REPLY", "AUTH_REPLY", "PUSH", "OPEN")
WITH_BODY = ("CALL", "AUTH_CALL", "REPLY", "AUTH_REPLY", "PUSH", "DATA")
WITH_OWN = ("DATA", "END", "CREDIT", "PART")
MAX_NAMES = 128


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def signed(value):
    return varint(value * 2 if value >= 0 else -value * 2 - 1)


def text(value):
    return varint(len(value)) + value


def status_bytes(message):
    return (varint(message["code"]) + signed(message["business"]) + text(message["msg"])
            + text(message["cause"]))


class Writer:
    def __init__(self):
        self.names = {}

    def method(self, name, keep):
        if name in self.names:
            return varint(self.names[name])
        if keep and len(self.names) < MAX_NAMES:
            self.names[name] = len(self.names) + 2
            return varint(1) + text(name)
        return varint(0) + text(name)

    def frame(self, message, body, more=False, keep=True):
        kind = message["kind"]
        first, out = NUMBERS[kind], b""
        if kind not in ("PUSH", "PING", "PONG", "GO_AWAY") or more:
            out += varint(message["id"])
        if kind in WITH_METHOD:
            out += self.method(message["method"], keep)
        if kind in WITH_DEADLINE and message["deadline"] is not None:
            first |= DEADLINE
            out += varint(message["deadline"])
        if kind in WITH_OWN and message["own"]:
            first |= OWN
        if kind in STATUS and message["code"]:
            first |= STATUS[kind]
            out += status_bytes(message)
        if kind == "GO_AWAY":
            out += status_bytes(message)
        if message["metadata"]:
            first |= METADATA
            out += varint(len(message["metadata"]))
            out += b"".join(text(key) + text(value) for key, value in message["metadata"])
        if kind in WITH_CODEC:
            if message["filters"]:
                out += bytes([message["codec"] | 0x80]) + text(message["filters"])
            else:
                out += bytes([message["codec"]])
        if kind in ("CREDIT", "GO_AWAY"):
            out += varint(message["value"])
        if kind in ("PING", "PONG"):
            out += message["value"].to_bytes(8, "big")
        first |= (MORE if more else 0) | (AUTH if kind.startswith("AUTH") else 0)
        return bytes([first]) + varint(len(out) + len(body)) + out + body


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, size):
        assert self.at + size <= len(self.data), "beyond the end"
        self.at += size
        return self.data[self.at - size : self.at]

    def varint(self):
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                assert (byte or shift == 7) and value < 1 << 64, "not the shortest form"
                return value

    def signed(self):
        value = self.varint()
        return -(value + 1) // 2 if value & 1 else value // 2

    def text(self):
        return self.take(self.varint())

    def rest(self):
        return self.take(len(self.data) - self.at)


def empty(kind):
    return {"kind": kind, "id": 0, "own": False, "method": b"", "deadline": None, "code": 0,
            "business": 0, "msg": b"", "cause": b"", "codec": 0, "filters": b"", "value": 0,
            "metadata": [], "body": b""}


def read_status(reader, message):
    message["code"], message["business"] = reader.varint(), reader.signed()
    message["msg"], message["cause"] = reader.text(), reader.text()


def decode(stream):
    reader = Reader(stream)
    assert reader.take(4) == MAGIC and reader.take(1)[0] >= 1
    reader.text()
    names, parts, out = {}, {}, []
    while reader.at < len(stream):
        first, payload = reader.take(1)[0], Reader(reader.text())
        number = first & 15
        if number == 15:
            continue
        kind, more = KINDS[number], bool(first & MORE)
        if number in (1, 2) and first & AUTH:
            kind = "AUTH_" + kind
        message = empty(kind)
        if kind not in ("PUSH", "PING", "PONG", "GO_AWAY") or more:
            message["id"] = payload.varint()
        if kind in WITH_METHOD:
            how = payload.varint()
            message["method"] = names[how] if how >= 2 else payload.text()
            if how == 1:
                names[len(names) + 2] = message["method"]
        if kind in WITH_DEADLINE and first & DEADLINE:
            message["deadline"] = payload.varint()
        if kind in WITH_OWN:
            message["own"] = bool(first & OWN)
        if kind == "GO_AWAY" or (kind in STATUS and first & STATUS[kind]):
            read_status(payload, message)
        if kind in WITH_METADATA and first & METADATA:
            for _ in range(payload.varint()):
                message["metadata"].append((payload.text(), payload.text()))
        if kind in WITH_CODEC:
            codec = payload.take(1)[0]
            message["codec"] = codec & 0x7F
            if codec & 0x80:
                message["filters"] = payload.text()
                assert 1 <= len(message["filters"]) <= 8 and 0 not in message["filters"]
                assert len(set(message["filters"])) == len(message["filters"])
        if kind in ("CREDIT", "GO_AWAY"):
            message["value"] = payload.varint()
        if kind in ("PING", "PONG"):
            message["value"] = int.from_bytes(payload.take(8), "big")
        message["body"] = payload.rest()
        own = message["own"] if kind in WITH_OWN else "REPLY" not in kind
        key = (message["id"], own)
        if kind == "PART":
            parts[key]["body"] += message["body"]
            message = parts[key]
        elif more:
            parts[key] = message
        elif kind == "CANCEL":
            parts.pop(key, None)
        if not more:
            parts.pop(key, None) if kind == "PART" else None
            out.append(message)
    return out


def hex_or_dash(data):
    return data.hex() or "-"


def line_of(message):
    metadata = ",".join(key.hex() + ":" + value.hex() for key, value in message["metadata"])
    deadline = "-" if message["deadline"] is None else str(message["deadline"])
    return " ".join([
        message["kind"], str(message["id"]), str(int(message["own"])),
        hex_or_dash(message["method"]), deadline, str(message["code"]), str(message["business"]),
        hex_or_dash(message["msg"]), hex_or_dash(message["cause"]), str(message["codec"]),
        hex_or_dash(message["filters"]), str(message["value"]), metadata or "-",
        hex_or_dash(message["body"])])


def message_of(line):
    def bytes_of(field):
        return b"" if field == "-" else bytes.fromhex(field)
    fields = line.split(" ")
    metadata = [] if fields[12] == "-" else [
        tuple(bytes.fromhex(part) for part in entry.split(":")) for entry in fields[12].split(",")]
    return {"kind": fields[0], "id": int(fields[1]), "own": fields[2] == "1",
            "method": bytes_of(fields[3]),
            "deadline": None if fields[4] == "-" else int(fields[4]), "code": int(fields[5]),
            "business": int(fields[6]), "msg": bytes_of(fields[7]), "cause": bytes_of(fields[8]),
            "codec": int(fields[9]), "filters": bytes_of(fields[10]), "value": int(fields[11]),
            "metadata": metadata, "body": bytes_of(fields[13])}


def random_message(rng, number):
    kind = rng.choice([kind for kind in NUMBERS if kind != "PART"])
    message = empty(kind)
    texts = [b"", b"a", "für".encode(), bytes(rng.randrange(256) for _ in range(rng.randrange(40)))]
    if kind not in ("PUSH", "PING", "PONG", "GO_AWAY"):
        message["id"] = number + 1
    if kind in WITH_METHOD:
        message["method"] = b"/method/" + str(rng.randrange(200)).encode()
    if kind in WITH_DEADLINE and rng.random() < 0.5:
        message["deadline"] = rng.choice([0, 1, 30_000_000, 1 << 50])
    if kind in WITH_OWN:
        message["own"] = rng.random() < 0.5
    if (kind in STATUS or kind == "GO_AWAY") and rng.random() < 0.5:
        message["code"] = rng.randrange(1, 19)
        message["business"] = rng.choice([0, 1001, -(1 << 31), (1 << 31) - 1])
        message["msg"], message["cause"] = rng.choice(texts), rng.choice(texts)
    if kind in WITH_METADATA and rng.random() < 0.5:
        message["metadata"] = [(rng.choice(texts), rng.choice(texts))
                               for _ in range(rng.randrange(1, 4))]
    if kind in WITH_CODEC:
        message["codec"] = rng.randrange(128)
        if rng.random() < 0.25:
            message["filters"] = bytes(rng.sample(range(1, 256), rng.randrange(1, 9)))
    if kind in ("CREDIT", "GO_AWAY", "PING", "PONG"):
        message["value"] = rng.choice([0, 1, 127, 128, (1 << 64) - 1])
    if kind in WITH_BODY:
        message["body"] = bytes(rng.randrange(256) for _ in range(rng.randrange(100)))
    return message


def generate(seed, count):
    rng, writer, out = random.Random(seed), Writer(), []
    # A setting of a later version is to be skipped.
    stream = bytearray(MAGIC + bytes([rng.choice([1, 7])]) + text(varint(99) + varint(5)))
    waiting = []  # of bodies in parts: what is left, and the message
    for number in range(count):
        message = random_message(rng, number)
        if message["kind"] in WITH_BODY and rng.random() < 0.3 and len(waiting) < 60:
            cut = rng.randrange(len(message["body"]) + 1)
            started = dict(message, id=number + 1)
            stream += writer.frame(started, message["body"][:cut], more=True,
                                   keep=rng.random() < 0.7)
            waiting.append((message["body"][cut:], started))
        else:
            stream += writer.frame(message, message["body"], keep=rng.random() < 0.7)
            out.append(message)
        if rng.random() < 0.1:
            stream += bytes([rng.randrange(16) << 4 | 15]) + text(varint(number) + b"anything")
        while waiting and (rng.random() < 0.4 or number + 1 == count):
            left, started = waiting.pop(rng.randrange(len(waiting)))
            kind = started["kind"]
            own = started["own"] if kind == "DATA" else "REPLY" not in kind
            part = dict(empty("PART"), id=started["id"], own=own)
            while left and rng.random() < 0.5:
                size = rng.randrange(1, len(left) + 1)
                stream += writer.frame(part, left[:size], more=True)
                left = left[size:]
            stream += writer.frame(part, left)
            out.append(started)
    return bytes(stream), out


def main(argv):
    if argv[:1] == ["decode"]:
        with open(argv[1], "rb") as stream, open(argv[2], "w", encoding="ascii") as lines:
            lines.writelines(line_of(message) + "\n" for message in decode(stream.read()))
    elif argv[:1] == ["encode"]:
        writer = Writer()
        with open(argv[1], encoding="ascii") as lines, open(argv[2], "wb") as stream:
            stream.write(MAGIC + bytes([1, 0]))
            for line in lines:
                message = message_of(line.rstrip("\n"))
                stream.write(writer.frame(message, message["body"]))
    elif argv[:1] == ["generate"]:
        stream, messages = generate(int(argv[1]), int(argv[2]))
        with open(argv[3], "wb") as file:
            file.write(stream)
        with open(argv[4], "w", encoding="ascii") as lines:
            lines.writelines(line_of(message) + "\n" for message in messages)
    else:
        sys.exit(__doc__)


main(sys.argv[1:])
