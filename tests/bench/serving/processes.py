"""Servers under load: starts one, sends it calls with ghz, reads its processor
time, ends it."""

import contextlib
import os
import pathlib
import re
import socket
import subprocess
import time
import urllib.error
import urllib.request

import ghz

START_SECONDS = 120
TICKS = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Server:
    """A running process that answers on `address`."""

    def __init__(self, process, address, metrics=None, admin=None):
        self.process, self.address = process, address
        self.metrics, self.admin = metrics, admin

    def cpu_seconds(self):
        stat = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text()
        fields = stat.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def resident(self):
        """Bytes: all, and those of files, which other processes may share."""
        statm = pathlib.Path(f"/proc/{self.process.pid}/statm").read_text()
        pages = [int(field) for field in statm.split()]
        size = os.sysconf("SC_PAGESIZE")
        return {"all": pages[1] * size, "files": pages[2] * size}

    def series(self):
        """What /metrics has: name with labels -> value."""
        with urllib.request.urlopen(f"http://{self.metrics}/metrics") as page:
            text = page.read().decode()
        found = re.findall(r"^([^#\s]\S*) (\S+)$", text, re.MULTILINE)
        return {name: float(value) for name, value in found}


@contextlib.contextmanager
def running(
    command, port, ready, folder, environment, metrics=None, admin=None
):
    """Waits until ready(log's text, process) is true."""
    log = pathlib.Path(folder) / f"server-{port}.log"
    with log.open("w") as to:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdout=to,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=folder,
        )
    try:
        end = time.monotonic() + START_SECONDS
        while not ready(log.read_text()):
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{command[0]}: {log.read_text()}")
            time.sleep(0.01)
        yield Server(process, f"127.0.0.1:{port}", metrics, admin)
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def segue(
    binary, bundle_root, folder, environment, settings=(), admin=False
):
    port, http = free_port(), free_port()
    admin = f"127.0.0.1:{free_port()}" if admin else ""
    command = [binary]
    for setting in [
        f"bundle_root={bundle_root}",
        f"listen_address=127.0.0.1:{port}",
        f"http_address=127.0.0.1:{http}",
        f"admin_address={admin}",
        *settings,
    ]:
        command += ["--set", setting]

    def ready(_):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{http}/healthz"):
                return True
        except (urllib.error.URLError, ConnectionError):
            return False

    with running(
        command, port, ready, folder, environment, f"127.0.0.1:{http}", admin
    ) as server:
        yield server


def load(server, data, calls, connections, details=False, **more):
    """What ghz measured of so many calls, latencies in ms, and the server's
    processor time. `details`: each call, too. The others as ghz.run() has them."""
    before = server.cpu_seconds()
    result = ghz.run(
        server.address,
        data,
        calls,
        connections,
        open_loop="rate" in more,
        **more,
    )
    cpu = server.cpu_seconds() - before
    tail = ghz.tail(result)
    codes = result["statusCodeDistribution"] or {}
    return {
        **({"details": result["details"]} if details else {}),
        "calls": result["count"],
        "failed": result["count"] - codes.get("OK", 0),
        "rate": result["rps"],
        "cpu_us": 1e6 * cpu / result["count"],
        "p50_ms": tail[50],
        "p99_ms": tail[99],
    }
