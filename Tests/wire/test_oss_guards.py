# What guards a bucket over the oss port, by the official SDK: retention, policy, ACL, encryption rule.
# SPDX-License-Identifier: Apache-2.0
import json

import oss2
import pytest
from oss2.models import ServerSideEncryptionRule

from objects import refused
from support import wait_for


def newest(server, name):
    return wait_for(lambda: (server.lookup([("EventName", name)], limit=1) or [None])[0], what=name)


def test_a_locked_bucket_keeps_its_objects_from_everybody(server):
    bucket = server.make_bucket("worm-bucket")
    bucket.put_object("before", b"1")
    refused(404, "NoSuchWORMConfiguration", bucket.get_bucket_worm)
    worm = bucket.init_bucket_worm(2).worm_id
    refused(409, "WORMConfigurationAlreadyExists", bucket.init_bucket_worm, 2)
    seen = bucket.get_bucket_worm()
    assert (seen.worm_id, seen.state, seen.retention_period_days) == (worm, "InProgress", 2)
    # Both states protect, what was there before too.
    refused(409, "FileImmutable", bucket.delete_object, "before")
    refused(400, "InvalidWORMConfiguration", bucket.extend_bucket_worm, worm, 3)
    refused(404, "NoSuchWORMConfiguration", bucket.complete_bucket_worm, "0" * 32)
    bucket.complete_bucket_worm(worm)
    assert bucket.get_bucket_worm().state == "Locked"
    bucket.put_object("after", b"2")
    for key in ("before", "after"):
        refused(409, "FileImmutable", bucket.put_object, key, b"other")
        refused(409, "FileImmutable", bucket.delete_object, key)
        assert newest(server, "DeleteObject")["errorCode"] == "FileImmutable"
        refused(409, "FileImmutable", bucket.copy_object, "worm-bucket", "after", key)
        refused(409, "FileImmutable", bucket.batch_delete_objects, ["free", key])
        upload = bucket.init_multipart_upload(key).upload_id
        part = bucket.upload_part(key, upload, 1, b"other")
        refused(409, "FileImmutable", bucket.complete_multipart_upload, key, upload, [oss2.models.PartInfo(1, part.etag)])
        bucket.abort_multipart_upload(key, upload)
    bucket.append_object("grown", 0, b"1")
    refused(409, "FileImmutable", bucket.append_object, "grown", 1, b"2")
    refused(403, "WORMConfigurationLocked", bucket.abort_bucket_worm)
    refused(400, "InvalidWORMConfiguration", bucket.extend_bucket_worm, worm, 1)
    bucket.extend_bucket_worm(worm, 3)
    assert bucket.get_bucket_worm().retention_period_days == 3
    refused(409, "BucketNotEmpty", bucket.delete_bucket)
    assert bucket.get_object("before").read() == b"1"
    assert newest(server, "ExtendBucketWorm").get("errorCode") is None


def test_an_unlocked_policy_can_be_aborted(server):
    bucket = server.make_bucket("unlocked-bucket")
    bucket.put_object("a", b"1")
    bucket.init_bucket_worm(1)
    bucket.abort_bucket_worm()
    bucket.delete_object("a")
    refused(404, "NoSuchWORMConfiguration", bucket.abort_bucket_worm)
    for days in (0, 25551):
        refused(400, "InvalidArgument", bucket.init_bucket_worm, days)


def test_a_bucket_policy_binds_its_owner_but_can_be_taken_back(server):
    bucket = server.make_bucket("policy-bucket")
    refused(404, "NoSuchBucketPolicy", bucket.get_bucket_policy)
    refused(400, "InvalidPolicyDocument", bucket.put_bucket_policy, '{"Version":"1"}')
    policy = json.dumps({"Version": "1", "Statement": [{
        "Effect": "Deny", "Principal": ["*"], "Action": ["oss:PutObject"], "Resource": ["acs:oss:*:*:policy-bucket/kept/*"]}]})
    bucket.put_bucket_policy(policy)
    assert bucket.get_bucket_policy().policy == policy
    denial = refused(403, "AccessDenied", bucket.put_object, "kept/x", b"1")
    assert denial.details["NoPermissionType"] == "ExplicitDeny" and denial.details["AuthAction"] == "oss:PutObject"
    assert newest(server, "PutObject")["errorCode"] == "AccessDenied"
    bucket.put_object("free/x", b"1")
    bucket.delete_bucket_policy()
    bucket.put_object("kept/x", b"1")


