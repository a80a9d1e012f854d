#!/usr/bin/env python3
"""The same commands to a tree of kv and to a real etcd (v2): the answers are equal, but for times.

differential_test.py CASE --teller PROGRAM [--seed N] [--commands N]
"""
import argparse
import json
import random
import re
import subprocess
import time
import urllib.parse

from etcd import Etcd, fail, must_be_installed


class Teller:
    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, bufsize=1)

    def ask(self, op, path="/", **more):
        line = {"op": op, "path": path, "now": int(time.time())}
        line.update({name: value for name, value in more.items() if value is not None})
        self.process.stdin.write(json.dumps(line) + "\n")
        answer = self.process.stdout.readline()
        if not answer:
            fail(f"the teller ended at {line}")
        return answer.strip()

    def reach(self, index):
        """As many changes as etcd had before anybody asked, and nothing left of them."""
        if index < 2:
            fail(f"etcd begins at index {index}: expected 2 at least")
        for _ in range(index - 1):
            self.ask("set", "/x", value="1")
        self.ask("remove", "/x")


def without_times(body):
    return re.sub(r'"(expiration":"[^"]*"|ttl":-?\d+),', "", body)


class Pair:
    """What one command is for each of the two."""

    def __init__(self, etcd, teller):
        self.etcd = etcd
        self.teller = teller
        self.asked = 0

    def same(self, method, path, form, op, **more):
        query = "?" + urllib.parse.urlencode(form) if form and method in ("GET", "DELETE") else ""
        theirs, index = self.etcd.ask(method, "/v2/keys" + urllib.parse.quote(path) + query,
                                      None if query else form)
        ours = self.teller.ask(op, path, **more)
        self.asked += 1
        if without_times(theirs) != without_times(ours):
            fail(f"command {self.asked} differs: {method} {path} {form}\n"
                 f"  etcd: {theirs}\n  kv:   {ours}")
        return index


VALUES = ["", "1", "2", "<tea> & \"milk\"\\\n", "\u00e9\u2028\U0001f375", "\x01\x7f"]
NAMES = ["a", "b", "_h", "c d", "e<f"]


def path_of(dice):
    parts = dice.choices(NAMES, k=dice.choice([0, 1, 1, 2, 2, 2, 3]))
    return "/" + "/".join(parts)


def one_put(pair, dice, path, index):
    value = dice.choice(VALUES)
    is_dir = dice.random() < 0.15
    form = {"dir": "true"} if is_dir else {"value": value}
    more = {"dir": True} if is_dir else {"value": value}
    if dice.random() < 0.2:
        form["ttl"] = more["ttl"] = dice.randint(1_000, 2_000)
    kind = dice.choice(["set", "set", "create", "update", "refresh", "swap"])
    if kind == "create":
        form["prevExist"] = "false"
    elif kind == "update":
        form["prevExist"] = "true"
        more.pop("dir", None)
    elif kind == "refresh":
        form = {"refresh": "true", "ttl": 1_500}
        more = {"refresh": True, "ttl": 1_500}
        if dice.random() < 0.5:
            form["prevExist"], kind = "true", "update"
        else:
            kind = "set"
    elif kind == "swap":
        more.pop("dir", None)
        kind = "compare_and_swap"
        compare(dice, form, more, index)
    return pair.same("PUT", path, form, kind, **more)


def compare(dice, form, more, index):
    which = dice.randrange(3)
    if which != 0:
        form["prevValue"] = more["prev_value"] = dice.choice(VALUES[1:])
    if which != 1:
        form["prevIndex"] = more["prev_index"] = max(1, index - dice.randrange(12))


def one_delete(pair, dice, path, index):
    form, more = {}, {}
    kind = dice.choice(["plain", "dir", "recursive", "compare", "compare"])
    if kind == "compare":
        compare(dice, form, more, index)
        return pair.same("DELETE", path, form, "compare_and_delete", **more)
    if kind != "plain":
        form[kind], more[kind] = "true", True
    return pair.same("DELETE", path, form, "remove", **more)


