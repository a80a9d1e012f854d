#!/usr/bin/env python3
"""The keys API beside the real one: the same operations to Parley's store and to Debian's etcd
with --enable-v2, and answers that are equal but for times.

keys_api_test.py SERVER [--seed N] [--operations N]
"""
import argparse
import http.client
import json
import random
import subprocess
import sys
import threading
import urllib.parse

from etcd import Etcd, must_be_installed

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
SENTINEL = "the last"
MOST_WAIT = 60  # seconds for anything that has to happen at all


class Side:
    """One of the two servers, asked over one connection."""

    def __init__(self, name, address):
        self.name = name
        self.address = address
        self.connection = http.client.HTTPConnection(address, timeout=MOST_WAIT)

    def ask(self, method, target, form=None):
        body = urllib.parse.urlencode(form) if form is not None else None
        self.connection.request(method, target, body, FORM if body is not None else {})
        answer = self.connection.getresponse()
        text = answer.read().decode()
        return answer.status, answer.headers.get("X-Etcd-Index"), text

    def watch(self, path, since=None):
        """Opens a stream of what happens below `path`; its events are gathered as they come."""
        return Watch(self.address, path, since)


class Watch:
    def __init__(self, address, path, since):
        self.connection = http.client.HTTPConnection(address, timeout=MOST_WAIT)
        target = f"/v2/keys{path}?wait=true&stream=true&recursive=true"
        if since is not None:
            target += f"&waitIndex={since}"
        self.connection.request("GET", target)
        self.answer = self.connection.getresponse()  # the head comes when it is registered
        self.events = []
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        while True:
            line = self.answer.readline()
            if not line:
                return
            if not line.strip():
                continue
            event = json.loads(line)
            self.events.append(event)
            if event["node"].get("value") == SENTINEL:
                return

    def wait(self):
        self.thread.join(MOST_WAIT)
        if self.thread.is_alive():
            sys.exit("a watch did not see the last change")
        return self.events


def without_times(value):
    """Expirations are left out, times to live may differ by the time between the two."""
    if isinstance(value, dict):
        out = {}
        for key, inner in value.items():
            if key == "expiration":
                out[key] = "some time"
            elif key == "ttl":
                # Two seconds apart count as the same; what is more would be a different form.
                out[key] = (inner + 1) // 4 if inner > 0 else "over"
            else:
                out[key] = without_times(inner)
        return out
    if isinstance(value, list):
        return [without_times(inner) for inner in value]
    return value


def same(ours, theirs):
    if ours[0] != theirs[0] or ours[1] != theirs[1]:
        return False
    if ours[2] == theirs[2]:
        return True
    try:
        # The order of fields is a part of what is compared.
        return json.dumps(without_times(json.loads(ours[2]))) == json.dumps(
            without_times(json.loads(theirs[2])))
    except ValueError:
        return False


def once(events):
    """etcd tells a watcher of a folder twice when just that folder goes; here once."""
    return [event for at, event in enumerate(events) if at == 0 or event != events[at - 1]]


NAMES = ["a", "b", "c", "_h", "d é", "<&>"]
VALUES = ["", "1", "2", "two words", "<&>\u2028\x01\"\\\t\x7f", "ü", "x" * 300]


