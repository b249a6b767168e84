"""Servers on loopback that hand out imagery: nginx, an S3 endpoint, and one that fails as real ones do."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType

import pytest

_CONF = """
daemon off;
{user}
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
    log_format bytes '$request_method $status $body_bytes_sent "$http_range" $uri';
    access_log {folder}/access.log bytes;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{ listen 127.0.0.1:{port}; root {root}; }}
}}
"""


@dataclass(frozen=True)
class Nginx:
    """A running nginx.

    Parameters
    ----------
    url : str
        Of its root, without a slash at the end.
    log : Path
        Its access log.
    """

    url: str
    log: Path

    def requests(self) -> list[tuple[str, int, int]]:
        """Return method, status and bytes of each body sent so far."""
        time.sleep(0.1)  # it writes its log after its answer
        lines = [line.split() for line in self.log.read_text().splitlines()]
        return [(method, int(status), int(size)) for method, status, size, *_ in lines]


@contextmanager
def nginx(root: Path, folder: Path) -> Iterator[Nginx]:
    """Serve a folder by nginx; a test that needs it is skipped where it is not installed."""
    program = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if program is None:
        pytest.skip("nginx is not installed (Debian: nginx-light)")
    port = free_port()
    conf = folder / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""
    conf.write_text(_CONF.format(folder=folder, port=port, root=root, user=user))
    process = subprocess.Popen([program, "-p", str(folder), "-c", str(conf)], stderr=subprocess.DEVNULL)
    try:
        wait_for(port, process)
        yield Nginx(f"http://127.0.0.1:{port}", folder / "access.log")
    finally:
        process.terminate()
        process.wait()


@contextmanager
def stac_api(items: Path, folder: Path) -> Iterator[str]:
    """Serve a collection of items by rustac's STAC API, which searches in memory; yields its address."""
    port = free_port()
    program = Path(sys.executable).with_name("rustac")
    with (folder / "rustac.log").open("w") as log:
        process = subprocess.Popen(
            [program, "serve", "--addr", f"127.0.0.1:{port}", "--create-collections", items], stdout=log, stderr=log
        )
    try:
        wait_for(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


@contextmanager
def s3_endpoint() -> Iterator[str]:
    """Run moto's S3 endpoint in a process of its own; yields ``HOST:PORT``."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(port, process)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


@contextmanager
def answering(handler: type[BaseHTTPRequestHandler], *, over: threading.Event) -> Iterator[str]:
    """Answer requests in a thread; yields the address, and sets an event that handlers may wait for at the end."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    # A client that gave up is no news.
    server.handle_error = lambda *args: None
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        over.set()
        server.shutdown()
        server.server_close()
        thread.join()


def hurry(monkeypatch: pytest.MonkeyPatch, *modules: ModuleType) -> None:
    """Do without proxies, and wait for hundredths of the usual time before asking again."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setenv("GDAL_HTTP_RETRY_DELAY", "0.02")
    for module in modules:
        monkeypatch.setattr(module, "_PAUSE_S", 0.02)


@dataclass
class Faulty:
    """A server of one file, which fails when it is told to.

    Parameters
    ----------
    content : bytes
        The file.
    fault : str
        ``"500"``, ``"hang"`` (says nothing for `hang_s`), ``"cut"`` (ends in the middle of what it sends), or
        ``"trickle"`` (sends a byte now and then).
    after : int
        Requests for ranges that are answered well before the fault.
    times : int
        Requests that it befalls; those after them are answered well again.
    hang_s : float
        How long it says nothing.
    """

    content: bytes
    fault: str
    after: int = 0
    times: int = 1_000_000
    hang_s: float = 30.0
    asked: int = 0
    failed: int = 0
    stop: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self) -> Iterator[str]:
        """Serve; yields the file's address."""
        faulty = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_HEAD(self) -> None:
                if faulty.fault != "cut" and not faulty.after and faulty.failed < faulty.times:
                    self.fail()
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(len(faulty.content)))
                self.send_header("Accept-Ranges", "bytes")
                self.end_headers()

            def do_GET(self) -> None:
                faulty.asked += 1
                fails = faulty.asked > faulty.after and faulty.failed < faulty.times
                if fails and faulty.fault not in ("cut", "trickle"):
                    self.fail()
                    return
                faulty.failed += fails
                first, last = 0, len(faulty.content) - 1
                if match := re.match(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
                    first, last = int(match[1]), min(int(match[2] or last), last)
                body = faulty.content[first : last + 1]
                self.send_response(206)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Content-Range", f"bytes {first}-{last}/{len(faulty.content)}")
                self.end_headers()
                for number in range(len(body) if fails and faulty.fault == "trickle" else 0):
                    self.wfile.write(body[number : number + 1])
                    if faulty.stop.wait(0.1):
                        return
                self.wfile.write(body[: len(body) // 2] if fails else body)
                self.close_connection = self.close_connection or fails

            def fail(self) -> None:
                faulty.failed += 1
                if faulty.fault == "500":
                    self.send_response(500)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                else:
                    faulty.stop.wait(faulty.hang_s)
                    self.close_connection = True

            def log_message(self, *args: object) -> None:
                pass

        with answering(Handler, over=self.stop) as url:
            yield f"{url}/scene.tif"


@contextmanager
def broken_api(*, status: int, delay_s: float) -> Iterator[str]:
    """Serve a STAC API's landing page; its search is answered late, with a status, and not in JSON."""
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            home = f"http://127.0.0.1:{self.server.server_port}"
            links = [{"rel": rel, "href": home} for rel in ("root", "self")]
            links += [{"rel": "search", "href": f"{home}/search", "method": "POST", "type": "application/geo+json"}]
            able = ["core", "item-search"]
            page = {"type": "Catalog", "stac_version": "1.0.0", "id": "x", "description": "x", "links": links}
            page["conformsTo"] = [f"https://api.stacspec.org/v1.0.0/{each}" for each in able]
            self.answer(200, json.dumps(page).encode())

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            over.wait(delay_s)
            self.answer(status, b"<html>no</html>")

        def answer(self, code: int, body: bytes) -> None:
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    with answering(Handler, over=over) as url:
        yield url


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int, process: subprocess.Popen, *, seconds: float = 60.0) -> None:
    """Wait until a server answers."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"Invalid server '{process.args}'. Must run; it ended with {process.returncode}.")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"Invalid server '{process.args}'. Must listen within {seconds:g} s.")
