# The oss port as the official SDKs use it: oss2 with V1 and V4, and oss-v2; buckets, objects, ranges, listings, refusals.
# SPDX-License-Identifier: Apache-2.0
import base64
import hashlib
import random
import time
import urllib.parse

import alibabacloud_oss_v2 as oss
import oss2
import pytest
import requests

from objects import refused
from support import ACCOUNT, KEY, REGION, SECRET

ODD_KEYS = [
    "with space", "plus+plus", "percent%41%", "中文/文件", "a//b", "trailing/", "dots/../up", "q?x=1&y=2#z", "tilde~!*'()", "emoji😀",
    "ctl\ttab", "quote\"<&>'", "back\\slash", "%2F%20", "e\u0301 and \u00e9", "x" * 1023,
]


def oss2_bucket(server, name, signing="v1", key=KEY, secret=SECRET):
    auth = oss2.Auth(key, secret) if signing == "v1" else oss2.AuthV4(key, secret)
    return oss2.Bucket(auth, server.oss, name, is_path_style=True, region=REGION if signing == "v4" else None)


def new_client(server, key=KEY, secret=SECRET, signature=None):
    config = oss.config.load_default()
    config.credentials_provider = oss.credentials.StaticCredentialsProvider(key, secret)
    config.region = REGION
    config.endpoint = server.oss
    config.use_path_style = True
    config.retry_max_attempts = 1
    if signature:
        config.signature_version = signature
    return oss.Client(config)


@pytest.fixture(params=["v1", "v4"])
def bucket(request, server):
    bucket = oss2_bucket(server, f"objects-{request.param}", request.param)
    bucket.create_bucket()
    return bucket


def test_bucket_info_and_location(server, bucket):
    bucket.create_bucket()  # again, by the owner: fine
    info = bucket.get_bucket_info()
    assert (info.name, info.location, info.owner.id, info.acl.grant) == (bucket.bucket_name, "oss-" + REGION, ACCOUNT, "private")
    assert info.storage_class == "Standard" and abs(oss2.utils.iso8601_to_unixtime(info.creation_date) - time.time()) < 600
    assert bucket.get_bucket_location().location == "oss-" + REGION
    service = oss2.Service(bucket.auth, server.oss, region=REGION)
    assert bucket.bucket_name in [b.name for b in oss2.BucketIterator(service)]


def test_listing_buckets_by_pages_and_prefix(server):
    names = [f"paged-bucket-{i:02d}" for i in range(7)]
    for name in names:
        server.make_bucket(name)
    service = oss2.Service(oss2.Auth(KEY, SECRET), server.oss)
    first = service.list_buckets(prefix="paged-bucket-", max_keys=3)
    assert [b.name for b in first.buckets] == names[:3] and first.is_truncated and first.next_marker == names[2]
    assert [b.name for b in oss2.BucketIterator(service, prefix="paged-bucket-", max_keys=2)] == names
    second = service.list_buckets(prefix="paged-bucket-", marker=names[4])
    assert [b.name for b in second.buckets] == names[5:] and not second.is_truncated


def test_put_get_head_delete(bucket):
    content = random.Random(7).randbytes(300_000)  # several chunks of the store
    put = bucket.put_object("folder/one.bin", content, headers={
        "Content-Type": "text/plain", "x-oss-meta-who": "mina", "Cache-Control": "no-cache", "Content-Disposition": "inline"})
    assert put.status == 200 and put.etag == hashlib.md5(content).hexdigest().upper() and put.crc
    got = bucket.get_object("folder/one.bin")
    assert got.read() == content and got.content_length == len(content)
    assert got.client_crc == got.server_crc == put.crc
    assert got.headers["x-oss-meta-who"] == "mina" and got.content_type == "text/plain"
    assert got.headers["Cache-Control"] == "no-cache" and got.headers["Content-Disposition"] == "inline"
    head = bucket.head_object("folder/one.bin")
    assert (head.content_length, head.etag) == (len(content), put.etag) and abs(head.last_modified - time.time()) < 600
    assert bucket.get_object_meta("folder/one.bin").content_length == len(content)
    assert bucket.object_exists("folder/one.bin") and not bucket.object_exists("folder/none")
    bucket.put_object("folder/one.bin", b"other")
    assert bucket.get_object("folder/one.bin").read() == b"other"
    assert bucket.delete_object("folder/one.bin").status == 204
    assert bucket.delete_object("folder/one.bin").status == 204, "deleting what is not there is no error"
    refused(404, "NoSuchKey", bucket.get_object, "folder/one.bin")
    assert bucket.put_object("empty", b"").status == 200 and bucket.get_object("empty").read() == b""


