"""Checks that a body is what its request says of it: its hash, or the signature of each of its chunks and of its trailers."""

import base64
import hashlib
import hmac
import zlib

from signature import ALGORITHM, signing_key
from wire import Refused

EMPTY = hashlib.sha256(b"").hexdigest()
CRC32C = []
for number in range(256):
    for _ in range(8):
        number = (number >> 1) ^ (0x82F63B78 if number & 1 else 0)
    CRC32C.append(number)


def check_payload(request, signed, settings):
    """The content of the request, without aws-chunked. Raises Refused."""
    said = request.one("x-amz-content-sha256")
    if said is None or said == "UNSIGNED-PAYLOAD":
        if said is None and signed.service == "s3" and not signed.in_query:
            raise Refused("InvalidRequest", "Missing required header for this request: x-amz-content-sha256", 400)
        return request.body
    if said.startswith("STREAMING-"):
        return _Chunks(request, signed, settings, said).content()
    if said != hashlib.sha256(request.body).hexdigest():
        raise Refused("XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed.", 400)
    return request.body


class _Chunks:
    """The aws-chunked body of one request."""

    def __init__(self, request, signed, settings, kind):
        if kind not in (
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        ):
            raise Refused("InvalidRequest", f"payload {kind}", 400)
        self.request = request
        self.signed_chunks = kind.startswith("STREAMING-AWS4")
        self.has_trailer = kind.endswith("-TRAILER")
        self.previous = signed.signature
        self.key = signing_key(settings, signed)
        self.scope = f"{signed.day}/{signed.region}/{signed.service}/aws4_request"
        self.date = signed.date
        self.rest = request.body

    def content(self):
        pieces = []
        while True:
            piece = self._chunk()
            if piece == b"":
                break
            pieces.append(piece)
        content = b"".join(pieces)
        said = self.request.one("x-amz-decoded-content-length")
        if said != str(len(content)):
            raise Refused("IncompleteBody", f"x-amz-decoded-content-length {said}, content {len(content)}", 400)
        self._trailers(content)
        return content

    def _line(self):
        line, found, self.rest = self.rest.partition(b"\r\n")
        if found == b"":
            raise Refused("IncompleteBody", "a line of the chunked body does not end", 400)
        return line.decode("latin-1")

    def _chunk(self):
        size, _, extension = self._line().partition(";")
        size = int(size, 16)
        piece, self.rest = self.rest[:size], self.rest[size:]
        if len(piece) != size:
            raise Refused("IncompleteBody", f"a chunk of {size} bytes ended after {len(piece)}", 400)
        if self.signed_chunks:
            self._match(f"{ALGORITHM}-PAYLOAD", [EMPTY, hashlib.sha256(piece).hexdigest()], extension.removeprefix("chunk-signature="), "chunk")
        elif extension != "":
            raise Refused("InvalidRequest", "an unsigned chunk carries an extension", 400)
        if size > 0 and self._line() != "":
            raise Refused("InvalidRequest", "a chunk is longer than it says", 400)
        return piece

    def _match(self, algorithm, hashes, received, what):
        text = "\n".join([algorithm, self.date, self.scope, self.previous, *hashes])
        expected = hmac.new(self.key, text.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, received):
            raise Refused("SignatureDoesNotMatch", f"the signature of a {what}: expected {expected}, received {received}", canonical=text)
        self.previous = expected

    def _trailers(self, content):
        trailers = {}
        while True:
            line = self._line() if self.rest else ""
            if line == "":
                break
            name, _, value = line.partition(":")
            trailers[name.lower()] = value.strip()
        if self.rest != b"":
            raise Refused("InvalidRequest", f"{len(self.rest)} bytes after the end of the body", 400)
        signature = trailers.pop("x-amz-trailer-signature", None)
        announced = sorted(name.strip().lower() for name in (self.request.one("x-amz-trailer") or "").split(",") if name.strip())
        if sorted(trailers) != (announced if self.has_trailer else []):
            raise Refused("MalformedTrailerError", f"announced {announced}, received {sorted(trailers)}", 400)
        if self.signed_chunks and self.has_trailer:
            text = "".join(f"{name}:{value}\n" for name, value in sorted(trailers.items()))
            self._match(f"{ALGORITHM}-TRAILER", [hashlib.sha256(text.encode()).hexdigest()], signature or "", "trailer")
        for name, value in trailers.items():
            computed = _checksum(name.removeprefix("x-amz-checksum-"), content)
            if computed is not None and computed != value:
                raise Refused("BadDigest", f"{name}: {value}, computed {computed}", 400)


def _checksum(algorithm, content):
    """In Base64, or None for an algorithm that is not known here."""
    if algorithm in ("sha1", "sha256"):
        digest = hashlib.new(algorithm, content).digest()
    elif algorithm == "crc32":
        digest = zlib.crc32(content).to_bytes(4, "big")
    elif algorithm == "crc32c":
        crc = 0xFFFFFFFF
        for byte in content:
            crc = (crc >> 8) ^ CRC32C[(crc ^ byte) & 0xFF]
        digest = (crc ^ 0xFFFFFFFF).to_bytes(4, "big")
    else:
        return None
    return base64.b64encode(digest).decode()
