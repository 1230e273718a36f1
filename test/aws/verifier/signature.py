"""Recomputes a Signature Version 4 with botocore: what the client signed is known only from what arrived."""

import calendar
import hashlib
import hmac
import re
import time
from urllib.parse import quote, unquote_to_bytes

from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials
from wire import Refused

ALGORITHM = "AWS4-HMAC-SHA256"
MAX_SKEW_S = 15 * 60
UNRESERVED = "-_.~"
AUTHORIZATION = re.compile(
    ALGORITHM + r" *Credential=([^,/]+)/([0-9]{8})/([^,/]+)/([^,/]+)/aws4_request, *SignedHeaders=([^,]+), *Signature=([0-9a-f]{64})"
)
CREDENTIAL = re.compile(r"([^/]+)/([0-9]{8})/([^/]+)/([^/]+)/aws4_request")


class Signed:
    """What a request says of its own signature, in the header or in the query."""

    def __init__(self, request):
        self.pairs = query_pairs(request.query)
        named = dict(self.pairs)
        self.in_query = "X-Amz-Signature" in named
        authorization = request.one("authorization")
        if self.in_query == (authorization is not None):
            raise Refused("MissingAuthenticationToken" if authorization is None else "InvalidArgument", "not exactly one signature")
        if self.in_query:
            match = CREDENTIAL.fullmatch(named.get("X-Amz-Credential", ""))
            rest = [named.get("X-Amz-SignedHeaders", ""), named["X-Amz-Signature"]]
            if named.get("X-Amz-Algorithm") != ALGORITHM:
                raise Refused("AuthorizationQueryParametersError", "X-Amz-Algorithm", 400)
        else:
            match = AUTHORIZATION.fullmatch(authorization)
            rest = []
        if match is None:
            raise Refused("IncompleteSignature", "the signature cannot be read", 400)
        self.access_key, self.day, self.region, self.service, names, self.signature = [*match.groups(), *rest]
        self.names = names.split(";")
        self.date = named.get("X-Amz-Date") if self.in_query else request.one("x-amz-date")
        self.token = named.get("X-Amz-Security-Token") if self.in_query else request.one("x-amz-security-token")
        self.expires = named.get("X-Amz-Expires")


def verify(request, settings, clock):
    """Returns (Signed, canonical request). Raises Refused, with the canonical request where there is one."""
    signed = Signed(request)
    _check_identity(signed, settings)
    _check_scope(signed, request.host, settings)
    _check_names(signed, request)
    auth = _auth(signed, settings)
    sent = _as_received(request, signed)
    canonical = auth.canonical_request(sent)
    expected = auth.signature(auth.string_to_sign(sent, canonical), sent)
    if not hmac.compare_digest(expected, signed.signature):
        raise Refused("SignatureDoesNotMatch", f"expected {expected}, received {signed.signature}", canonical=canonical)
    _check_date(signed, clock)
    return signed, canonical