def test_ranges(bucket):
    content = bytes(i % 251 for i in range(200_000))
    bucket.put_object("ranges", content)
    size = len(content)
    for first, last in ((0, 99), (65_530, 65_545), (0, size - 1), (size - 1, size - 1), (131_072, 131_072)):
        got = bucket.get_object("ranges", byte_range=(first, last))
        assert got.status == 206 and got.read() == content[first:last + 1]
        assert got.headers["Content-Range"] == f"bytes {first}-{last}/{size}"
    assert bucket.get_object("ranges", byte_range=(150_000, None)).read() == content[150_000:]
    assert bucket.get_object("ranges", byte_range=(None, 100)).read() == content[-100:]
    # What does not fit is the whole object, unless the standard is asked for.
    for odd in ("bytes=190000-300000", "bytes=200000-200001", "bytes=200000-", "byte=1-2", "bytes=9-1", "bytes=x-y"):
        got = bucket.get_object("ranges", headers={"Range": odd})
        assert (got.status, got.read() == content) == (200, True), odd
    standard = {"x-oss-range-behavior": "standard"}
    got = bucket.get_object("ranges", headers={"Range": "bytes=190000-300000", **standard})
    assert got.status == 206 and got.read() == content[190_000:]
    refused(416, "InvalidRange", bucket.get_object, "ranges", headers={"Range": "bytes=200000-", **standard})


def test_conditions(bucket):
    etag = bucket.put_object("conditions", b"x").etag
    assert bucket.get_object("conditions", headers={"If-Match": f'"{etag}"'}).read() == b"x"
    refused(412, "PreconditionFailed", bucket.get_object, "conditions", headers={"If-Match": "0" * 32})
    with pytest.raises(oss2.exceptions.NotModified):
        bucket.get_object("conditions", headers={"If-None-Match": etag})
    refused(409, "FileAlreadyExists", bucket.put_object, "conditions", b"y", headers={"x-oss-forbid-overwrite": "true"})
    assert bucket.get_object("conditions").read() == b"x"


@pytest.mark.parametrize("kind", ["v1", "v4"])
def test_listing(server, kind):
    bucket = oss2_bucket(server, "listed-" + kind, kind)
    bucket.create_bucket()
    keys = sorted([f"a/{i}/{j}" for i in range(5) for j in range(3)] + ["a.txt", "b", "c/", "c/x", "d/中 文+%", "a", "a-"],
                  key=lambda k: k.encode())
    for key in keys:
        bucket.put_object(key, key.encode())
    assert [o.key for o in oss2.ObjectIterator(bucket, max_keys=3)] == keys
    assert [o.key for o in oss2.ObjectIteratorV2(bucket, max_keys=3)] == keys
    assert [(o.key, o.is_prefix()) for o in oss2.ObjectIteratorV2(bucket, delimiter="/", max_keys=2)] == [
        ("a", False), ("a-", False), ("a.txt", False), ("a/", True), ("b", False), ("c/", True), ("d/", True)]
    assert [(o.key, o.is_prefix()) for o in oss2.ObjectIterator(bucket, prefix="a/", delimiter="/", max_keys=2)] == [
        (f"a/{i}/", True) for i in range(5)]
    assert [o.key for o in oss2.ObjectIteratorV2(bucket, prefix="c/", delimiter="/")] == ["c/", "c/x"]
    assert [o.key for o in oss2.ObjectIteratorV2(bucket, start_after="c/")] == ["c/x", "d/中 文+%"]
    assert [o.key for o in oss2.ObjectIterator(bucket, marker="c/x")] == ["d/中 文+%"]
    assert list(oss2.ObjectIteratorV2(bucket, prefix="nothing")) == []
    one = bucket.list_objects_v2(prefix="b", max_keys=1, fetch_owner=True).object_list[0]
    assert (one.key, one.size, one.etag, one.type) == ("b", 1, hashlib.md5(b"b").hexdigest().upper(), "Normal")
    assert one.owner.id == ACCOUNT
    refused(400, "InvalidArgument", bucket.list_objects_v2, max_keys=1001)
    refused(400, "InvalidArgument", bucket.list_objects_v2, continuation_token="zz")


