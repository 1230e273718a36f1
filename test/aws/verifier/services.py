"""Plausible answers, so that clients go on: an S3 in memory, and a few calls of other services."""

import hashlib
import json
from urllib.parse import quote, unquote
from xml.sax.saxutils import escape

from signature import query_pairs

ACCOUNT = "123456789012"
S3 = "http://s3.amazonaws.com/doc/2006-03-01/"


def xml(root, inner, namespace=None):
    attribute = "" if namespace is None else f' xmlns="{namespace}"'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{root}{attribute}>{inner}</{root}>'.encode()


class Answer:
    """What goes back."""

    def __init__(self, status=200, body=b"", kind="application/xml", headers=()):
        self.status = status
        self.body = body
        self.headers = [("Content-Type", kind), *headers]


def refusal(refused, request_json):
    """An error as AWS words it, with the canonical request for whoever looks for the difference."""
    if request_json:
        body = {"__type": f"com.amazon.coral.service#{refused.code}", "message": refused.detail, "canonical": refused.canonical}
        return Answer(refused.status, json.dumps(body).encode(), "application/x-amz-json-1.1")
    inner = f"<Code>{refused.code}</Code><Message>{escape(refused.detail)}</Message><CanonicalRequest>{escape(refused.canonical or '')}</CanonicalRequest>"
    return Answer(refused.status, xml("Error", inner))


class Services:
    """State of what clients have put there."""

    def __init__(self):
        self.buckets = {}
        self.uploads = {}

    def answer(self, request, signed, content):
        by_name = {"s3": self._s3, "dynamodb": _dynamodb, "sqs": _sqs, "sts": _sts, "kms": _kms, "lambda": _lambda}
        return by_name.get(signed.service, _other)(request, content)

    def _s3(self, request, content):
        labels = request.host.split(".s3")
        path = unquote(request.path, errors="surrogateescape")[1:]
        bucket, key = (labels[0], path) if len(labels) > 1 else (path.partition("/")[0], path.partition("/")[2])
        query = dict(query_pairs(request.query))
        if bucket == "":
            names = "".join(f"<Bucket><Name>{name}</Name><CreationDate>2020-01-01T00:00:00.000Z</CreationDate></Bucket>" for name in self.buckets)
            return Answer(body=xml("ListAllMyBucketsResult", f"<Owner><ID>1</ID></Owner><Buckets>{names}</Buckets>", S3))
        objects = self.buckets.setdefault(bucket, {})
        if key == "":
            return _bucket(request, query, bucket, objects)
        if "uploads" in query or "uploadId" in query:
            return self._multipart(request, query, bucket, key, content)
        return _object(request, key, objects, content)

    def _multipart(self, request, query, bucket, key, content):
        names = f"<Bucket>{bucket}</Bucket><Key>{escape(key)}</Key>"
        if "uploads" in query:
            upload = f"upload-{len(self.uploads)}"
            self.uploads[upload] = {}
            return Answer(body=xml("InitiateMultipartUploadResult", f"{names}<UploadId>{upload}</UploadId>", S3))
        parts = self.uploads[query["uploadId"]]
        if request.method == "PUT":
            parts[int(query["partNumber"])] = content
            return Answer(headers=[("ETag", etag(content))])
        if request.method == "DELETE":
            return Answer(204)
        ordered = [parts[number] for number in sorted(parts)]
        tag = etag(b"".join(hashlib.md5(part).digest() for part in ordered), f"-{len(ordered)}")
        self.buckets.setdefault(bucket, {})[key] = (b"".join(ordered), tag)
        return Answer(body=xml("CompleteMultipartUploadResult", f"{names}<ETag>{escape(tag)}</ETag>", S3))


def etag(content, parts=""):
    return f'"{hashlib.md5(content).hexdigest()}{parts}"'


