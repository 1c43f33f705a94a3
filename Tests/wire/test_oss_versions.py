# Versions, tags, ACLs of objects, callers without a key, copies with conditions and in parts: what the official SDK does with them.
# SPDX-License-Identifier: Apache-2.0
import json

import oss2
import requests
from oss2 import crc64_combine  # noqa: F401 (says that the SDK's checksums are on)
from oss2.models import Tagging, TaggingRule

from objects import refused
from support import ACCOUNT, wait_for


def anonymous(server, name):
    return oss2.Bucket(oss2.AnonymousAuth(), server.oss, name, is_path_style=True)


def versioned(server, name):
    bucket = server.make_bucket(name)
    bucket.put_bucket_versioning(oss2.models.BucketVersioningConfig(oss2.BUCKET_VERSIONING_ENABLE))
    return bucket


def test_versions_are_kept_read_and_deleted_one_by_one(server):
    bucket = versioned(server, "versions-one")
    first = bucket.put_object("a", b"1").versionid
    second = bucket.put_object("a", b"22").versionid
    assert first and second and first != second
    assert bucket.get_object("a").read() == b"22"
    old = bucket.get_object("a", params={"versionId": first})
    assert (old.read(), old.versionid) == (b"1", first)
    assert bucket.head_object("a", params={"versionId": first}).content_length == 1
    marker = bucket.delete_object("a")
    assert marker.delete_marker is True and marker.versionid
    gone = refused(404, "NoSuchKey", bucket.get_object, "a")
    assert gone.headers["x-oss-delete-marker"] == "true"
    assert bucket.get_object("a", params={"versionId": second}).read() == b"22"
    assert refused(405, "MethodNotAllowed", bucket.get_object, "a", params={"versionId": marker.versionid})
    refused(404, "NoSuchVersion", bucket.get_object, "a", params={"versionId": "0" * len(first)})
    listed = bucket.list_object_versions()
    assert [(v.versionid, v.is_latest) for v in listed.versions] == [(second, False), (first, False)]
    assert [(d.versionid, d.is_latest) for d in listed.delete_marker] == [(marker.versionid, True)]
    bucket.delete_object("a", params={"versionId": marker.versionid})
    assert bucket.get_object("a").read() == b"22"
    done = bucket.delete_object_versions(oss2.models.BatchDeleteObjectVersionList(
        [oss2.models.BatchDeleteObjectVersion("a", first), oss2.models.BatchDeleteObjectVersion("a", second)]))
    assert {(v.key, v.versionid) for v in done.delete_versions} == {("a", first), ("a", second)}
    assert not bucket.list_object_versions().versions


def test_versions_in_pages_and_groups(server):
    bucket = versioned(server, "versions-pages")
    expected = []
    for key in ("a/1", "a/2", "b", "c/1", "d"):
        ids = [bucket.put_object(key, b"x" * n).versionid for n in range(3)]
        expected += [(key, i) for i in reversed(ids)]
    seen, key_marker, id_marker = [], "", ""
    while True:
        page = bucket.list_object_versions(max_keys=2, key_marker=key_marker, versionid_marker=id_marker)
        seen += [(v.key, v.versionid) for v in page.versions]
        if not page.is_truncated:
            break
        key_marker, id_marker = page.next_key_marker, page.next_versionid_marker
    assert seen == expected
    seen, key_marker, id_marker = [], "", ""
    while True:
        page = bucket.list_object_versions(delimiter="/", max_keys=1, key_marker=key_marker, versionid_marker=id_marker)
        seen += [v.key for v in page.versions] + list(page.common_prefix)
        if not page.is_truncated:
            break
        key_marker, id_marker = page.next_key_marker, page.next_versionid_marker
    assert seen == ["a/", "b", "b", "b", "c/", "d", "d", "d"]


def test_a_version_takes_permission_of_its_own(server):
    bucket = versioned(server, "versions-rights")
    first = bucket.put_object("a", b"1").versionid
    bucket.put_object("a", b"2")
    bucket.put_bucket_policy(json.dumps({"Version": "1", "Statement": [{
        "Effect": "Allow", "Principal": ["*"], "Action": ["oss:GetObject"], "Resource": ["acs:oss:*:*:versions-rights/*"]}]}))
    stranger = anonymous(server, "versions-rights")
    assert stranger.get_object("a").read() == b"2"
    denied = refused(403, "AccessDenied", stranger.get_object, "a", params={"versionId": first})
    assert "oss:GetObjectVersion" in str(denied.details)


def test_a_delimiter_that_combines_with_what_follows(server):
    """Groups are made of bytes: a combining mark behind the delimiter is no part of it."""
    bucket = server.make_bucket("combining")
    for key in ("a/\u0301x", "a/\u0301y", "e\u0301/1", "e/2"):
        bucket.put_object(key, b"")
    assert bucket.list_objects(delimiter="/").prefix_list == ["a/", "e/", "e\u0301/"]
    listed = bucket.list_objects(prefix="e", delimiter="/")
    assert listed.prefix_list == ["e/", "e\u0301/"] and not listed.object_list


