#!/usr/bin/env python3
"""Measures Parley's HTTP server beside nginx (`return 200`, the same fields, no log), its gRPC
beside gRPC's own server, its WebSocket beside the floor. See README.md beside this file; usually
run by `./dev bench http`.

Figures go to stdout, one JSON object a line; everything for people goes to stderr. This file must
not import what imports Python's own package http: it has its name.
"""

import argparse
import os
import re
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time

import programs
from figures import (Figures, add_options, check_names, check_options, column, is_missed,
                     median_of, program_of, ratios, say, say_after, say_before)
from programs import Problem

CONNECTIONS = {"http.h1_32": 32, "http.h1_256": 256}
H2 = "http.h2"
H2_CONNECTIONS, H2_STREAMS = 4, 32
IDLE = "http.idle"
GRPC_UNARY, WS_ECHO = "http.grpc_unary", "http.ws_echo"
NAMES = [*CONNECTIONS, H2, GRPC_UNARY, WS_ECHO, IDLE]
TARGETS = {
    ("http.h1_32", "cpu_ratio_nginx"): 1.0,
    ("http.h1_256", "cpu_ratio_nginx"): 0.9,
    (H2, "cpu_ratio_nginx"): 0.8,
    (GRPC_UNARY, "cpu_ratio_grpc"): 0.35,
    (WS_ECHO, "cpu_ratio_floor"): 1.3,
    (IDLE, "bytes_per_connection"): 4096,
}
PARLEY, NGINX, GRPC, FLOOR = "parley", "nginx", "grpc", "floor"
BODY_BYTES = 16
WARMUP_SECONDS = 0.5
IDLE_CONNECTIONS = 10_000
LET_GO_SECONDS = 3
START_SECONDS = 10
NGINX_CONF = """daemon off; master_process off; worker_processes 1; error_log {folder}/error.log;
pid {folder}/pid; events {{ worker_connections 20000; }}
http {{
  access_log off; keepalive_requests 1000000000; default_type text/plain;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{ listen 127.0.0.1:{port}{version}; location / {{ return 200 "ok"; }} }}
}}
"""


