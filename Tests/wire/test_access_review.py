# Ways around the guards that a reviewer tried: each stays shut.
# SPDX-License-Identifier: Apache-2.0
import json
import time

import oss2
import requests

from objects import refused
from support import ACCOUNT, event, job_done, wait_for
from test_ram import custom, ram, statement, user

RAM, STS = "2015-05-01", "2015-04-01"


def bucket_of(server, who, name):
    return oss2.Bucket(oss2.Auth(*who) if who else oss2.AnonymousAuth(), server.oss, name, is_path_style=True)


def denied(call, *arguments, **options):
    refused(403, "AccessDenied", call, *arguments, **options)


def rule(*actions, effect="Allow", resource="*", **condition):
    found = {"Effect": effect, "Action": list(actions), "Resource": resource}
    return {**found, "Condition": condition} if condition else found


def granted(server, name, *rules):
    who = user(server, name)
    ram(server, "CreatePolicy", {"PolicyName": "of-" + name, "PolicyDocument": json.dumps({"Version": "1", "Statement": list(rules)})})
    ram(server, "AttachPolicyToUser", {"UserName": name, "PolicyType": "Custom", "PolicyName": "of-" + name})
    return who


def test_making_a_bucket_again_does_not_open_it(server):
    bucket = server.make_bucket("made-again")
    server.trail("made-again-trail", "made-again")
    who = granted(server, "maker", rule("oss:PutBucket"))
    bucket_of(server, who, "made-again").create_bucket()
    denied(bucket_of(server, who, "made-again").create_bucket, "public-read-write")
    denied(bucket_of(server, who, "made-open").create_bucket, "public-read")
    bucket_of(server, who, "made-private").create_bucket("private")
    assert bucket.get_bucket_acl().acl == "private"
    bucket.put_bucket_acl("public-read")
    bucket.put_bucket_acl("private")
    found = wait_for(lambda: len(e := server.lookup([("EventName", "PutBucketAcl")])) >= 2 and e, what="both")
    assert [e["additionalEventData"].get("Weakening") for e in found][:2] == [None, "takes the privacy of the bucket of made-again-trail"]
    assert found[1]["requestParameters"]["x-oss-acl"] == "public-read"


def test_groups_of_many_keys_cost_what_they_give(server):
    bucket = server.make_bucket("many-groups")
    for n in range(400):
        bucket.put_object(f"folder-{n:03d}/x", b"")
    begun = time.time()
    listed = bucket.list_objects(delimiter="/", max_keys=1000)
    assert len(listed.prefix_list) == 400 and time.time() - begun < 2


def test_a_version_that_is_named_hides_nothing_from_a_write(server):
    bucket = server.make_bucket("named-versions")
    bucket.put_bucket_acl("public-read-write")
    bucket.put_object("private", b"1", headers={"x-oss-object-acl": "private"})
    bucket.put_object("locked", b"1", headers={"x-oss-tagging": "lock=yes"})
    for bucket_version in ({}, {"versionId": "x"}, {"versionId": "null"}):
        query = "&".join(f"?{k}={v}" for k, v in bucket_version.items())
        assert requests.put(f"{server.oss}/named-versions/private{query}", data=b"forged", timeout=10).status_code == 403
    who = granted(server, "versioner", rule("oss:*"), rule("oss:PutObject", effect="Deny", StringEquals={"oss:ExistingObjectTag/lock": "yes"}))
    for query in ("", "?versionId=x"):
        denied(bucket_of(server, who, "named-versions").put_object, "locked" , b"forged", headers={}) if not query else None
    assert bucket.get_object("private").read() == b"1" and bucket.get_object("locked").read() == b"1"