def test_tags(server):
    bucket = server.make_bucket("tagged")
    rule = TaggingRule()
    rule.add("team", "audit & more")
    bucket.put_bucket_tagging(Tagging(rule))
    assert bucket.get_bucket_tagging().tag_set.tagging_rule == {"team": "audit & more"}
    bucket.put_object("a", b"1", headers={"x-oss-tagging": "k=v&l=%E4%BA%8B"})
    assert bucket.get_object_tagging("a").tag_set.tagging_rule == {"k": "v", "l": "\u4e8b"}
    assert bucket.head_object("a").headers["x-oss-tagging-count"] == "2"
    bucket.copy_object("tagged", "a", "b")
    assert bucket.get_object_tagging("b").tag_set.tagging_rule == {"k": "v", "l": "\u4e8b"}
    bucket.copy_object("tagged", "a", "c", headers={"x-oss-tagging-directive": "Replace", "x-oss-tagging": "n=m"})
    assert bucket.get_object_tagging("c").tag_set.tagging_rule == {"n": "m"}
    bucket.put_object_tagging("a", Tagging(rule))
    assert bucket.get_object_tagging("a").tag_set.tagging_rule == {"team": "audit & more"}
    bucket.delete_object_tagging("a")
    assert bucket.get_object_tagging("a").tag_set.tagging_rule == {}
    refused(400, "InvalidTag", bucket.put_object, "d", b"", headers={"x-oss-tagging": "&".join(f"k{n}=v" for n in range(11))})
    bucket.delete_bucket_tagging()
    assert bucket.get_bucket_tagging().tag_set.tagging_rule == {}


def test_policies_may_ask_for_tags(server):
    bucket = server.make_bucket("asked-tags")
    bucket.put_object("open", b"1", headers={"x-oss-tagging": "public=yes"})
    bucket.put_object("shut", b"2", headers={"x-oss-tagging": "public=no"})
    bucket.put_object("plain", b"3")
    bucket.put_bucket_policy(json.dumps({"Version": "1", "Statement": [{
        "Effect": "Allow", "Principal": ["*"], "Action": ["oss:GetObject"], "Resource": ["acs:oss:*:*:asked-tags/*"],
        "Condition": {"StringEquals": {"oss:ExistingObjectTag/public": "yes"}}}]}))
    stranger = anonymous(server, "asked-tags")
    assert stranger.get_object("open").read() == b"1"
    for key in ("shut", "plain", "missing"):
        refused(403, "AccessDenied", stranger.get_object, key)


def test_acls_of_objects_and_buckets_for_anyone(server):
    bucket = server.make_bucket("opened")
    stranger = anonymous(server, "opened")
    bucket.put_object("a", b"1")
    bucket.put_object("b", b"2", headers={"x-oss-object-acl": "public-read"})
    assert bucket.get_object_acl("a").acl == "default" and bucket.get_object_acl("b").acl == "public-read"
    refused(403, "AccessDenied", stranger.get_object, "a")
    assert stranger.get_object("b").read() == b"2" and requests.get(f"{server.oss}/opened/b", timeout=10).content == b"2"
    refused(403, "AccessDenied", stranger.put_object, "b", b"x")
    refused(403, "AccessDenied", stranger.list_objects)
    bucket.put_bucket_acl("public-read")
    assert stranger.get_object("a").read() == b"1" and len(stranger.list_objects().object_list) == 2
    refused(403, "AccessDenied", stranger.put_object, "c", b"x")
    refused(403, "AccessDenied", stranger.get_bucket_acl)
    # The object's own word counts before the bucket's.
    bucket.put_object_acl("a", "private")
    refused(403, "AccessDenied", stranger.get_object, "a")
    bucket.put_bucket_acl("public-read-write")
    stranger.put_object("c", b"3")
    refused(403, "AccessDenied", stranger.put_object, "d", b"x", headers={"x-oss-object-acl": "public-read"})
    refused(403, "AccessDenied", stranger.put_object, "a", b"x")
    stranger.batch_delete_objects(["c"])
    refused(403, "AccessDenied", stranger.batch_delete_objects, ["a"])
    refused(403, "AccessDenied", oss2.Service(oss2.AnonymousAuth(), server.oss).list_buckets)
    found = wait_for(lambda: [e for e in server.lookup([("EventName", "PutObject")], limit=200)
                              if e["userIdentity"]["type"] == "anonymous" and "opened/c" in json.dumps(e)], what="the stranger's put")
    assert "accessKeyId" not in found[0]["userIdentity"]