def cpu_seconds(pid):
    """User and system time of all its threads."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_bytes(pid):
    with open(f"/proc/{pid}/statm", encoding="utf-8") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Nginx:
    """As programs.Server, for a program that prints no address."""

    def __init__(self, cpu, version=""):
        self.folder = tempfile.TemporaryDirectory()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        conf = os.path.join(self.folder.name, "nginx.conf")
        with open(conf, "w", encoding="utf-8") as file:
            file.write(NGINX_CONF.format(folder=self.folder.name, port=port, version=version))
        self.process = subprocess.Popen(["nginx", "-c", conf], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        preexec_fn=programs.pin_to(cpu))
        self.address, self.pid = f"tcp://127.0.0.1:{port}", self.process.pid
        until = time.monotonic() + START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError as error:
                if time.monotonic() > until or self.process.poll() is not None:
                    self.__exit__(None, None, None)
                    raise Problem(f"nginx does not answer on port {port}: {error}") from error
                time.sleep(0.01)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.process.terminate()
        self.process.wait()
        self.folder.cleanup()


class Bench:
    def __init__(self, options):
        cpus = sorted(os.sched_getaffinity(0))
        self.server_cpu, self.client_cpu = cpus[0], cpus[-1]
        self.seconds = options.seconds
        self.program = program_of(options.build, "http_server")
        self.folder = os.path.dirname(self.program)

    def start(self, contestant, version=""):
        if contestant == NGINX:
            return Nginx(self.server_cpu, version)
        return programs.Server([self.program], self.server_cpu)

    def echo(self, server, client, client_cpu, connections, depth):
        """One run of a client program against a fresh server of echoes."""
        with programs.Server([os.path.join(self.folder, server[0]), *server[1:]],
                             self.server_cpu) as running:
            command = [os.path.join(self.folder, client[0]), *client[1:],
                       "--address", running.address, "--server-pid", str(running.pid),
                       "--connections", str(connections), "--depth", str(depth),
                       "--body-bytes", str(BODY_BYTES), "--warmup-seconds", str(WARMUP_SECONDS),
                       "--seconds", str(self.seconds)]
            return programs.run_client(command, client_cpu, WARMUP_SECONDS + self.seconds)

    def grpc_unary(self, contestant):
        server = ["grpc_server"] if contestant == GRPC else ["http_server", "--grpc"]
        return self.echo(server, ["grpc_client"], self.client_cpu, 4, 64)

    def ws_echo(self, contestant):
        """Both programs on one cpu, as for every figure beside the floor."""
        if contestant == FLOOR:
            return self.echo(["floor_server"], ["floor_client"], self.server_cpu, 32, 1)
        return self.echo(["http_server", "--websocket"], ["floor_client", "--websocket"],
                         self.server_cpu, 32, 1)

    def measure(self, contestant, connections):
        """One run of wrk against a fresh server: CPU of the server for each request."""
        with self.start(contestant) as server:
            port = server.address.rsplit(":", 1)[1]
            self.wrk(port, connections, 0.1)  # a warm-up, and its connections
            before = cpu_seconds(server.pid)
            requests, rate = self.wrk(port, connections, self.seconds)
            spent = cpu_seconds(server.pid) - before
        return {"server_cpu_us": max(spent, 0.01) * 1e6 / requests, "per_second": rate}

    def measure_h2(self, contestant, _connections):
        """The same over HTTP/2, with h2load: many requests at once on few connections."""
        with self.start(contestant, " http2") as server:
            port = server.address.rsplit(":", 1)[1]
            self.h2load(port, "-n20000")
            before = cpu_seconds(server.pid)
            requests, rate = self.h2load(port, f"-D{max(1, round(self.seconds))}")
            spent = cpu_seconds(server.pid) - before
        return {"server_cpu_us": max(spent, 0.01) * 1e6 / requests, "per_second": rate}

    def h2load(self, port, how_many):
        command = ["h2load", "-t1", f"-c{H2_CONNECTIONS}", f"-m{H2_STREAMS}", how_many,
                   f"http://127.0.0.1:{port}/"]
        done = subprocess.run(command, capture_output=True, text=True, check=False,
                              preexec_fn=programs.pin_to(self.client_cpu))
        found = re.search(r"(\d+) succeeded, (\d+) failed, (\d+) errored", done.stdout)
        rate = re.search(r"([\d.]+) req/s", done.stdout)
        if done.returncode != 0 or not found or not rate or int(found[1]) == 0:
            raise Problem(f"{' '.join(command)}: {done.stdout}{done.stderr}")
        if int(found[2]) > 0 or ", 0 3xx, 0 4xx, 0 5xx" not in done.stdout:
            raise Problem(f"{' '.join(command)} got other answers than 200: {done.stdout}")
        return int(found[1]), float(rate[1])

    def wrk(self, port, connections, seconds):
        command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s",
                   f"http://127.0.0.1:{port}/"]
        done = subprocess.run(command, capture_output=True, text=True, check=False,
                              preexec_fn=programs.pin_to(self.client_cpu))
        found = re.search(r"(\d+) requests in ([\d.]+)s", done.stdout)
        if done.returncode != 0 or not found or int(found[1]) == 0:
            raise Problem(f"{' '.join(command)}: {done.stdout}{done.stderr}")
        if "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
            raise Problem(f"{' '.join(command)} got other answers than 200: {done.stdout}")
        return int(found[1]), int(found[1]) / float(found[2])

    def idle(self, count):
        """Resident bytes for each connection that was served once and is at rest."""
        with self.start(PARLEY) as server:
            port = int(server.address.rsplit(":", 1)[1])
            ask = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
            clients = []
            try:
                before = 0
                for i in range(count + 100):
                    if i == 100:  # what the first ones cost is not theirs
                        before = resident_bytes(server.pid)
                    client = socket.create_connection(("127.0.0.1", port))
                    clients.append(client)
                    client.sendall(ask)
                    if not client.recv(4096).startswith(b"HTTP/1.1 200"):
                        raise Problem("a connection that was to rest was not answered with 200")
                time.sleep(LET_GO_SECONDS)
                return {"bytes_per_connection": (resident_bytes(server.pid) - before) / count}
            finally:
                for client in clients:
                    client.close()


def measure(options, bench):
    figures = Figures(options.silent, TARGETS)
    for name, connections in {**CONNECTIONS, H2: H2_CONNECTIONS}.items():
        run = bench.measure_h2 if name == H2 else bench.measure
        if name not in options.names:
            continue
        say(f"{name}: {options.runs} rounds of {options.seconds} s")
        found = {NGINX: [], PARLEY: []}
        for _ in range(options.runs):
            for contestant, runs in found.items():
                runs.append(run(contestant, connections))
        figures.add(name, "cpu_ratio_nginx",
                    ratios(found[PARLEY], found[NGINX], "server_cpu_us"), peer=NGINX,
                    us=median_of(found[PARLEY], "server_cpu_us"),
                    nginx_us=median_of(found[NGINX], "server_cpu_us"),
                    per_second=median_of(found[PARLEY], "per_second"),
                    nginx_per_second=median_of(found[NGINX], "per_second"))
    measure_echoes(options, bench, figures)
    if IDLE in options.names:
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        count = 200 if options.smoke else min(IDLE_CONNECTIONS, hard - 500)
        say(f"{IDLE}: {options.runs} rounds of {count} connections")
        runs = [bench.idle(count) for _ in range(options.runs)]
        figures.add(IDLE, "bytes_per_connection", column(runs, "bytes_per_connection"),
                    connections=count)
    for row in figures.rows:
        say(f"{row['bench']:<14}{row['metric']:<22}{row['value']:>10.4g}{row['min']:>10.4g}"
            f"{row['max']:>10.4g}{'  missed' if is_missed(row) else ''}")


def measure_echoes(options, bench, figures):
    """gRPC and WebSocket, beside who does nothing else."""
    for name, peer, run in ((GRPC_UNARY, GRPC, bench.grpc_unary), (WS_ECHO, FLOOR, bench.ws_echo)):
        if name not in options.names:
            continue
        if peer == GRPC and not os.access(os.path.join(bench.folder, "grpc_server"), os.X_OK):
            say(f"{name} is skipped: gRPC was not there when this was built (Debian: apt install "
                "libgrpc++-dev protobuf-compiler-grpc)")
            continue
        say(f"{name}: {options.runs} rounds of {options.seconds} s")
        found = {peer: [], PARLEY: []}
        for _ in range(options.runs):
            for contestant, runs in found.items():
                runs.append(run(contestant))
        figures.add(name, f"cpu_ratio_{peer}", ratios(found[PARLEY], found[peer], "server_cpu_us"),
                    peer=peer, us=median_of(found[PARLEY], "server_cpu_us"),
                    **{f"{peer}_us": median_of(found[peer], "server_cpu_us")})


def main():
    parser = argparse.ArgumentParser(description="Parley's HTTP server beside nginx")
    add_options(parser, NAMES)
    parser.add_argument("--seconds", type=float, default=3.0, help="measured window of a run")
    options = parser.parse_args()
    check_options(parser, options)
    if options.smoke:
        options.seconds = 1.0
    options.names = check_names(parser, options.only, NAMES, "http.")
    try:
        for program in (NGINX, "wrk", "h2load"):
            if shutil.which(program) is None:
                raise Problem(f"{program} is not installed (Debian: apt install {program})")
        say_before(options)
        measure(options, Bench(options))
        say_after(options)
    except Problem as problem:
        say(f"bench/http.py: {problem}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
