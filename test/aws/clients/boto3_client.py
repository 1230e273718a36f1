"""boto3 as an application uses it: nothing here knows of a proxy. Prints one JSON object; arguments choose what is done."""

import hashlib
import io
import json
import os
import sys

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config

BUCKET = "photos"
KEYS = ["plain", "a b", "a+b", "a%2Fb", "x//y", "/lead", "trail/", "ü/grün ~_-.!*'()", "..x", "q?a=b&c", "semi;colon,comma@at:$=#", "日本語"]


# Of a self-hosted S3; AWS's own when it is not set.
ENDPOINT = os.environ.get("S3_ENDPOINT")


def s3_client(**options):
    return boto3.client("s3", endpoint_url=ENDPOINT, **options)


def digest(content):
    return hashlib.sha256(content).hexdigest()


def s3_keys(style):
    """Puts, gets and lists objects with difficult names."""
    s3 = s3_client(config=Config(s3={"addressing_style": style}))
    found = {}
    for key in KEYS:
        s3.put_object(Bucket=BUCKET, Key=key, Body=key.encode(), Metadata={"note": "a  b"})
        found[key] = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode()
    listed = [entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET, Prefix="")["Contents"]]
    return {"same": all(found[key] == key for key in KEYS), "listed": sorted(set(KEYS) - set(listed))}


def s3_multipart():
    """Uploads and downloads in parts of 5 MiB."""
    s3 = s3_client()
    content = bytes(range(256)) * (11 * 4096)
    config = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20, max_concurrency=3)
    s3.upload_fileobj(io.BytesIO(content), BUCKET, "big file", Config=config)
    received = io.BytesIO()
    s3.download_fileobj(BUCKET, "big file", received, Config=config)
    return {"same": digest(received.getvalue()) == digest(content), "bytes": len(content)}


def s3_checksum():
    """A trailing checksum: STREAMING-UNSIGNED-PAYLOAD-TRAILER."""
    s3 = s3_client()
    s3.put_object(Bucket=BUCKET, Key="checked", Body=io.BytesIO(b"x" * 200_000), ChecksumAlgorithm="SHA256")
    return {"same": s3.get_object(Bucket=BUCKET, Key="checked")["Body"].read() == b"x" * 200_000}


def s3_bucket():
    s3_client(config=Config(s3={"addressing_style": "path"})).create_bucket(Bucket=BUCKET)
    return {"same": True}


def s3_delete():
    s3 = s3_client()
    s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": key} for key in KEYS]})
    return {"same": True}


def presign():
    """URLs for others to use."""
    s3 = s3_client(config=Config(signature_version="s3v4", s3={"addressing_style": "virtual"}))
    s3.put_object(Bucket=BUCKET, Key="shared file", Body=b"shared")
    get = s3.generate_presigned_url(
        "get_object", {"Bucket": BUCKET, "Key": "shared file", "ResponseContentDisposition": 'attachment; filename="ü b.txt"'}, 600
    )
    put = s3.generate_presigned_url("put_object", {"Bucket": BUCKET, "Key": "dropped", "ContentType": "text/plain"}, 600)
    return {"get": get, "put": put}


def services():
    """One call each to services whose signatures differ in form: JSON with a target, query protocol, REST."""
    dynamodb = boto3.client("dynamodb")
    sqs = boto3.client("sqs")
    queue = sqs.list_queues()["QueueUrls"][0]
    sqs.send_message(QueueUrl=queue, MessageBody="hello")
    lambdas = boto3.client("lambda")
    return {
        "dynamodb": [dynamodb.list_tables()["TableNames"], dynamodb.get_item(TableName="orders", Key={"id": {"S": "1"}})["Item"]["name"]["S"]],
        "sqs": queue,
        "sts": boto3.client("sts").get_caller_identity()["Arn"],
        "kms": [key["KeyId"] for key in boto3.client("kms").list_keys()["Keys"]],
        "lambda": [
            lambdas.list_functions()["Functions"],
            json.loads(lambdas.invoke(FunctionName="arn:aws:lambda:us-east-1:1:function:f", Payload=b'{"a":"\xc3\xbc"}')["Payload"].read()),
        ],
    }


ACTIONS = {
    "s3-keys-virtual": lambda: s3_keys("virtual"),
    "s3-keys-path": lambda: s3_keys("path"),
    "s3-multipart": s3_multipart,
    "s3-checksum": s3_checksum,
    "s3-bucket": s3_bucket,
    "s3-delete": s3_delete,
    "presign": presign,
    "services": services,
}
print(json.dumps({name: ACTIONS[name]() for name in sys.argv[1:]}))