def signing_key(settings, signed):
    """The key of the day, for chunks; deliberately not botocore's."""
    key = ("AWS4" + settings["secret_key"]).encode()
    for part in (signed.day, signed.region, signed.service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def query_pairs(query):
    """Decoded names and values in their order. A plus sign is a space, to Ceph, too."""
    parts = [part.partition("=") for part in query.split("&") if part != ""]
    return [(_decode(name), _decode(value)) for name, _, value in parts]


def _decode(text):
    return unquote_to_bytes(text.replace("+", " ").encode("latin-1")).decode("utf-8", "surrogateescape")


def _encode(text):
    return quote(text.encode("utf-8", "surrogateescape"), safe=UNRESERVED)


def _auth(signed, settings):
    """botocore's signer for the service; only which headers are signed is told to it, because the client chose them."""
    on_s3 = signed.service in ("s3", "s3express", "s3-outposts", "s3-object-lambda")
    base = {
        (True, True): S3SigV4QueryAuth,
        (True, False): S3SigV4Auth,
        (False, True): SigV4QueryAuth,
        (False, False): SigV4Auth,
    }[on_s3, signed.in_query]

    class Verifying(base):
        def headers_to_sign(self, request):
            chosen = HTTPHeaders()
            for name, value in request.context["received"]:
                if name.lower() in signed.names:
                    chosen[name.lower()] = value
            return chosen

    credentials = Credentials(signed.access_key, settings["secret_key"], settings.get("session_token"))
    return Verifying(credentials, signed.service, signed.region)


def _as_received(request, signed):
    on_s3 = signed.service.startswith("s3")
    # An escaped slash is a slash in the name of an object, to Ceph, too.
    path = quote(unquote_to_bytes(request.path), safe=UNRESERVED + "/") if on_s3 else request.path
    pairs = [f"{_encode(name)}={_encode(value)}" for name, value in signed.pairs if name != "X-Amz-Signature"]
    sent = AWSRequest(method=request.method, url=f"https://{request.host}{path}" + ("?" + "&".join(pairs) if pairs else ""))
    for name, value in request.headers:
        if name.lower() == "x-amz-content-sha256":
            sent.headers[name] = value
    sent.data = request.body
    sent.context["timestamp"] = signed.date
    sent.context["received"] = request.headers
    return sent


def _check_identity(signed, settings):
    if signed.access_key != settings["access_key"]:
        raise Refused("InvalidAccessKeyId", f"access key {signed.access_key}")
    if signed.token != settings.get("session_token"):
        raise Refused("InvalidToken", "the session token is not that of the key")


def _check_scope(signed, host, settings):
    expected = scope_of(host, settings.get("scopes", {}))
    if [signed.service, signed.region] != expected:
        raise Refused("SignatureDoesNotMatch", f"Credential should be scoped to {expected}, not {[signed.service, signed.region]}")


SCOPES = [
    (r"(?:.+\.)?s3(?:\.dualstack)?\.(?P<region>[a-z]+-[a-z-]+-\d)\.amazonaws\.com(?:\.cn)?", "s3"),
    (r"(?:.+\.)?s3\.amazonaws\.com", "s3"),
    (r"[a-z0-9]+\.execute-api\.(?P<region>[a-z0-9-]+)\.amazonaws\.com", "execute-api"),
    (r"(?P<service>[a-z-]+)\.(?P<region>[a-z]+-[a-z-]+-\d)\.amazonaws\.com(?:\.cn)?", None),
    (r"(?P<service>[a-z-]+)\.amazonaws\.com", None),
]


def scope_of(host, given):
    """[service, region] that AWS would expect on a host."""
    if host in given:
        return given[host]
    for pattern, service in SCOPES:
        match = re.fullmatch(pattern, host)
        if match is not None:
            named = match.groupdict()
            return [service or named["service"], named.get("region") or "us-east-1"]
    raise Refused("InvalidRequest", f"no service is known on {host}", 400)


def _check_names(signed, request):
    present = {name.lower() for name, _ in request.headers}
    must = {"host"} | {name for name in present if name.startswith("x-amz-")}
    missing = sorted(must - set(signed.names))
    if missing:
        raise Refused("AccessDenied", f"There were headers present in the request which were not signed: {missing}")
    absent = sorted(set(signed.names) - present)
    if absent:
        raise Refused("SignatureDoesNotMatch", f"signed headers that did not arrive: {absent}")
    if signed.names != sorted(signed.names):
        raise Refused("SignatureDoesNotMatch", "the signed headers are not in order")


def _check_date(signed, clock):
    at = calendar.timegm(time.strptime(signed.date, "%Y%m%dT%H%M%SZ"))
    if signed.date[:8] != signed.day:
        raise Refused("SignatureDoesNotMatch", "date and scope differ")
    if signed.in_query:
        if clock() > at + int(signed.expires or 0):
            raise Refused("AccessDenied", "Request has expired")
        if at > clock() + MAX_SKEW_S:
            raise Refused("AccessDenied", "Request is not valid yet")
    elif abs(clock() - at) > MAX_SKEW_S:
        raise Refused("RequestTimeTooSkewed", "The difference between the request time and the current time is too large.")
