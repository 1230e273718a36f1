"""Sends one request that it signs with botocore, or leaves unsigned, and spoils one byte of it on demand.

    signing_client.py <JSON>

`proxy` (URL), `ca`, `host`, `method`, `target` (raw), `headers`, `body`, `access_key`, `secret_key`, `token`, `service`, `region`;
`payload`: hash | unsigned | chunks | chunks-trailer | unsigned-trailer | none (not signed at all) | query;
`spoil`: key | target | header | body | chunk | chunk-signature | trailer | trailer-signature | short; `skew_s`; `chunk_bytes`; `encoding`.
Prints {"status", "headers", "body"}.
"""

import base64
import datetime
import hashlib
import hmac
import http.client
import json
import ssl
import sys
import zlib
from urllib.parse import urlsplit

import botocore.auth
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

STREAMING = {
    "unsigned": "UNSIGNED-PAYLOAD",
    "chunks": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    "chunks-trailer": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
    "unsigned-trailer": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
}


class Clock(datetime.datetime):
    """What botocore takes for the time."""

    skew = datetime.timedelta(0)

    @classmethod
    def utcnow(cls):
        return datetime.datetime.utcnow() + cls.skew


def flip(text):
    """Another hexadecimal digit at the end."""
    return text[:-1] + ("0" if text[-1] != "0" else "1")


def signed_request(spec, body, kind):
    base = S3SigV4QueryAuth if kind == "query" else S3SigV4Auth if spec.get("service", "s3") == "s3" else SigV4Auth

    class Auth(base):
        def payload(self, request):
            return STREAMING.get(kind) or super().payload(request)

    secret = spec["secret_key"]
    secret = flip(secret) if spec.get("spoil") == "key" else secret
    credentials = Credentials(spec["access_key"], secret, spec.get("token"))
    request = AWSRequest(method=spec.get("method", "GET"), url=f"https://{spec['host']}{spec['target']}", data=body, headers=spec.get("headers", {}))
    request.headers["Host"] = spec["host"]
    if kind.endswith("trailer") or kind == "chunks":
        request.headers["X-Amz-Decoded-Content-Length"] = str(len(body))
        request.headers["Content-Encoding"] = "aws-chunked"
    if kind.endswith("trailer"):
        request.headers["X-Amz-Trailer"] = "x-amz-checksum-crc32"
    Auth(credentials, spec.get("service", "s3"), spec.get("region", "us-east-1")).add_auth(request)
    return request


class Chunker:
    """A body as aws-chunked, each chunk signed after the one before it."""

    def __init__(self, spec, request):
        self.date = request.headers["X-Amz-Date"]
        self.scope = f"{self.date[:8]}/{spec.get('region', 'us-east-1')}/s3/aws4_request"
        self.previous = request.headers["Authorization"].rpartition("Signature=")[2]
        self.key = ("AWS4" + spec["secret_key"]).encode()
        for part in self.scope.split("/"):
            self.key = hmac.new(self.key, part.encode(), hashlib.sha256).digest()

    def sign(self, kind, *hashes):
        text = "\n".join([f"AWS4-HMAC-SHA256-{kind}", self.date, self.scope, self.previous, *hashes])
        self.previous = hmac.new(self.key, text.encode(), hashlib.sha256).hexdigest()
        return self.previous

    def head(self, piece, signs, spoil):
        if not signs:
            return f"{len(piece):x}\r\n".encode()
        signature = self.sign("PAYLOAD", hashlib.sha256(b"").hexdigest(), hashlib.sha256(piece).hexdigest())
        return f"{len(piece):x};chunk-signature={flip(signature) if spoil == 'chunk-signature' else signature}\r\n".encode()


def chunked(spec, request, body, kind):
    chunker, spoil, size = Chunker(spec, request), spec.get("spoil"), spec.get("chunk_bytes", 65536)
    signs = kind.startswith("chunks")
    out = []
    for at in range(0, len(body), size):
        piece = body[at : at + size]
        out.append(chunker.head(piece, signs, spoil if at > 0 else None))
        out.append((bytes([piece[0] ^ 1]) + piece[1:] if spoil == "chunk" and at > 0 else piece) + b"\r\n")
    out.append(chunker.head(b"", signs, None))
    if kind.endswith("trailer"):
        checksum = base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()
        line = f"x-amz-checksum-crc32:{checksum}\n"
        spoiled = "x-amz-checksum-crc32:AAAAAA==\n" if spoil == "trailer" else line
        out.append(spoiled.replace("\n", "\r\n").encode())
        if signs:
            signature = chunker.sign("TRAILER", hashlib.sha256(line.encode()).hexdigest())
            out.append(f"x-amz-trailer-signature:{flip(signature) if spoil == 'trailer-signature' else signature}\r\n".encode())
    out.append(b"\r\n")
    return b"".join(out)


def send(spec, target, headers, body):
    proxy = urlsplit(spec["proxy"])
    connection = http.client.HTTPSConnection(proxy.hostname, proxy.port, context=ssl.create_default_context(cafile=spec["ca"]), timeout=30)
    login = f"{proxy.username or ''}:{proxy.password or ''}"
    key = {} if login == ":" else {"Proxy-Authorization": "Basic " + base64.b64encode(login.encode()).decode()}
    connection.set_tunnel(spec["host"], 443, headers=key)
    connection.putrequest(spec.get("method", "GET"), target, skip_host=True, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name, value)
    if body is not None and "Content-Length" not in headers:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders()
    if body:
        connection.send(body[: len(body) // 2] if spec.get("spoil") == "short" else body)
    try:
        if spec.get("spoil") == "short":
            connection.sock.unwrap()
        response = connection.getresponse()
    except (OSError, http.client.HTTPException) as error:
        return {"status": 0, "headers": {}, "body": repr(error)}
    return {"status": response.status, "headers": dict(response.getheaders()), "body": response.read().decode("latin-1")}


def main(spec):
    http.client._contains_disallowed_url_pchar_re = http.client.re.compile("[\x00-\x20\x7f]")
    Clock.skew = datetime.timedelta(seconds=spec.get("skew_s", 0))
    botocore.auth.datetime = type("module", (), {"datetime": Clock})
    kind, spoil = spec.get("payload", "hash"), spec.get("spoil")
    body = spec["body"].encode() * spec.get("repeat", 1) if "body" in spec else b""
    target, headers = spec["target"], {"Host": spec["host"], **spec.get("headers", {})}
    sent = body if "body" in spec else None
    if kind != "none":
        request = signed_request(spec, body, kind)
        headers = dict(request.headers.items())
        if kind == "query":
            target = request.url.partition(spec["host"])[2]
        elif kind.endswith("trailer") or kind == "chunks":
            sent = chunked(spec, request, body, kind)
    if spoil == "target":
        target = target.replace("a", "b", 1)
    if spoil == "header":
        headers["X-Amz-Meta-Note"] = "other"
    if spoil == "body":
        sent = b"X" + body[1:]
    return send(spec, target, headers, sent)


print(json.dumps(main(json.loads(sys.argv[1]))))
