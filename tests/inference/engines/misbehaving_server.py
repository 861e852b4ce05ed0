"""A real HTTP server on 127.0.0.1 that speaks OpenAI's API and misbehaves on request."""

import html
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote

# (body of the request, how often this same body was asked before) -> what to do: `ok`; `status 500`; `hang` before a word of the answer,
# `stall` in the middle of it; `close` and `cut`: end the connection there; `nonsense`: half of the JSON as if it were all; `page`: HTML of
# a proxy with status 200; `hollow`: JSON without a choice; `abort`: an answer that the server broke off; `list`: a text in parts;
# `infinite`: a count of tokens that is none; `deep`: JSON of a hundred thousand levels; `echo 401`: that status, and the key in the body
Manners = Callable[[dict[str, Any], int], str]


def answer_to(body: dict[str, Any]) -> str:
    """What the server says: a function of the request alone."""
    asked = body["messages"][-1]["content"] if "messages" in body else body["prompt"]
    return f"answer to {asked} ({body.get('seed', 'greedy')})"


class MisbehavingServer:
    """asked, answered: how often each prompt was asked, and answered whole. headers: of the answer to a misbehaving or any request."""

    def __init__(self, manners: Manners, headers: Callable[[str], dict[str, str]] = lambda action: {}, work_s: float = 0.0) -> None:
        self.manners = manners
        self.headers = headers
        self.work_s = work_s
        self.asked: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self.times: list[float] = []
        self.open = 0
        self.most_open = 0
        self.paths: set[str] = set()
        self.keys: set[str] = set()
        self._lock = threading.Lock()
        self.released = threading.Event()
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http.server_address[1]}/v1"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments: Any) -> None:
                pass

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                key = json.dumps(body, sort_keys=True)
                with server._lock:
                    before = server.asked[key]
                    server.asked[key] += 1
                    server.times.append(time.monotonic())
                    server.open += 1
                    server.most_open = max(server.most_open, server.open)
                    server.paths.add(self.path)
                    server.keys.add(self.headers.get("Authorization", ""))
                try:
                    time.sleep(server.work_s)
                    action = server.manners(body, before)
                finally:
                    # before the answer is sent: the client may ask again, or the test may count, as soon as it has the answer
                    with server._lock:
                        server.open -= 1
                if action == "ok":
                    with server._lock:
                        server.answered[key] += 1
                server._act(self, body, action)

        return Handler

    def _act(self, handler: BaseHTTPRequestHandler, body: dict[str, Any], action: str) -> None:
        if action == "hang":
            self.released.wait(30)
            handler.close_connection = True
            return
        if action == "close":
            handler.close_connection = True
            return
        text = answer_to(body)
        choice = {"message": {"content": text}} if "messages" in body else {"text": text}
        usage = {"prompt_tokens": 7, "completion_tokens": 5}
        reason = "abort" if action == "abort" else "stop"
        sent = json.dumps({"choices": [choice | {"finish_reason": reason}], "usage": usage}).encode()
        if action == "nonsense":
            sent = sent[: len(sent) // 2]
        if action == "page":
            sent = b"<html><body>502 Bad Gateway</body></html>"
        if action == "list":
            parts = {"message": {"content": [{"text": text}]}} if "messages" in body else {"text": [text]}
            sent = json.dumps({"choices": [parts | {"finish_reason": reason}], "usage": usage}).encode()
        if action == "infinite":
            sent = sent.replace(b'"completion_tokens": 5', b'"completion_tokens": 1e400')
        if action == "deep":
            sent = b"[" * 100_000
        if action.startswith("echo"):
            sent = self._echo(handler.headers.get("Authorization", ""))
        if action == "hollow":
            sent = b'{"choices": [], "usage": null}'
        if action.startswith("status"):
            sent = json.dumps({"error": {"message": "as told", "code": " ".join(action.split()[2:])}}).encode()
        handler.send_response(int(action.split()[1]) if action.startswith(("status", "echo")) else 200)
        for name, value in self.headers(action).items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(sent)))
        handler.end_headers()
        if action in ("cut", "stall"):
            handler.wfile.write(sent[: len(sent) // 2])
            if action == "stall":
                self.released.wait(30)
            handler.close_connection = True
            return
        handler.wfile.write(sent)

    def _echo(self, sent: str) -> bytes:
        """The key that came, as servers write it into errors and pages; the last is where a message may be cut."""
        key = sent.partition(" ")[2]
        forms = [json.dumps(sent), quote(key, safe=""), html.escape(key), "x" * (290 - len(json.dumps(sent))), key]
        return ("wrong key: " + " ".join(forms)).encode()


@contextmanager
def serving(server: MisbehavingServer) -> Iterator[MisbehavingServer]:
    thread = threading.Thread(target=server.http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        server.http.shutdown()
        server.http.server_close()
        thread.join()