def test_odd_keys(bucket):
    for number, key in enumerate(ODD_KEYS):
        bucket.put_object(key, f"content {number}".encode())
    for number, key in enumerate(ODD_KEYS):
        assert bucket.get_object(key).read() == f"content {number}".encode(), key
    listed = [o.key for o in oss2.ObjectIteratorV2(bucket, max_keys=4)]
    assert set(ODD_KEYS) <= set(listed) and listed == sorted(listed, key=lambda k: k.encode())
    for key in ODD_KEYS:
        bucket.delete_object(key)
        assert not bucket.object_exists(key)


def test_bad_names(server, bucket):
    refused(400, "InvalidObjectName", bucket.put_object, "x" * 1024, b"")
    refused(400, "InvalidObjectName", bucket.put_object, "\\starts", b"")
    for name in ("UpperCase", "un_der", "ab", "-start", "end-", "b" * 64, "dot.ted"):
        path = f"/{name}/"
        answer = requests.put(server.oss + path, headers=signed_v1("PUT", path), timeout=10)
        assert answer.status_code == 400 and "<Code>InvalidBucketName</Code>" in answer.text, (name, answer.text)


def signed_v1(method, resource, headers=None, secret=SECRET, date=None):
    """OSS V1 for requests that an SDK refuses to send."""
    import email.utils
    import hmac
    headers = dict(headers or {}, Date=date or email.utils.formatdate(usegmt=True))
    amz = "".join(f"{k.lower()}:{v}\n" for k, v in sorted(headers.items()) if k.lower().startswith("x-oss-"))
    text = "\n".join([method, headers.get("Content-MD5", ""), headers.get("Content-Type", ""), headers["Date"], amz + resource])
    signature = base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha1).digest()).decode()
    headers["Authorization"] = f"OSS {KEY}:{signature}"
    return headers


def test_missing_buckets_and_keys(server, bucket):
    absent = oss2.Bucket(bucket.auth, server.oss, "no-such-bucket-here", is_path_style=True, region=REGION)
    for call in (absent.get_bucket_info, absent.list_objects, absent.list_objects_v2, absent.get_bucket_location,
                 absent.delete_bucket, lambda: absent.put_object("k", b"v"), lambda: absent.get_object("k")):
        refused(404, "NoSuchBucket", call)
    with pytest.raises(oss2.exceptions.NotFound):
        absent.head_object("k")
    refused(404, "NoSuchKey", bucket.get_object, "no/such/key")
    with pytest.raises(oss2.exceptions.NotFound) as caught:
        bucket.head_object("no/such/key")
    assert caught.value.code == "NoSuchKey", "the code of a HEAD comes in x-oss-err"


def test_deleting_buckets(server):
    bucket = oss2_bucket(server, "short-lived")
    bucket.create_bucket()
    bucket.put_object("k", b"v")
    refused(409, "BucketNotEmpty", bucket.delete_bucket)
    bucket.delete_object("k")
    assert bucket.delete_bucket().status == 204
    refused(404, "NoSuchBucket", bucket.get_bucket_info)
    bucket.create_bucket()
    assert list(oss2.ObjectIteratorV2(bucket)) == []