def test_what_authorises_is_what_acts(server):
    server.trail("aaa-trail", "aaa-bucket", start=False)
    server.trail("bbb-trail", "bbb-bucket", start=False)
    who = granted(server, "of-one-trail", rule("actiontrail:*", resource=f"acs:actiontrail:*:*:trail/aaa-trail"))
    key, secret = who

    def code(action, parameters):
        return server.rpc(action, parameters, key=key, secret=secret).status
    server.record([event()])
    other = server.call("CreateDeliveryHistoryJob", {"TrailName": "bbb-trail"})["JobId"]
    job_done(server, other)
    assert code("CreateDeliveryHistoryJob", {"TrailName": "bbb-trail", "Name": "aaa-trail"}) == 403
    assert code("CreateDeliveryHistoryJob", {"TrailName": "aaa-trail"}) == 200
    assert code("DescribeTrails", {"Name": "aaa-trail"}) == 403
    assert code("DescribeTrails", {"NameList": "aaa-trail,bbb-trail"}) == 403
    assert code("DescribeTrails", {"NameList": "aaa-trail"}) == 200
    assert code("ListDeliveryHistoryJobs", {"Name": "aaa-trail"}) == 403
    assert code("GetDeliveryHistoryJob", {"JobId": other, "Name": "aaa-trail"}) == 403
    assert code("DeleteDeliveryHistoryJob", {"JobId": other, "Name": "aaa-trail"}) == 403


def test_a_prefix_is_of_lists_only(server):
    bucket = server.make_bucket("prefixes")
    bucket.put_object("secret/x", b"1")
    bucket.put_object("pub/x", b"2")
    who = granted(server, "prefixed", rule("oss:*", resource=["acs:oss:*:*:prefixes", "acs:oss:*:*:prefixes/*"], StringLike={"oss:Prefix": "pub/*"}))
    mine = bucket_of(server, who, "prefixes")
    assert [o.key for o in mine.list_objects(prefix="pub/").object_list] == ["pub/x"]
    denied(mine.list_objects)
    denied(mine.get_object, "secret/x", params={"prefix": "pub/"})
    denied(mine.delete_object, "secret/x", params={"prefix": "pub/"})


def test_tags_are_judged_as_they_are_kept(server):
    from oss2.models import Tagging, TaggingRule
    bucket = server.make_bucket("judged-tags")
    bucket.put_object("a", b"1")
    bucket.put_object("secret", b"1", headers={"x-oss-tagging": "cls=secret"})
    who = granted(server, "tagger", rule("oss:*", StringEquals={"oss:RequestObjectTag/cls": "public"}), rule("oss:GetObject", "oss:GetObjectTagging"))
    mine = bucket_of(server, who, "judged-tags")

    def tags(value):
        found = TaggingRule()
        found.add("cls", value)
        return Tagging(found)
    denied(mine.put_object_tagging, "a", tags("secret"), headers={"x-oss-tagging": "cls=public"})
    mine.put_object_tagging("a", tags("public"))
    denied(mine.put_object, "b", b"", headers={"x-oss-tagging": "CLS=public"})
    denied(mine.put_object, "b", b"", headers={"x-oss-tagging": "cls=secret&CLS=public"})
    mine.put_object("b", b"", headers={"x-oss-tagging": "cls=public"})
    denied(mine.copy_object, "judged-tags", "secret", "c")
    denied(mine.copy_object, "judged-tags", "secret", "c", headers={"x-oss-tagging": "cls=public"})
    mine.copy_object("judged-tags", "secret", "c", headers={"x-oss-tagging": "cls=public", "x-oss-tagging-directive": "Replace"})
    assert bucket.get_object_tagging("c").tag_set.tagging_rule == {"cls": "public"}


def test_keys_that_look_alike_are_two(server):
    bucket = server.make_bucket("look-alikes")
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    bucket.put_object(composed, b"1", headers={"x-oss-meta-a": "kept"})
    bucket.copy_object("look-alikes", composed, decomposed, headers={"x-oss-object-acl": "public-read", "x-oss-metadata-directive": "REPLACE"})
    assert bucket.get_object_acl(composed).acl == "default" and bucket.head_object(composed).headers["x-oss-meta-a"] == "kept"
    assert bucket.get_object_acl(decomposed).acl == "public-read" and bucket.get_object(decomposed).read() == b"1"
    bucket.batch_delete_objects([composed, decomposed])
    assert not bucket.list_objects().object_list


