"""The foreign witness of json_witness_test.cc: the json module of Python's standard library.

Every document travels as one line of hexadecimal digits, since it may hold line breaks.

  json_witness.py rewrite  < documents > documents      read each, write it again in another style
  json_witness.py generate COUNT SEED  > documents      random documents
  json_witness.py same     < pairs > verdicts           do the two documents of a line mean the same
  json_witness.py judge    COUNT SEED  > verdicts       damaged documents, and what Python thinks
"""

import json
import random
import sys


def refuse_constant(name):
    raise ValueError(name + " is not JSON")


def parse(data):
    """Reads as RFC 8259 does: Python itself takes NaN and lone surrogates as well."""
    value = json.loads(data.decode("utf-8"), parse_constant=refuse_constant)
    json.dumps(value, ensure_ascii=False).encode("utf-8")
    return value


def styled(dice, value):
    return json.dumps(
        value,
        ensure_ascii=dice.random() < 0.5,
        indent=dice.choice([None, None, 0, 2, "\t"]),
        separators=dice.choice([None, (",", ":"), (" , ", " : ")]),
    ).encode("utf-8")


def text(dice):
    pieces = ["a", "tea", " ", '"', "\\", "/", "\n", "\x00", "\x1f", "\x7f"]
    pieces += ["\u00e9", "\u20ac", "\uffff", "\U0001f375"]
    return "".join(dice.choice(pieces) for _ in range(dice.randrange(8)))


def value(dice, depth):
    kind = dice.randrange(8 if depth > 0 else 6)
    if kind == 0:
        return dice.choice([None, True, False])
    if kind == 1:
        return dice.randrange(-(10**dice.randrange(1, 25)), 10**dice.randrange(1, 25))
    if kind == 2:
        return dice.uniform(-1, 1) * 10.0 ** dice.randrange(-300, 300)
    if kind == 3:
        return dice.choice([0, -0.0, 0.1, 1e22, 1e23, 5e-324, 1.7976931348623157e308])
    if kind < 6:
        return text(dice)
    if kind == 6:
        return [value(dice, depth - 1) for _ in range(dice.randrange(5))]
    return {text(dice): value(dice, depth - 1) for _ in range(dice.randrange(5))}


def damaged(dice, data):
    data = bytearray(data)
    alphabet = b'{}[]",:\\/ \n\t\r0123456789.eE+-truefalsn'
    alphabet += bytes([0, 0x1F, 0x7F, 0x80, 0xC3, 0xA9, 0xFF])
    for _ in range(dice.randrange(1, 4)):
        place = dice.randrange(len(data) + 1)
        action = dice.randrange(3)
        if action == 0:
            data.insert(place, dice.choice(alphabet))
        elif place < len(data):
            if action == 1:
                del data[place]
            else:
                data[place] = dice.choice(alphabet)
    return bytes(data)


def is_json(data):
    try:
        parse(data)
        return True
    except ValueError:
        return False


def main():
    mode = sys.argv[1]
    if mode == "rewrite":
        dice = random.Random(1)
        for line in sys.stdin:
            print(styled(dice, parse(bytes.fromhex(line))).hex())
    elif mode == "same":
        for line in sys.stdin:
            first, second = (parse(bytes.fromhex(part)) for part in line.split())
            print(repr(first) == repr(second))
    else:
        dice = random.Random(int(sys.argv[3]))
        for _ in range(int(sys.argv[2])):
            data = styled(dice, value(dice, 4))
            if mode == "generate":
                print(data.hex())
            else:
                data = damaged(dice, data)
                print(is_json(data), data.hex())


main()