@pytest.mark.parametrize("signing", ["v1", "v4"])
def test_wrong_credentials(server, signing):
    server.make_bucket("guarded")
    server.bucket("guarded").put_object("k", b"v")
    refused(403, "SignatureDoesNotMatch", oss2_bucket(server, "guarded", signing, secret="wrong").get_object, "k")
    refused(403, "InvalidAccessKeyId", oss2_bucket(server, "guarded", signing, key="LTAI5tNobody").get_object, "k")
    answer = requests.get(server.oss + "/guarded/k", timeout=10)
    assert answer.status_code == 403 and "<Code>AccessDenied</Code>" in answer.text and b"v" != answer.content
    old = signed_v1("GET", "/guarded/k", date="Thu, 01 Jan 2015 00:00:00 GMT")
    answer = requests.get(server.oss + "/guarded/k", headers=old, timeout=10)
    assert answer.status_code == 403 and "<Code>RequestTimeTooSkewed</Code>" in answer.text
    assert requests.get(server.oss + "/guarded/k", headers=signed_v1("GET", "/guarded/k"), timeout=10).content == b"v"
    assert requests.get(server.oss + "/guarded/k2", headers=signed_v1("GET", "/guarded/k"), timeout=10).status_code == 403
    assert requests.delete(server.oss + "/guarded/k", headers=signed_v1("GET", "/guarded/k"), timeout=10).status_code == 403
    assert server.bucket("guarded").object_exists("k")


@pytest.mark.parametrize("signing", ["v1", "v4"])
def test_presigned_urls(server, signing):
    bucket = oss2_bucket(server, "presigned", signing)
    bucket.create_bucket()
    bucket.put_object("dir/some key+中文", b"shared")
    url = bucket.sign_url("GET", "dir/some key+中文", 60, slash_safe=True)
    assert requests.get(url, timeout=10).content == b"shared"
    assert requests.delete(url, timeout=10).status_code == 403, "signed for GET only"
    parts = urllib.parse.urlsplit(url)
    assert requests.get(url.replace("some", "other"), timeout=10).status_code == 403
    assert requests.get(parts._replace(query="").geturl(), timeout=10).status_code == 403
    gone = bucket.sign_url("GET", "dir/some key+中文", 1, slash_safe=True)
    time.sleep(2.1)
    answer = requests.get(gone, timeout=10)
    assert answer.status_code == 403 and "<Code>AccessDenied</Code>" in answer.text


def test_content_md5(bucket):
    right = base64.b64encode(hashlib.md5(b"content").digest()).decode()
    wrong = base64.b64encode(hashlib.md5(b"other").digest()).decode()
    assert bucket.put_object("md5", b"content", headers={"Content-MD5": right}).status == 200
    refused(400, "InvalidDigest", bucket.put_object, "md5-bad", b"content", headers={"Content-MD5": wrong})
    refused(400, "InvalidDigest", bucket.put_object, "md5-bad", b"content", headers={"Content-MD5": "not base64"})
    assert not bucket.object_exists("md5-bad")


def test_large_object_in_bounded_memory(server, bucket):
    block = random.Random(11).randbytes(1 << 20)
    before = server.memory()

    class Source:
        """96 MiB that nobody holds."""
        left = 96
        def __len__(self):
            return 96 << 20
        def read(self, count=-1):
            if self.left == 0:
                return b""
            self.left -= 1
            return block

    bucket.enable_crc = True
    bucket.put_object("large", Source(), headers={"Content-Length": str(96 << 20)})
    digest = hashlib.md5()
    got = bucket.get_object("large")
    while chunk := got.read(1 << 16):
        digest.update(chunk)
    expected = hashlib.md5()
    for _ in range(96):
        expected.update(block)
    assert digest.digest() == expected.digest()
    assert server.memory() - before < 64, "the object was held in memory"
    bucket.delete_object("large")


def test_operations_that_do_not_exist_yet(server, bucket):
    bucket.put_object("k", b"v")
    for call in (
        bucket.get_bucket_cors, bucket.get_bucket_website,
        lambda: bucket.put_symlink("k", "link"), lambda: bucket.restore_object("k"),
        lambda: bucket.put_object("k2", b"v", headers={"x-oss-object-worm-mode": "COMPLIANCE"}),
    ):
        refused(501, "NotImplemented", call)
    assert bucket.get_object("k").read() == b"v" and not bucket.object_exists("link") and not bucket.object_exists("k2")