def one_command(pair, dice, index):
    path = path_of(dice)
    what = dice.choices(["put", "post", "delete", "get", "save"], [50, 8, 15, 25, 1])[0]
    if what == "put":
        return one_put(pair, dice, path, index)
    if what == "post":
        value = dice.choice(VALUES)
        return pair.same("POST", path, {"value": value}, "create", value=value, unique=True)
    if what == "delete":
        # Of the root the reference says 102 with its inner name for it.
        return one_delete(pair, dice, path if path != "/" else "/a", index)
    if what == "get":
        recursive = dice.random() < 0.5
        return pair.same("GET", path,
                         {"sorted": "true", "recursive": "true" if recursive else "false"}, "get",
                         recursive=recursive)
    pair.teller.ask("save")
    return index


def begin(args, etcd):
    teller = Teller(args.teller)
    index = etcd.wait_until_ready()
    teller.reach(index)
    return Pair(etcd, teller), index


def answers(args):
    dice = random.Random(args.seed)
    with Etcd() as etcd:
        pair, index = begin(args, etcd)
        for _ in range(args.commands):
            index = one_command(pair, dice, index) or index
        pair.same("GET", "/", {"recursive": "true", "sorted": "true"}, "get", recursive=True)
    print(f"{pair.asked} commands, index {index}, seed {args.seed}")


def watches_of_the_past(args):
    """What a watch finds in the history, and what it is told of what is no longer there."""
    dice = random.Random(args.seed)
    found = 0
    with Etcd() as etcd:
        pair, index = begin(args, etcd)
        for _ in range(1_300):
            index = one_command(pair, dice, index) or index
        while index < 1_100:
            index = pair.same("PUT", "/a/b" if index % 7 else "/_h/c",
                              {"value": "1"}, "set", value="1") or index
        for _ in range(300):
            path, recursive = path_of(dice), dice.random() < 0.5
            since = dice.randint(1, index) if dice.random() < 0.2 else index - dice.randrange(900)
            ours = pair.teller.ask("watch", path, recursive=recursive, since=since)
            if ours == "{}":
                continue  # etcd would wait
            query = urllib.parse.urlencode({"wait": "true", "waitIndex": since,
                                            "recursive": "true" if recursive else "false"})
            theirs, _ = etcd.ask("GET", "/v2/keys" + urllib.parse.quote(path) + "?" + query,
                                 timeout=5)
            if theirs is None or without_times(theirs) != without_times(ours):
                fail(f"a watch of {path} since {since} (recursive: {recursive}) differs:\n"
                     f"  etcd: {theirs}\n  kv:   {ours}")
            found += 1
    if found < 50:
        fail(f"only {found} watches found anything")
    print(f"{found} watches of the past, seed {args.seed}")


def expiry(args):
    """A key and a folder with a time to live go in etcd as `expire` takes them here."""
    with Etcd() as etcd:
        pair, index = begin(args, etcd)
        pair.same("PUT", "/t", {"value": "1", "ttl": 1}, "set", value="1", ttl=1)
        first = index + 2
        theirs, _ = etcd.ask("GET", f"/v2/keys/t?wait=true&waitIndex={first}")
        ours = pair.teller.ask("expire", now=int(time.time()) + 2)
        if without_times(theirs) != without_times(ours):
            fail(f"the end of a key differs:\n  etcd: {theirs}\n  kv:   {ours}")
        pair.same("PUT", "/d", {"dir": "true", "ttl": 1}, "set", dir=True, ttl=1)
        pair.same("PUT", "/d/e/f", {"value": "1"}, "set", value="1")
        theirs, _ = etcd.ask("GET", f"/v2/keys/d/e/f?wait=true&waitIndex={first + 3}")
        ours = pair.teller.ask("expire", now=int(time.time()) + 2)
        if without_times(theirs) != without_times(ours):
            fail(f"the end of a folder differs:\n  etcd: {theirs}\n  kv:   {ours}")
        pair.same("GET", "/", {"sorted": "true"}, "get")
    print("a key and a folder went alike")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case", choices=["answers", "watches_of_the_past", "expiry"])
    parser.add_argument("--teller", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--commands", type=int, default=3_000)
    args = parser.parse_args()
    must_be_installed()
    {"answers": answers, "watches_of_the_past": watches_of_the_past, "expiry": expiry}[args.case](
        args)


if __name__ == "__main__":
    main()