def test_a_trail_needs_a_policy_that_lets_the_service_write(server):
    bucket = server.make_bucket("closed-bucket")
    bucket.put_bucket_policy(json.dumps({"Version": "1", "Statement": [{
        "Effect": "Deny", "Principal": ["*"], "Action": ["oss:PutObject"], "Resource": ["acs:oss:*:*:closed-bucket/*"]}]}))
    answer = server.rpc("CreateTrail", {"Name": "closed-trail", "OssBucketName": "closed-bucket"})
    assert (answer.status, answer.code) == (403, "InsufficientBucketPolicyException"), answer
    bucket.delete_bucket_policy()
    server.trail("closed-trail", "closed-bucket")
    server.settle("closed-trail")
    # Taken away later, delivery stops and says why; given back, it goes on.
    bucket.put_bucket_policy(json.dumps({"Version": "1", "Statement": [{
        "Effect": "Deny", "Principal": ["*"], "Action": ["oss:PutObject"], "Resource": ["acs:oss:*:*:closed-bucket/*"]}]}))
    status = wait_for(
        lambda: (s := server.call("GetTrailStatus", {"Name": "closed-trail"})).get("LatestDeliveryError") and s, what="the trouble")
    assert "may not put objects into the bucket `closed-bucket`" in status["LatestDeliveryError"]
    bucket.delete_bucket_policy()
    wait_for(lambda: "LatestDeliveryError" not in server.call("GetTrailStatus", {"Name": "closed-trail"}), what="the delivery to go on")


def kms(server, action, **parameters):
    return server.call(action, parameters, version="2016-01-20")


def test_a_bucket_encrypts_under_a_chosen_key_and_loses_its_objects_with_it(server):
    key = kms(server, "CreateKey")["KeyMetadata"]["KeyId"]
    bucket = server.make_bucket("sealed-bucket")
    refused(404, "NoSuchServerSideEncryptionRule", bucket.get_bucket_encryption)
    rule = ServerSideEncryptionRule()
    rule.sse_algorithm, rule.kms_master_keyid = "KMS", "alias/nobody-made"
    refused(404, "KeyNotFound", bucket.put_bucket_encryption, rule)
    rule.kms_master_keyid = key
    bucket.put_bucket_encryption(rule)
    seen = bucket.get_bucket_encryption()
    assert (seen.sse_algorithm, seen.kms_master_keyid) == ("KMS", key)
    put = bucket.put_object("a", b"secret")
    assert put.headers["x-oss-server-side-encryption-key-id"] == key
    own = bucket.put_object("b", b"open", headers={"x-oss-server-side-encryption": "AES256"})
    assert own.headers["x-oss-server-side-encryption"] == "AES256"
    refused(400, "InvalidEncryptionAlgorithmError", bucket.put_object, "c", b"", headers={"x-oss-server-side-encryption": "ROT13"})
    server.trail("sealed-trail", "sealed-bucket")
    kms(server, "DisableKey", KeyId=key)
    event = wait_for(
        lambda: (server.lookup([("EventName", "DisableKey"), ("SensitiveAction", "true")], limit=1) or [None])[0], what="DisableKey")
    assert "on which the trail sealed-trail hangs" in event["additionalEventData"]["Weakening"]
    assert b'cairn_trail_weakened_total{event="DisableKey"} 1' in server.get("/metrics").content
    refused(409, "KeyDisabled", bucket.get_object, "a")
    refused(409, "KeyDisabled", bucket.put_object, "d", b"1")
    assert bucket.get_object("b").read() == b"open"
    status = wait_for(
        lambda: (s := server.call("GetTrailStatus", {"Name": "sealed-trail"})).get("LatestDeliveryError") and s, what="the trouble")
    assert "Disabled" in status["LatestDeliveryError"], status
    kms(server, "EnableKey", KeyId=key)
    assert bucket.get_object("a").read() == b"secret"
    wait_for(lambda: "LatestDeliveryError" not in server.call("GetTrailStatus", {"Name": "sealed-trail"}), what="the delivery to go on")
    bucket.delete_bucket_encryption()
    refused(404, "NoSuchServerSideEncryptionRule", bucket.get_bucket_encryption)