def _bucket(request, query, bucket, objects):
    if "location" in query:
        return Answer(body=xml("LocationConstraint", "", S3))
    if request.method == "POST" and "delete" in query:
        objects.clear()
        return Answer(body=xml("DeleteResult", "", S3))
    if request.method in ("PUT", "HEAD", "DELETE"):
        return Answer(204 if request.method == "DELETE" else 200)
    prefix = query.get("prefix", "")
    as_url = query.get("encoding-type") == "url"
    listed = [(key, content) for key, content in sorted(objects.items()) if key.startswith(prefix)]
    inner = "".join(
        f"<Contents><Key>{quote(key) if as_url else escape(key)}</Key><LastModified>2020-01-01T00:00:00.000Z</LastModified>"
        f"<ETag>{escape(tag)}</ETag><Size>{len(content)}</Size><StorageClass>STANDARD</StorageClass></Contents>"
        for key, (content, tag) in listed
    )
    head = f"<Name>{bucket}</Name><Prefix>{escape(prefix)}</Prefix><KeyCount>{len(listed)}</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated>"
    encoding = "<EncodingType>url</EncodingType>" if as_url else ""
    return Answer(body=xml("ListBucketResult", head + encoding + inner, S3))


def _object(request, key, objects, content):
    if request.method == "PUT":
        objects[key] = (content, etag(content))
        return Answer(headers=[("ETag", etag(content))])
    if request.method == "DELETE":
        objects.pop(key, None)
        return Answer(204)
    if key not in objects:
        return Answer(404, xml("Error", "<Code>NoSuchKey</Code><Message>The specified key does not exist.</Message>"))
    stored, tag = objects[key]
    about = [("ETag", tag), ("Last-Modified", "Wed, 01 Jan 2020 00:00:00 GMT"), ("Accept-Ranges", "bytes")]
    asked = request.one("range")
    if asked is None:
        return Answer(200, stored, "application/octet-stream", about)
    first, _, last = asked.removeprefix("bytes=").partition("-")
    first, last = int(first), min(int(last or len(stored) - 1), len(stored) - 1)
    about.append(("Content-Range", f"bytes {first}-{last}/{len(stored)}"))
    return Answer(206, stored[first : last + 1], "application/octet-stream", about)


def _json(body, kind="application/x-amz-json-1.0"):
    return Answer(body=json.dumps(body).encode(), kind=kind)


def _dynamodb(request, _content):
    target = (request.one("x-amz-target") or "").rpartition(".")[2]
    answers = {
        "ListTables": {"TableNames": ["orders"]},
        "GetItem": {"Item": {"id": {"S": "1"}, "name": {"S": "größe"}}},
        "PutItem": {},
        "Query": {"Items": [], "Count": 0, "ScannedCount": 0},
    }
    return _json(answers.get(target, {}))


def _sqs(request, content):
    url = f"https://{request.host}/{ACCOUNT}/jobs"
    target = (request.one("x-amz-target") or "").rpartition(".")[2]
    if target != "":
        return _json({"ListQueues": {"QueueUrls": [url]}}.get(target, {"MessageId": "m-1"}))
    action = dict(query_pairs(content.decode())).get("Action", "")
    inner = {"ListQueues": f"<QueueUrl>{url}</QueueUrl>"}.get(
        action, f"<MessageId>m-1</MessageId><MD5OfMessageBody>{hashlib.md5(b'hello').hexdigest()}</MD5OfMessageBody>"
    )
    return Answer(body=_query_result(action, inner, "http://queue.amazonaws.com/doc/2012-11-05/"), kind="text/xml")


def _query_result(action, inner, namespace):
    body = f"<{action}Result>{inner}</{action}Result><ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata>"
    return xml(f"{action}Response", body, namespace)


def _sts(_request, content):
    action = dict(query_pairs(content.decode())).get("Action", "GetCallerIdentity")
    inner = f"<Arn>arn:aws:iam::{ACCOUNT}:user/real</Arn><UserId>AIDAREAL</UserId><Account>{ACCOUNT}</Account>"
    return Answer(body=_query_result(action, inner, "https://sts.amazonaws.com/doc/2011-06-15/"), kind="text/xml")


def _kms(_request, _content):
    return _json({"Keys": [{"KeyId": "k-1", "KeyArn": f"arn:aws:kms:us-east-1:{ACCOUNT}:key/k-1"}], "Truncated": False}, "application/x-amz-json-1.1")


def _lambda(request, content):
    if request.method == "POST":
        return Answer(200, content or b"null", "application/json")
    return _json({"Functions": []}, "application/json")


def _other(_request, _content):
    return _json({}, "application/json")
