"""A TLS server that stands for AWS: it answers a request whose signature is right, and says what is wrong with any other.

    verifier.py <certificate and key as PEM> <settings as JSON>

Settings: `access_key`, `secret_key`, `session_token` (optional), `scopes` ({host: [service, region]}, for hosts that are not AWS's).
On stdout a JSON line for each event: {"event": "listening", "port"} once, then {"event": "request", …} each. On stdin JSON lines change
settings; `clock_offset_s` moves the clock. It ends with its stdin.
"""

import hashlib
import json
import socket
import ssl
import sys
import threading
import time
from email.utils import formatdate

from payload import check_payload
from services import Answer, Services, refusal
from signature import verify
from wire import Refused, read_request

REASONS = {200: "OK", 204: "No Content", 206: "Partial Content", 400: "Bad Request", 403: "Forbidden", 404: "Not Found"}


class Verifier:
    def __init__(self, settings):
        self.settings = settings
        self.services = Services()
        self.lock = threading.Lock()

    def clock(self):
        return time.time() + self.settings.get("clock_offset_s", 0)

    def serve(self, connection):
        stream = connection.makefile("rb")

        def proceed():
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")

        while (request := read_request(stream, proceed)) is not None:
            answer = self.judge(request)
            connection.sendall(self.written(request, answer))

    def judge(self, request):
        seen = {"event": "request", "method": request.method, "host": request.host, "target": request.target, "headers": request.headers}
        with self.lock:
            try:
                signed, seen["canonical"] = verify(request, self.settings, self.clock)
                content = check_payload(request, signed, self.settings)
                seen.update(verdict="ok", service=signed.service, region=signed.region, in_query=signed.in_query)
                seen.update(bytes=len(content), sha256=hashlib.sha256(content).hexdigest(), body_bytes=len(request.body))
                answer = self.services.answer(request, signed, content)
            except Refused as refused:
                seen.update(verdict=refused.code, detail=refused.detail, canonical=refused.canonical)
                answer = refusal(refused, "json" in (request.one("content-type") or ""))
            except Exception as error:
                seen.update(verdict="VerifierFailed", detail=repr(error))
                answer = Answer(400, repr(error).encode(), "text/plain")
            tell(seen)
        return answer

    def written(self, request, answer):
        fields = [("Date", formatdate(self.clock(), usegmt=True)), ("x-amz-request-id", "0000"), *answer.headers]
        if answer.status != 204:
            fields.append(("Content-Length", str(len(answer.body))))
        head = f"HTTP/1.1 {answer.status} {REASONS[answer.status]}\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields)
        return head.encode("latin-1") + b"\r\n" + (b"" if request.method == "HEAD" else answer.body)


def tell(event):
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


def handle(verifier, context, raw):
    try:
        with context.wrap_socket(raw, server_side=True) as connection:
            verifier.serve(connection)
    except (OSError, ValueError) as error:
        tell({"event": "broken", "detail": repr(error)})


def obey(verifier):
    for line in sys.stdin:
        with verifier.lock:
            verifier.settings.update(json.loads(line))
            tell({"event": "settings"})


def accept(verifier, context, listener):
    while True:
        raw, _ = listener.accept()
        threading.Thread(target=handle, args=(verifier, context, raw), daemon=True).start()


def main(certificate, settings):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    verifier = Verifier(json.loads(settings))
    threading.Thread(target=accept, args=(verifier, context, listener), daemon=True).start()
    tell({"event": "listening", "port": listener.getsockname()[1]})
    obey(verifier)


main(*sys.argv[1:])