def test_acl_versioning_and_statistics(server):
    bucket = server.make_bucket("settings-bucket")
    assert bucket.get_bucket_acl().acl == "private"
    bucket.put_bucket_acl("public-read")
    assert bucket.get_bucket_acl().acl == "public-read" and bucket.get_bucket_info().acl.grant == "public-read"
    refused(400, "InvalidArgument", bucket.put_bucket_acl, "open-to-all")
    bucket.put_object("a", b"123")
    stat = bucket.get_bucket_stat()
    assert (stat.storage_size_in_bytes, stat.object_count) == (3, 1)


@pytest.mark.parametrize("body", [
    b"", b"<", b"<a>", b"<a></b>", b"<a>" * 40, b"<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", b"<a>&#x110000;</a>", b"<a b></a>",
    b"<InitiateWormConfiguration><RetentionPeriodInDays>1</RetentionPeriodInDays></InitiateWormConfiguration><x/>",
    b"<InitiateWormConfiguration><RetentionPeriodInDays>&unknown;</RetentionPeriodInDays></InitiateWormConfiguration>",
    b"\xff\xfe<a/>", b"<a>\xff</a>", b"<a x='", b"<!-- ", b"<a><![CDATA[ ]]"])
def test_bodies_that_are_not_xml(server, body):
    bucket = server.make_bucket("xml-bucket")
    refused(400, "MalformedXML", bucket._do, "POST", bucket.bucket_name, "", data=body, params={"worm": ""})


def test_a_body_that_is_too_long(server):
    bucket = server.make_bucket("xml-bucket")
    refused(400, "EntityTooLarge", bucket._do, "POST", bucket.bucket_name, "", data=b" " * 70000, params={"worm": ""})


def test_a_bucket_may_leave_the_key_to_the_account(server):
    """KMS without a key id takes the account's default key, made when it is first needed."""
    bucket = server.make_bucket("default-key")
    rule = ServerSideEncryptionRule()
    rule.sse_algorithm, rule.kms_master_keyid = "KMS", ""
    bucket.put_bucket_encryption(rule)
    assert bucket.put_object("a", b"1").headers["x-oss-server-side-encryption"] == "KMS"
    assert server.make_bucket("own-default").put_object("b", b"2", headers={"x-oss-server-side-encryption": "KMS"}).status == 200
    aliases = {a["AliasName"]: a["KeyId"] for a in kms(server, "ListAliases", PageSize=100)["Aliases"]["Alias"]}
    key = aliases["alias/acs/oss"]
    made = wait_for(lambda: [e for e in server.lookup([("EventName", "CreateKey")]) if key in json.dumps(e)], what="the making of the key")
    assert len(made) == 1 and made[0]["userIdentity"]["type"] == "system"
    answer = server.rpc("DeleteAlias", {"AliasName": "alias/acs/oss"}, version="2016-01-20")
    assert answer.status == 400, answer
    kms(server, "DisableKey", KeyId=key)
    refused(409, "KeyDisabled", bucket.get_object, "a")
    kms(server, "EnableKey", KeyId=key)
    assert bucket.get_object("a").read() == b"1"
