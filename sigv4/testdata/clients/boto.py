"""Signs requests with botocore and boto3 and sends them to $ENDPOINT."""
import io
import json
import os
import urllib.request

import boto3
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config

endpoint = os.environ["ENDPOINT"]
credentials = boto3.Session().get_credentials().get_frozen_credentials()


def send(prepared, body):
    request = urllib.request.Request(prepared.url, data=body, method="POST")
    for name, value in prepared.headers.items():
        request.add_header(name, value.decode() if isinstance(value, bytes) else value)
    try:
        urllib.request.urlopen(request).read()
    except urllib.error.HTTPError:
        pass


for target in json.loads(os.environ["TARGETS"]):
    for body in (b"", b'{"hello":"world"}'):
        for signer in (SigV4Auth, SigV4QueryAuth):
            request = AWSRequest("POST", endpoint + target, data=body, headers={"Content-Type": "application/json"})
            signer(credentials, "execute-api", "us-east-1").add_auth(request)
            send(request.prepare(), body)

# A Date header makes botocore sign that instead of X-Amz-Date.
request = AWSRequest("POST", endpoint + "/", data=b"", headers={"Date": "now", "Content-Type": "text/plain"})
SigV4Auth(credentials, "execute-api", "us-east-1").add_auth(request)
send(request.prepare(), b"")


def attempt(call, **kwargs):
    try:
        call(**kwargs)
    except Exception as error:  # the empty answers are no good to some
        print(type(error).__name__, error)


for payload_signing in (None, True):
    s3 = boto3.client("s3", config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path", "payload_signing_enabled": payload_signing}))
    attempt(s3.put_object, Bucket="bucket", Key="a b/c+d/é@:!", Body=io.BytesIO(b"x" * 100000))
    attempt(s3.head_object, Bucket="bucket", Key="dots/../here//two")
url = boto3.client("s3", config=Config(signature_version="s3v4", s3={"addressing_style": "path"})).generate_presigned_url("get_object", Params={"Bucket": "bucket", "Key": "a b+c"})
attempt(urllib.request.urlopen, url=url)