@pytest.mark.parametrize("signature", ["v1", "v4"])
def test_second_sdk(server, signature):
    client = new_client(server, signature=signature)
    name = "second-sdk-" + signature
    assert client.put_bucket(oss.PutBucketRequest(bucket=name)).status_code == 200
    assert client.is_object_exist(name, "with space") is False
    info = client.get_bucket_info(oss.GetBucketInfoRequest(bucket=name)).bucket_info
    assert info.name == name and info.location == "oss-" + REGION
    assert client.get_bucket_location(oss.GetBucketLocationRequest(bucket=name)).location == "oss-" + REGION
    keys = [key for key in ODD_KEYS if "/../" not in key]  # the SDK's HTTP client takes dot segments out before sending
    for key in keys:
        client.put_object(oss.PutObjectRequest(bucket=name, key=key, body=key.encode()))
        got = client.get_object(oss.GetObjectRequest(bucket=name, key=key))
        assert got.body.content == key.encode()
    head = client.head_object(oss.HeadObjectRequest(bucket=name, key="with space"))
    assert head.content_length == 10 and head.hash_crc64
    part = client.get_object(oss.GetObjectRequest(bucket=name, key="with space", range_header="bytes=5-9"))
    assert part.status_code == 206 and part.body.content == b"space"
    listed = [o.key for page in client.list_objects_v2_paginator().iter_page(oss.ListObjectsV2Request(bucket=name, max_keys=3))
              for o in page.contents or []]
    assert listed == sorted(keys, key=lambda k: k.encode())
    pages = list(client.list_objects_paginator().iter_page(oss.ListObjectsRequest(bucket=name, delimiter="/", max_keys=4)))
    assert {p.prefix for page in pages for p in page.common_prefixes or []} == {"a/", "trailing/", "中文/"}
    assert name in [b.name for page in client.list_buckets_paginator().iter_page(oss.ListBucketsRequest()) for b in page.buckets]
    for request, call in ((oss.GetObjectRequest(bucket=name, key="none"), client.get_object),
                          (oss.HeadObjectRequest(bucket=name, key="none"), client.head_object)):
        with pytest.raises(oss.exceptions.OperationError) as caught:
            call(request)
        error = caught.value.unwrap()
        assert (error.status_code, error.code) == (404, "NoSuchKey")
    with pytest.raises(oss.exceptions.OperationError) as caught:
        new_client(server, secret="wrong", signature=signature).get_object(oss.GetObjectRequest(bucket=name, key="with space"))
    error = caught.value.unwrap()
    assert (error.status_code, error.code) == (403, "SignatureDoesNotMatch")
    assert client.get_bucket_acl(oss.GetBucketAclRequest(bucket=name)).acl == "private"
    assert client.is_bucket_exist(name) is True and client.is_bucket_exist("no-such-bucket-here") is False
    assert client.put_bucket_acl(oss.PutBucketAclRequest(bucket=name, acl="private")).status_code == 200
    for key in keys:
        client.delete_object(oss.DeleteObjectRequest(bucket=name, key=key))
    assert client.delete_bucket(oss.DeleteBucketRequest(bucket=name)).status_code == 204


def test_virtual_host_style(server):
    """The bucket in the Host header, as SDKs do without path style."""
    server.make_bucket("by-host")
    server.bucket("by-host").put_object("k", b"v")
    host = "by-host.localhost:" + server.oss_host.split(":")[1]
    answer = requests.get(server.oss + "/k", headers={"Host": host, **signed_v1("GET", "/by-host/k")}, timeout=10)
    assert (answer.status_code, answer.content) == (200, b"v"), answer.text


def test_a_domain_of_ones_own(make_server):
    """The bucket stands in the host, as with the vendor."""
    server = make_server(extra=("--oss-domain", "oss.example.com,oss.example.net"))
    server.make_bucket("in-the-host").put_object("k/1", b"v")
    port = server.oss_host.split(":")[1]
    for domain in ("oss.example.com", "oss.example.net"):
        host = f"in-the-host.{domain}:{port}"
        bucket = oss2.Bucket(oss2.Auth(server.key, server.secret), f"http://{domain}:{port}", "in-the-host")
        url = bucket.sign_url("GET", "k/1", 60, slash_safe=True)
        assert url.startswith(f"http://{host}/k/1?")
        answer = requests.get(url.replace(host, server.oss_host), headers={"Host": host}, timeout=10)
        assert (answer.status_code, answer.content) == (200, b"v"), answer.text
    wrong = requests.get(f"{server.oss}/k/1", headers={"Host": f"in-the-host.elsewhere.example:{port}"}, timeout=10)
    assert wrong.status_code in (403, 404)
