"""A web server of this machine that breaks off, corrupts, stalls, refuses and resumes, and a registry of its files."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PIECE = 65_536


class Site:
    """Files by path, what to do with each of the next requests, and the ranges that were asked for."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files, self.address, self.over = files, "", threading.Event()
        self.plan: list[str] = []
        self.pause = 0.0  # seconds after each piece of a file
        self.ranges: list[str | None] = []

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        self.ranges.append(handler.headers["Range"])
        step = self.plan.pop(0) if self.plan else "serve"
        body = self.files.get(handler.path)
        if body is None or step in ("503", "404"):
            handler.send_error(503 if step == "503" else 404)
            return
        start, total = 0, len(body)
        if handler.headers["Range"] and step != "no ranges":
            start = int(handler.headers["Range"].removeprefix("bytes=").removesuffix("-"))
            if start >= total:
                handler.send_error(416)
                return
            handler.send_response(206)
            handler.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        else:
            handler.send_response(200)
        rest = body[start:]
        handler.send_header("Content-Length", str(len(rest)))
        handler.end_headers()
        if step == "corrupt":
            rest = bytes([rest[0] ^ 1]) + rest[1:]
        if step in ("truncate", "stall"):
            rest = rest[: len(rest) // 2]
        with suppress(ConnectionError):  # of a client that was killed
            for first in range(0, len(rest), PIECE):
                handler.wfile.write(rest[first : first + PIECE])
                handler.wfile.flush()
                time.sleep(self.pause)
        if step == "stall":
            self.over.wait(20)


@contextmanager
def serving(files: dict[str, bytes]) -> Iterator[Site]:
    """Serve files at ``address``, which ends in /d/ as their paths begin."""
    site = Site(files)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.answer(self)

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        site.address = f"http://127.0.0.1:{server.server_port}/d/"
        try:
            yield site
        finally:
            site.over.set()
            server.shutdown()


def write_registry(folder: Path, base: str, files: dict[str, bytes], traits: str = "") -> Path:
    """Write the registry of one data set, ``toy``."""
    digests = "".join(f'"{name}" = "{hashlib.sha256(body).hexdigest()}"\n' for name, body in files.items())
    (folder / "registry.toml").write_text(f'[toy]\nabout = "toy"\nbase = "{base}"\n{traits}\n[toy.files]\n{digests}')
    return folder / "registry.toml"