def test_a_key_named_twice_is_deleted_once(server):
    bucket = server.make_bucket("named-twice")
    bucket.put_bucket_versioning(oss2.models.BucketVersioningConfig(oss2.BUCKET_VERSIONING_ENABLE))
    bucket.put_object("a", b"1")
    done = bucket.batch_delete_objects(["a", "a"]).delete_versions
    listed = bucket.list_object_versions()
    assert len(done) == 2 and len({d.delete_marker_versionid for d in done}) == 1 and len(listed.delete_marker) == 1


def test_devices_and_names_of_others(server):
    ram(server, "SetSecurityPreference", {"AllowUserToManageMFADevices": "true"})
    eve = user(server, "eve")
    ram(server, "CreateVirtualMFADevice", {"VirtualMFADeviceName": "bob"}, who=eve, status=403, code="NoPermission")
    ram(server, "CreateVirtualMFADevice", {"VirtualMFADeviceName": "bob", "UserName": "eve"}, who=eve, status=403, code="NoPermission")
    ram(server, "CreateVirtualMFADevice", {"VirtualMFADeviceName": "eve"}, who=eve)
    serial = ram(server, "CreateVirtualMFADevice", {"VirtualMFADeviceName": "bob"})["VirtualMFADevice"]["SerialNumber"]
    who = granted(server, "devices", rule("ram:*"), rule("ram:*", effect="Deny", resource="acs:ram:*:*:mfa/bob"))
    for name in (serial, serial.replace("bob", "BOB")):
        ram(server, "DeleteVirtualMFADevice", {"SerialNumber": name}, who=who, status=403, code="NoPermission")
    renamer = granted(server, "dev-me", rule("ram:UpdateUser", resource="acs:ram:*:*:user/dev-*"))
    ram(server, "UpdateUser", {"UserName": "dev-me", "NewUserName": "alice"}, who=renamer, status=403, code="NoPermission")
    ram(server, "UpdateUser", {"UserName": "dev-me", "NewUserName": "dev-you"}, who=renamer)
    document = statement("Allow", "oss:*")
    ram(server, "CreatePolicy", {"PolicyName": "administratoraccess", "PolicyDocument": document}, status=409, code="EntityAlreadyExists.Policy")


def test_nobody_reads_what_an_anonymous_caller_may_not_send(server):
    server.make_bucket("not-yours")
    body = b"<Delete>" + b"<Object><Key>a</Key></Object>" * 60_000 + b"</Delete>"
    begun = time.time()
    answer = requests.post(f"{server.oss}/not-yours?delete", data=body, timeout=30)
    assert answer.status_code == 403 and time.time() - begun < 2
    deep = requests.post(f"{server.oss}/not-yours?delete", data=b"<a/>" * 100_000, timeout=30, headers={"Content-MD5": "x"})
    assert deep.status_code == 403


def test_the_rule_of_a_bucket_keeps_its_key(server):
    key = server.call("CreateKey", {}, version="2016-01-20")["KeyMetadata"]["KeyId"]
    server.call("CreateAlias", {"KeyId": key, "AliasName": "alias/of-the-rule"}, version="2016-01-20")
    bucket = server.make_bucket("ruled-by-alias")
    found = oss2.models.ServerSideEncryptionRule()
    found.sse_algorithm, found.kms_master_keyid = "KMS", "alias/of-the-rule"
    bucket.put_bucket_encryption(found)
    assert bucket.get_bucket_encryption().kms_master_keyid == key
    server.call("DeleteAlias", {"AliasName": "alias/of-the-rule"}, version="2016-01-20")
    assert bucket.put_object("a", b"1").headers["x-oss-server-side-encryption-key-id"] == key