class Operations:
    """Random ones, many of which meet what others left."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.index = 0

    def path(self):
        depth = self.random.choice([0, 1, 1, 1, 2, 2, 2, 3, 4])
        names = [self.random.choice(NAMES[:3] if self.random.random() < 0.7 else NAMES)
                 for _ in range(depth)]
        return "/" + "/".join(names)

    def maybe(self, chance):
        return self.random.random() < chance

    def flag(self):
        return self.random.choice(["true", "true", "true", "false", "1", "F"])

    def some_index(self):
        near = max(0, self.index - self.random.randrange(12))
        return str(self.random.choice([near, near, near, 0, 1, 10**9]))

    def compared(self, fields):
        if self.maybe(0.2):
            fields["prevValue"] = self.random.choice(VALUES)
        if self.maybe(0.2):
            fields["prevIndex"] = self.some_index()

    def wrong(self, fields):
        name, value = self.random.choice([
            ("ttl", "x"), ("ttl", "-1"), ("prevIndex", "q"), ("waitIndex", ""), ("dir", "2"),
            ("recursive", "yes"), ("sorted", ""), ("prevExist", "x"), ("refresh", "x"),
            ("stream", "no"), ("quorum", "9"), ("wait", "maybe"), ("noValueOnSuccess", "")])
        fields[name] = value

    def put(self):
        fields = {}
        if self.maybe(0.85):
            fields["value"] = self.random.choice(VALUES)
        if self.maybe(0.15):
            fields["dir"] = self.flag()
        if self.maybe(0.25):
            fields["prevExist"] = self.flag()
        if self.maybe(0.15):
            fields["ttl"] = self.random.choice(["1000", "100002", "50000", ""])
        if self.maybe(0.08):
            fields["refresh"] = self.flag()
            if self.maybe(0.8):
                fields.pop("value", None)
            fields.setdefault("ttl", "7000")
        if self.maybe(0.03):
            fields["noValueOnSuccess"] = self.flag()
        path = self.path()
        if path != "/":
            self.compared(fields)
        return "PUT", path, {}, fields

    def post(self):
        fields = {"value": self.random.choice(VALUES)}
        if self.maybe(0.2):
            fields["dir"] = self.flag()
        return "POST", self.path(), {}, fields

    def remove(self):
        fields = {}
        if self.maybe(0.4):
            fields["dir"] = self.flag()
        if self.maybe(0.3):
            fields["recursive"] = self.flag()
        path = self.path()
        # Of the root etcd says 102 with its inner name for it.
        if path != "/":
            self.compared(fields)
        return "DELETE", path, fields, None

    def get(self):
        fields = {"sorted": "true"}
        if self.maybe(0.4):
            fields["recursive"] = self.flag()
        if self.maybe(0.2):
            fields["quorum"] = self.flag()
        return self.random.choice(["GET", "GET", "GET", "HEAD"]), self.path(), fields, None

    def next(self):
        kind = self.random.choices([self.put, self.get, self.remove, self.post], [55, 25, 14, 6])[0]
        method, path, query, form = kind()
        if self.maybe(0.04):
            self.wrong(query if form is None or self.maybe(0.3) else form)
        target = "/v2/keys" + urllib.parse.quote(path)
        if query:
            target += "?" + urllib.parse.urlencode(query)
        return method, target, form


class Differential:
    def __init__(self, ours, theirs, seed):
        self.sides = (ours, theirs)
        self.seed = seed
        self.operations = Operations(seed)
        self.asked = 0

    def fail(self, what, operation, answers):
        lines = [f"{what} (seed {self.seed}, operation {self.asked}): {operation}"]
        lines += [f"  {side.name}: {answer}" for side, answer in zip(self.sides, answers)]
        sys.exit("\n".join(lines))

    def both(self, method, target, form=None):
        self.asked += 1
        answers = [side.ask(method, target, form) for side in self.sides]
        if not same(*answers):
            self.fail("the answers differ", (method, target, form), answers)
        return answers[0]

    def same_index(self):
        """etcd has an index already when it starts: ours is brought there."""
        ours, theirs = self.sides
        behind = int(theirs.ask("GET", "/v2/keys/")[1]) - int(ours.ask("GET", "/v2/keys/")[1])
        for at in range(behind):
            last = at == behind - 1 and behind > 1
            ours.ask("DELETE" if last else "PUT", "/v2/keys/before", None if last else {})
        if behind == 1:
            theirs.ask("PUT", "/v2/keys/before", {})
            self.same_index()

    def random_operations(self, count):
        watches = [[side.watch(path) for side in self.sides]
                   for path in ("/", "/a", "/b/c", "/_h", "/a/_h")]
        for _ in range(count):
            status, index, _ = self.both(*self.operations.next())
            if index is not None and status < 500:
                self.operations.index = int(index)
        # Each watch ends with a change that it sees; for that its folder must be one.
        for path in ("/a", "/b/c", "/_h", "/a/_h"):
            parts = path.strip("/").split("/")
            for depth in range(1, len(parts) + 1):
                above = "/v2/keys/" + "/".join(parts[:depth])
                status, _, body = self.both("GET", above + "?sorted=true")
                if status == 200 and not json.loads(body)["node"].get("dir"):
                    self.both("DELETE", above)
            self.both("PUT", f"/v2/keys{path}/z", {"value": SENTINEL})
        for ours, theirs in watches:
            seen = [once(without_times(watch.wait())) for watch in (ours, theirs)]
            if seen[0] != seen[1]:
                at = next((i for i, (a, b) in enumerate(zip(*seen)) if a != b),
                          min(len(seen[0]), len(seen[1])))
                self.fail(f"event {at} of a watch differs", "watch",
                          [events[at:at + 1] for events in seen])
            if not seen[0]:
                sys.exit("a watch saw nothing")

    def history(self):
        """One event of the past, from each index that is still there and from some that is not."""
        index = 0
        while index < 1_050:
            index = int(self.both("PUT", "/v2/keys/more", {"value": str(index)})[1])
        for since in list(range(index - 998, index, 40)) + [index - 1005, 1]:
            for path in ("/", "/more"):
                target = f"/v2/keys{path}?wait=true&waitIndex={since}"
                self.both("GET", target + "&recursive=true")

    def expiry(self):
        """Nodes that go by themselves: in the order of their times, each with an index."""
        watches = [side.watch("/ttl") for side in self.sides]
        for name, ttl in (("late", 3), ("early", 1), ("dir/below", 0)):
            form = {"value": name}
            if ttl:
                form["ttl"] = str(ttl)
            self.both("PUT", f"/v2/keys/ttl/{name}", form)
        self.both("PUT", "/v2/keys/ttl/dir", {"dir": "true", "prevExist": "true", "ttl": "2"})
        for watch in watches:
            while len([e for e in watch.events if e["action"] == "expire"]) < 3:
                watch.thread.join(0.02)
                if not watch.thread.is_alive():
                    sys.exit("a watch of what expires ended")
        self.both("GET", "/v2/keys/ttl?recursive=true&sorted=true")
        self.both("PUT", "/v2/keys/ttl/z", {"value": SENTINEL})
        seen = [once(without_times(watch.wait())) for watch in watches]
        if seen[0] != seen[1]:
            self.fail("what expired differs", "watch", seen)

    def statistics(self):
        ours, theirs = (json.loads(side.ask("GET", "/v2/stats/store")[2]) for side in self.sides)
        # The others etcd counts itself as well, or counts what it refuses as a success.
        for name in ("createFail", "compareAndSwapSuccess", "compareAndSwapFail", "expireCount"):
            if ours.get(name) != theirs[name]:
                sys.exit(f"{name}: {ours.get(name)} and {theirs[name]} of etcd (seed {self.seed})")
        if ours.keys() != theirs.keys():
            sys.exit(f"other counters: {sorted(ours.keys() ^ theirs.keys())}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("server")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--operations", type=int, default=2500)
    options = parser.parse_args()
    must_be_installed()
    with Etcd() as etcd:
        etcd.wait_until_ready()
        theirs = Side("etcd", f"127.0.0.1:{etcd.port}")
        server = subprocess.Popen([options.server], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True)
        try:
            address = server.stdout.readline().strip().removeprefix("http://")
            run = Differential(Side("parley", address), theirs, options.seed)
            run.same_index()
            run.random_operations(options.operations)
            run.history()
            run.expiry()
            run.statistics()
            print(f"{run.asked} operations, all answers equal")
        finally:
            server.stdin.close()
            if server.wait(MOST_WAIT) != 0:
                print("the server ended with", server.returncode)
    return server.returncode


if __name__ == "__main__":
    sys.exit(main())
