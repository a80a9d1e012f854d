"""The foreign witness of msgpack_witness_test.cc: Debian's python3-msgpack.

Every message travels as one line of hexadecimal digits.

  msgpack_witness.py rewrite  < messages > messages      read each, write it again
  msgpack_witness.py show     < messages > texts         what Python reads, with its types
  msgpack_witness.py generate COUNT SEED > messages      random messages of any kind
  msgpack_witness.py judge    COUNT SEED > verdicts      damaged messages, and what Python thinks
"""

import random
import sys

import msgpack


def parse(data):
    return msgpack.unpackb(
        data,
        raw=False,
        timestamp=0,
        strict_map_key=False,
        ext_hook=(lambda *what: None) if sys.argv[1] == "judge" else msgpack.ExtType,
        object_pairs_hook=list if sys.argv[1] == "judge" else None,
    )


def value(dice, depth):
    kind = dice.randrange(9 if depth > 0 else 7)
    if kind == 0:
        return dice.choice([None, True, False])
    if kind == 1:
        return dice.choice([1, -1]) * dice.randrange(2 ** dice.randrange(1, 64))
    if kind == 2:
        return dice.uniform(-1, 1) * 10.0 ** dice.randrange(-300, 300)
    if kind == 3:
        return "".join(dice.choices("a\u00e9\u20ac\U0001f375\x00", k=dice.randrange(50)))
    if kind == 4:
        return dice.randbytes(dice.randrange(300))
    if kind == 5:
        return msgpack.ExtType(dice.randrange(128), dice.randbytes(dice.randrange(20)))
    if kind == 6:
        return msgpack.Timestamp(dice.randrange(-(2**40), 2**40), dice.randrange(10**9))
    if kind == 7:
        return [value(dice, depth - 1) for _ in range(dice.randrange(20))]
    return {
        dice.choice([dice.randrange(100), str(dice.random())]): value(dice, depth - 1)
        for _ in range(dice.randrange(20))
    }


def damaged(dice, data):
    data = bytearray(data)
    for _ in range(dice.randrange(1, 3)):
        place = dice.randrange(len(data))
        if dice.randrange(3) > 0:
            data[place] = dice.choice([dice.randrange(256), 0xC1, 0xD9, 0xC4, 0xDC, 0xDE])
        elif len(data) > 1:
            del data[place]
    return bytes(data)


def verdict(data):
    try:
        parse(data)
        return True
    except (ValueError, msgpack.UnpackException) as error:
        # What an extension means is no question of form: only readers of times ask it.
        return None if "imestamp" in str(error) or "econds" in str(error) else False


def main():
    mode = sys.argv[1]
    if mode in ("rewrite", "show"):
        for line in sys.stdin:
            read = parse(bytes.fromhex(line))
            print(msgpack.packb(read).hex() if mode == "rewrite" else repr(read))
        return
    dice = random.Random(int(sys.argv[3]))
    for _ in range(int(sys.argv[2])):
        data = msgpack.packb(value(dice, 3))
        if mode == "generate":
            print(data.hex())
        else:
            data = damaged(dice, data)
            if verdict(data) is not None:
                print(verdict(data), data.hex())


main()
