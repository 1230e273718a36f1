"""HTTP/1.1 as it came: nothing of a request line, a field or a body is mended or guessed, because a signature covers exactly what was sent."""

from dataclasses import dataclass, field

MAX_HEAD = 256 * 1024


class Refused(Exception):
    """A request that the verifier does not take: `code` is the error code of AWS."""

    def __init__(self, code, detail="", status=403, canonical=None):
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.status = status
        self.canonical = canonical


@dataclass
class Request:
    """One request. `headers` are (name, value) pairs in their order; `body` is without the transfer coding."""

    method: str
    target: str
    headers: list
    body: bytes = b""
    trailers: list = field(default_factory=list)

    @property
    def path(self):
        return self.target.partition("?")[0]

    @property
    def query(self):
        return self.target.partition("?")[2]

    @property
    def host(self):
        return self.one("host") or ""

    def all(self, name):
        return [value for own, value in self.headers if own.lower() == name]

    def one(self, name):
        """The value of a field that stands at most once."""
        values = self.all(name)
        if len(values) > 1:
            raise Refused("InvalidRequest", f"{len(values)} fields named {name}", 400)
        return values[0] if values else None


def read_request(stream, proceed):
    """The next request, or None at the end. `proceed` is called where the client waits for 100 Continue."""
    line = stream.readline(MAX_HEAD)
    if line in (b"", b"\r\n"):
        return None
    method, target, version = line.decode("latin-1").rstrip("\r\n").split(" ")
    if version != "HTTP/1.1":
        raise ValueError(f"unexpected version {version}")
    request = Request(method, target, _fields(stream))
    if (request.one("expect") or "").lower() == "100-continue":
        proceed()
    if (request.one("transfer-encoding") or "").lower() == "chunked":
        request.body, request.trailers = _chunked(stream)
    else:
        request.body = _exactly(stream, int(request.one("content-length") or 0))
    return request


def _fields(stream):
    fields = []
    while True:
        line = stream.readline(MAX_HEAD).decode("latin-1").rstrip("\r\n")
        if line == "":
            return fields
        name, _, value = line.partition(":")
        fields.append((name, value.strip(" \t")))


def _chunked(stream):
    pieces = []
    while True:
        size = int(stream.readline(MAX_HEAD).partition(b";")[0], 16)
        if size == 0:
            return b"".join(pieces), _fields(stream)
        pieces.append(_exactly(stream, size))
        if stream.readline(3) != b"\r\n":
            raise ValueError("a chunk does not end where it said")


def _exactly(stream, size):
    body = stream.read(size)
    if len(body) != size:
        raise ConnectionError(f"the body ended after {len(body)} of {size} bytes")
    return body