def test_copies_under_conditions(server):
    bucket = server.make_bucket("conditions")
    etag = bucket.put_object("a", b"1").etag
    for header, value, passes in (
        ("if-match", etag, True), ("if-match", "0" * 32, False), ("if-none-match", "0" * 32, True), ("if-none-match", etag, False),
        ("if-modified-since", "Thu, 01 Jan 2015 00:00:00 GMT", True), ("if-unmodified-since", "Thu, 01 Jan 2015 00:00:00 GMT", False),
    ):
        def copy():
            return bucket.copy_object("conditions", "a", "b", headers={"x-oss-copy-source-" + header: value})
        if passes:
            assert copy().etag == etag, header
        else:
            refused(412, "PreconditionFailed", copy)


def test_a_version_is_copied(server):
    bucket = versioned(server, "copied-versions")
    first = bucket.put_object("a", b"1").versionid
    bucket.put_object("a", b"2")
    bucket.copy_object("copied-versions", "a", "b", params={"versionId": first})
    assert bucket.get_object("b").read() == b"1"


def test_parts_made_of_objects(server):
    bucket = server.make_bucket("part-copies")
    content = bytes(range(256)) * 1024
    bucket.put_object("source", content)
    upload = bucket.init_multipart_upload("target").upload_id
    parts = []
    for number, span in ((1, (0, 131071)), (2, (131072, len(content) - 1))):
        result = bucket.upload_part_copy("part-copies", "source", span, "target", upload, number)
        parts.append(oss2.models.PartInfo(number, result.etag))
    assert [p.size for p in bucket.list_parts("target", upload).parts] == [131072, 131072]
    bucket.complete_multipart_upload("target", upload, parts)
    assert bucket.get_object("target").read() == content
    other = bucket.init_multipart_upload("other").upload_id
    refused(404, "NoSuchKey", bucket.upload_part_copy, "part-copies", "missing", None, "other", other, 1)
    refused(400, "InvalidArgument", bucket.upload_part_copy, "part-copies", "source", (0, len(content)), "other", other, 1)
    bucket.abort_multipart_upload("other", other)


def test_a_checksum_that_was_sent_is_checked(server):
    bucket = server.make_bucket("checked")
    refused(400, "InvalidCRC64", bucket.put_object, "a", b"hello", headers={"x-oss-hash-crc64ecma": "1"})
    assert not bucket.object_exists("a")
    bucket.put_object("a", b"hello", headers={"x-oss-hash-crc64ecma": "11177612005948864433"})
    assert bucket.get_object("a").read() == b"hello"


def test_a_rule_that_names_a_new_key_makes_it(server):
    bucket = server.make_bucket("names-a-key")
    rule = oss2.models.ServerSideEncryptionRule()
    rule.sse_algorithm, rule.kms_master_keyid = "KMS", "0b5e7f6c-1f5c-4c83-9a50-3f3d0f1f0001"
    bucket.put_bucket_encryption(rule)
    key = server.call("DescribeKey", {"KeyId": rule.kms_master_keyid}, version="2016-01-20")["KeyMetadata"]
    assert key["KeyState"] == "Enabled" and "names-a-key" in key["Description"]
    bucket.put_object("a", b"1")
    made = wait_for(lambda: [e for e in server.lookup([("EventName", "CreateKey")]) if rule.kms_master_keyid in json.dumps(e)],
                    what="the making of the key")
    assert made[0]["userIdentity"]["accountId"] == ACCOUNT
    server.call("DisableKey", {"KeyId": rule.kms_master_keyid}, version="2016-01-20")
    refused(409, "KeyDisabled", bucket.get_object, "a")


def test_what_weakens_a_trail_on_this_port_is_marked(server):
    bucket = server.make_bucket("weakened-here")
    server.trail("weakened-trail", "weakened-here")
    bucket.init_bucket_worm(1)
    bucket.abort_bucket_worm()
    bucket.put_bucket_policy(json.dumps({"Version": "1", "Statement": [{
        "Effect": "Deny", "Principal": ["*"], "Action": ["oss:PutObject"], "Resource": ["acs:oss:*:*:weakened-here/*"]}]}))
    bucket.put_bucket_policy(json.dumps({"Version": "1", "Statement": [{
        "Effect": "Allow", "Principal": ["*"], "Action": ["oss:GetObject"], "Resource": ["acs:oss:*:*:weakened-here/*"]}]}))

    def marked(name):
        return [e["additionalEventData"].get("Weakening") for e in server.lookup([("EventName", name)]) if "weakened-here" in json.dumps(e)]
    assert wait_for(lambda: marked("AbortBucketWorm"), what="the event") == ["takes the retention policy of the bucket of weakened-trail"]
    assert set(wait_for(lambda: len(m := marked("PutBucketPolicy")) == 2 and m, what="both")) == {
        None, "shuts out the delivery of weakened-trail"}
    assert 'cairn_trail_weakened_total{event="AbortBucketWorm"} 1' in server.get("/metrics").content.decode()
