# Copies, appends, multipart uploads and bulk deletes over the oss port, by the official SDK.
# SPDX-License-Identifier: Apache-2.0
import json
import os

import oss2
import pytest
from oss2.models import PartInfo

from objects import refused
from test_oss_guards import newest


@pytest.fixture(params=[oss2.Auth, oss2.AuthV2, oss2.AuthV4], ids=["v1", "v2", "v4"])
def bucket(request, server):
    made = oss2.Bucket(request.param(server.key, server.secret), server.oss, "objects-bucket", is_path_style=True, region="cn-hangzhou")
    made.create_bucket()
    yield made
    for page in oss2.ObjectIterator(made):
        made.delete_object(page.key)
    made.delete_bucket()


def test_copies(server, bucket):
    bucket.put_object("a/b +1", b"content", headers={"x-oss-meta-name": "old", "Content-Type": "text/plain"})
    copy = bucket.copy_object("objects-bucket", "a/b +1", "copy")
    assert copy.etag == bucket.head_object("a/b +1").etag
    assert bucket.get_object("copy").headers["x-oss-meta-name"] == "old"
    bucket.copy_object("objects-bucket", "a/b +1", "copy", headers={"x-oss-metadata-directive": "REPLACE", "x-oss-meta-name": "new"})
    got = bucket.get_object("copy")
    assert got.headers["x-oss-meta-name"] == "new" and got.read() == b"content"
    refused(404, "NoSuchKey", bucket.copy_object, "objects-bucket", "absent", "copy")
    refused(404, "NoSuchBucket", bucket.copy_object, "absent-bucket", "absent", "copy")
    refused(409, "FileAlreadyExists", bucket.copy_object, "objects-bucket", "copy", "a/b +1", headers={"x-oss-forbid-overwrite": "true"})
    # The source's own bucket has a say.
    bucket.put_bucket_policy(json.dumps({"Version": "1", "Statement": [{
        "Effect": "Deny", "Principal": ["*"], "Action": ["oss:GetObject"], "Resource": ["acs:oss:*:*:objects-bucket/copy"]}]}))
    refused(403, "AccessDenied", bucket.copy_object, "objects-bucket", "copy", "other")
    bucket.delete_bucket_policy()
    assert newest(server, "CopyObject")["errorCode"] == "AccessDenied"


def test_appends(bucket):
    first = bucket.append_object("grown", 0, b"one")
    assert first.next_position == 3
    assert bucket.append_object("grown", 3, b"two", init_crc=first.crc).next_position == 6
    with pytest.raises(oss2.exceptions.PositionNotEqualToLength) as refusal:
        bucket.append_object("grown", 3, b"three")
    assert refusal.value.next_position == 6
    head = bucket.head_object("grown")
    assert head.object_type == "Appendable" and head.headers["x-oss-next-append-position"] == "6"
    assert bucket.get_object("grown").read() == b"onetwo"
    bucket.put_object("plain", b"x")
    refused(409, "ObjectNotAppendable", bucket.append_object, "plain", 1, b"y")
    refused(400, "OperationNotSupported", bucket.copy_object, "objects-bucket", "grown", "copy")


def test_multipart_uploads(bucket):
    parts = [os.urandom(102_400), os.urandom(150_000), b"end"]
    upload = bucket.init_multipart_upload("big", headers={"x-oss-meta-kind": "big"}).upload_id
    done = []
    for number, part in enumerate(parts, 1):
        done.append(PartInfo(number, bucket.upload_part("big", upload, number, part).etag))
    listed = [(p.part_number, p.size, p.etag) for p in bucket.list_parts("big", upload, max_parts=2).parts]
    assert listed == [(1, len(parts[0]), done[0].etag), (2, len(parts[1]), done[1].etag)]
    assert not bucket.object_exists("big")
    refused(400, "MalformedXML", bucket.complete_multipart_upload, "big", upload, [])
    refused(400, "InvalidPart", bucket.complete_multipart_upload, "big", upload, [PartInfo(1, "0" * 32)])
    completed = bucket.complete_multipart_upload("big", upload, done)
    got = bucket.get_object("big")
    assert got.read() == b"".join(parts) and got.headers["x-oss-meta-kind"] == "big"
    assert got.headers["x-oss-object-type"] == "Multipart" and got.etag == completed.etag
    ranged = bucket.get_object("big", byte_range=(102_390, 102_409)).read()
    assert ranged == b"".join(parts)[102_390:102_410]
    refused(404, "NoSuchUpload", bucket.complete_multipart_upload, "big", upload, done)
    small = bucket.init_multipart_upload("small").upload_id
    pieces = [PartInfo(n, bucket.upload_part("small", small, n, b"x").etag) for n in (1, 2)]
    refused(400, "EntityTooSmall", bucket.complete_multipart_upload, "small", small, pieces)
    refused(400, "InvalidArgument", bucket.upload_part, "small", small, 10_001, b"x")
    bucket.abort_multipart_upload("small", small)
    refused(404, "NoSuchUpload", bucket.abort_multipart_upload, "small", small)


def test_bulk_deletes(bucket):
    keys = ["a", "b/ü +&<>", "c"]
    for key in keys:
        bucket.put_object(key, b"1")
    assert bucket.batch_delete_objects(keys[:2] + ["absent"]).deleted_keys == keys[:2] + ["absent"]
    assert [o.key for o in oss2.ObjectIterator(bucket)] == ["c"]
    # All or none.
    bucket.put_bucket_policy(json.dumps({"Version": "1", "Statement": [{
        "Effect": "Deny", "Principal": ["*"], "Action": ["oss:DeleteObject"], "Resource": ["acs:oss:*:*:objects-bucket/kept*"]}]}))
    bucket.put_object("kept", b"1")
    refused(403, "AccessDenied", bucket.batch_delete_objects, ["c", "kept"])
    assert bucket.object_exists("c") and bucket.object_exists("kept")
    bucket.delete_bucket_policy()
