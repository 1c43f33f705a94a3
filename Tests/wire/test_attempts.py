# For each kind of principal, every way to read, change, delete or stop what it must not: refused with the right code, and recorded.
# SPDX-License-Identifier: Apache-2.0
import json
from dataclasses import dataclass, field

import oss2
import pytest
import requests

from objects import refused
from support import ACCOUNT, Answer, KEY, REGION, SECRET, VERSION, acs3, event, ndjson, query_of, wait_for

KMS, RAM, STS = "2016-01-20", "2015-05-01", "2015-04-01"
TRAIL, BUCKET, OTHER = "evidence-trail", "evidence-bucket", "scratch-bucket"


@dataclass
class Principal:
    """Whoever tries."""
    name: str
    key: str = ""
    secret: str = ""
    token: str | None = None
    may: set = field(default_factory=set)
    """Names of attempts that are its job; every other one must be refused."""
    refusals: dict = field(default_factory=dict)
    """Codes by port where it is not the policies that refuse it."""


class Stage:
    """One protected trail, and everything that someone could reach for."""

    def __init__(self, server):
        self.server = server
        server.call("CreateServiceLinkedRole", {"ServiceName": "actiontrail.aliyuncs.com"}, version=RAM)
        key = server.call("CreateKey", {"Description": "of the evidence"}, version=KMS)["KeyMetadata"]["KeyId"]
        server.call("CreateAlias", {"KeyId": key, "AliasName": "alias/evidence"}, version=KMS)
        self.kms_key = key
        self.blob = server.call("Encrypt", {"KeyId": key, "Plaintext": "secret"}, version=KMS)["CiphertextBlob"]
        bucket = server.make_bucket(BUCKET)
        server.make_bucket(OTHER).put_object("mine", b"something else")
        server.trail(TRAIL, BUCKET, EventRW="All")
        self.event = event()
        server.record([self.event])
        server.settle(TRAIL)
        self.object = next(o.key for o in oss2.ObjectIterator(bucket) if o.key.endswith(".gz"))
        bucket.append_object("running.log", 0, b"first line\n")
        bucket.complete_bucket_worm(bucket.init_bucket_worm(184).worm_id)
        self.upload = bucket.init_multipart_upload(self.object).upload_id
        self.part = bucket.upload_part(self.object, self.upload, 1, b"forged").etag
        server.call("CreateUser", {"UserName": "bystander"}, version=RAM)
        server.call("CreateRole", {"RoleName": "powerful", "AssumeRolePolicyDocument": trust("root")}, version=RAM)
        server.call("AttachPolicyToRole", {"RoleName": "powerful", "PolicyName": "AdministratorAccess", "PolicyType": "System"}, version=RAM)

    def user(self, name, policies=(), inline=None, may=()):
        call = self.server.call
        call("CreateUser", {"UserName": name}, version=RAM)
        for policy in policies:
            call("AttachPolicyToUser", {"UserName": name, "PolicyName": policy, "PolicyType": "System"}, version=RAM)
        if inline:
            call("CreatePolicy", {"PolicyName": "of-" + name, "PolicyDocument": json.dumps(inline)}, version=RAM)
            call("AttachPolicyToUser", {"UserName": name, "PolicyName": "of-" + name, "PolicyType": "Custom"}, version=RAM)
        made = call("CreateAccessKey", {"UserName": name}, version=RAM)["AccessKey"]
        return Principal(name, made["AccessKeyId"], made["AccessKeySecret"], may=set(may))


def trust(who):
    return json.dumps({"Version": "1", "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"RAM": [f"acs:ram::{ACCOUNT}:{who}"]}}]})


def allow(*actions, resource="*", **more):
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource, **more}


def policy(*statements):
    return {"Version": "1", "Statement": list(statements)}


# Attempts. Each gives (status, code, request id).


def rpc(version, action, parameters=None):
    def attempt(stage, who):
        values = {k: (v(stage, who) if callable(v) else v) for k, v in (parameters or {}).items()}
        query = query_of(values)
        extra = {"x-acs-accesskey-id": who.key, "x-acs-security-token": who.token} if who.token else {}
        headers = acs3("POST", stage.server.api_host, "/", query, b"", action, who.key, who.secret, version, extra=extra)
        if not who.key:
            headers.pop("Authorization")
        answer = Answer(stage.server.session.post(stage.server.api + "/?" + query, headers=headers, timeout=30))
        return answer.status, answer.json.get("Code"), answer.json["RequestId"]
    return attempt


def put_events(stage, who):
    body = ndjson([event()])
    extra = {"x-acs-accesskey-id": who.key, "x-acs-security-token": who.token} if who.token else {}
    headers = acs3("POST", stage.server.api_host, "/v1/events", "", body, "PutEvents", who.key, who.secret, extra=extra)
    if not who.key:
        headers.pop("Authorization")
    answer = Answer(stage.server.session.post(stage.server.api + "/v1/events", data=body, headers=headers, timeout=30))
    return answer.status, answer.json.get("Code"), answer.json["RequestId"]


def oss(do, bucket=BUCKET):
    def attempt(stage, who):
        if not who.key:
            auth = oss2.AnonymousAuth()
        elif who.token:
            auth = oss2.StsAuth(who.key, who.secret, who.token)
        else:
            auth = oss2.Auth(who.key, who.secret)
        try:
            result = do(oss2.Bucket(auth, stage.server.oss, bucket, is_path_style=True), stage)
            return result.status, None, result.request_id
        except oss2.exceptions.ServerError as error:
            return error.status, error.code, error.request_id
    return attempt


def rule():
    found = oss2.models.ServerSideEncryptionRule()
    found.sse_algorithm = "AES256"
    found.kms_master_keyid = None
    return found


def expiring():
    M = oss2.models
    return M.BucketLifecycle([M.LifecycleRule("r", "", status="Enabled", expiration=M.LifecycleExpiration(days=1))])


OPEN_POLICY = json.dumps({"Version": "1", "Statement": [
    {"Effect": "Allow", "Action": ["oss:*"], "Principal": ["*"], "Resource": [f"acs:oss:*:{ACCOUNT}:{BUCKET}/*"]}]})

READ = {
    "look up events": rpc(VERSION, "LookupEvents"),
    "count events": rpc(VERSION, "CountEvents", {"GroupBy.1": "User"}),
    "take an event with its proof": rpc(VERSION, "GetEventProof", {"EventId": lambda s, w: s.event["eventId"]}),
    "read rejected records": rpc(VERSION, "ListQuarantinedRecords"),
    "get a delivered object": oss(lambda b, s: b.get_object(s.object)),
    "head a delivered object": oss(lambda b, s: b.head_object(s.object)),
    "copy a delivered object out": oss(lambda b, s: b.copy_object(BUCKET, s.object, "copy"), bucket=OTHER),
    "list the bucket": oss(lambda b, s: b.list_objects()),
    "open a ciphertext": rpc(KMS, "Decrypt", {"CiphertextBlob": lambda s, w: s.blob}),
}
DESCRIBE = {
    "describe trails": rpc(VERSION, "DescribeTrails"),
    "see a trail's status": rpc(VERSION, "GetTrailStatus", {"Name": TRAIL}),
    "describe the key": rpc(KMS, "DescribeKey", {"KeyId": lambda s, w: s.kms_key}),
    "list users": rpc(RAM, "ListUsers"),
    "read the bucket's retention": oss(lambda b, s: b.get_bucket_worm()),
    "read the bucket's policy": oss(lambda b, s: b.get_bucket_policy()),
}
STOP = {
    "stop the trail": rpc(VERSION, "StopLogging", {"Name": TRAIL}),
    "narrow the trail": rpc(VERSION, "UpdateTrail", {"Name": TRAIL, "EventRW": "Write"}),
    "send the trail elsewhere": rpc(VERSION, "UpdateTrail", {"Name": TRAIL, "OssBucketName": OTHER}),
    "delete the trail": rpc(VERSION, "DeleteTrail", {"Name": TRAIL}),
    "disable the key": rpc(KMS, "DisableKey", {"KeyId": lambda s, w: s.kms_key}),
    "schedule the key's deletion": rpc(KMS, "ScheduleKeyDeletion", {"KeyId": lambda s, w: s.kms_key, "PendingWindowInDays": "7"}),
    "rebind the key's alias": rpc(KMS, "DeleteAlias", {"AliasName": "alias/evidence"}),
}
CHANGE = {
    "overwrite a delivered object": oss(lambda b, s: b.put_object(s.object, b"forged")),
    "copy onto a delivered object": oss(lambda b, s: b.copy_object(OTHER, "mine", s.object)),
    "rewrite its metadata": oss(lambda b, s: b.update_object_meta(s.object, {"x-oss-meta-a": "b"})),
    "append to a protected log": oss(lambda b, s: b.append_object("running.log", 11, b"forged")),
    "complete an upload onto it": oss(
        lambda b, s: b.complete_multipart_upload(s.object, s.upload, [oss2.models.PartInfo(1, s.part)])),
    "delete a delivered object": oss(lambda b, s: b.delete_object(s.object)),
    "delete many": oss(lambda b, s: b.batch_delete_objects([s.object, "nothing"])),
    "delete the bucket": oss(lambda b, s: b.delete_bucket()),
    "abort the retention": oss(lambda b, s: b.abort_bucket_worm()),
}
CONFIGURE = {
    "open the bucket by policy": oss(lambda b, s: b.put_bucket_policy(OPEN_POLICY)),
    "open the bucket by ACL": oss(lambda b, s: b.put_bucket_acl("public-read-write")),
    "open an object by ACL": oss(lambda b, s: b.put_object_acl(s.object, "public-read")),
    "weaken the bucket's encryption": oss(lambda b, s: b.put_bucket_encryption(rule())),
    "let objects expire": oss(lambda b, s: b.put_bucket_lifecycle(expiring())),
}
GRANT = {
    "grant oneself everything": rpc(RAM, "AttachPolicyToUser", {
        "UserName": lambda s, w: w.name, "PolicyName": "AdministratorAccess", "PolicyType": "System"}),
    "make another's access key": rpc(RAM, "CreateAccessKey", {"UserName": "bystander"}),
    "let everyone assume a role": rpc(RAM, "UpdateRole", {"RoleName": "powerful", "NewAssumeRolePolicyDocument": trust("root")}),
    "assume a powerful role": rpc(STS, "AssumeRole", {
        "RoleArn": f"acs:ram::{ACCOUNT}:role/powerful", "RoleSessionName": "intruder"}),
    "make an ingest token": rpc(VERSION, "CreateIngestToken", {"Name": "forged"}),
}
FORGE = {"put forged events": put_events}
ALL = {**READ, **DESCRIBE, **STOP, **CHANGE, **CONFIGURE, **GRANT, **FORGE}

PROTECTED = {
    "overwrite a delivered object": (409, "FileImmutable"), "copy onto a delivered object": (409, "FileImmutable"),
    "rewrite its metadata": (409, "FileImmutable"), "append to a protected log": (409, "FileImmutable"),
    "complete an upload onto it": (409, "FileImmutable"), "delete a delivered object": (409, "FileImmutable"),
    "delete many": (409, "FileImmutable"), "delete the bucket": (409, "BucketNotEmpty"),
    "abort the retention": (403, "WORMConfigurationLocked"),
}
"""What not even root can do."""


@pytest.fixture(scope="module")
def stage(module_server):
    return Stage(module_server)


def port_of(name):
    attempt = ALL[name]
    if attempt is put_events:
        return "api"
    return "oss" if attempt.__qualname__.startswith("oss") else "api"


def code_of(name):
    if port_of(name) == "oss":
        return {(403, "AccessDenied")}
    kms = name in ("open a ciphertext", "describe the key", "disable the key", "schedule the key's deletion", "rebind the key's alias")
    return {(403, "Forbidden.NoPermission" if kms else "NoPermission")}


def try_everything(stage, who, expected=None):
    """Tries all attempts; gives those that were refused, after checking that each was recorded under its caller."""
    tried, refused = {}, {}
    for name, attempt in ALL.items():
        if name in who.may:
            continue
        tried[name] = attempt(stage, who)
    wrong = {n: t[:2] for n, t in tried.items() if t[:2] not in (expected(n) if expected else code_of(n))}
    assert not wrong, f"{who.name}: not refused as it must be: {wrong}"
    missing = dict(tried)

    def recorded():
        for e in stage.server.lookup(start=stage_start, limit=2000):
            for name, (status, code, request) in list(missing.items()):
                if e["requestId"] == request:
                    assert e["errorCode"] == code, (name, e)
                    if who.key and not who.refusals:
                        assert e["userIdentity"]["accessKeyId"] == who.key, (name, e)
                    missing.pop(name)
        return not missing
    wait_for(recorded, wait=15, what=f"the records of {len(tried)} refusals to {who.name}")
    return tried


stage_start = None


@pytest.fixture(autouse=True)
def since():
    global stage_start
    from support import ago
    stage_start = ago(minutes=2)


def test_a_user_without_policies_can_do_nothing(stage):
    try_everything(stage, stage.user("nobody"))


def test_a_reader_of_the_trail_reads_events_and_nothing_else(stage):
    who = stage.user("reader", ["AliyunActionTrailReadOnlyAccess"], may={
        "look up events", "count events", "take an event with its proof", "read rejected records", "describe trails",
        "see a trail's status"})
    for name in who.may:
        assert ALL[name](stage, who)[0] == 200, name
    try_everything(stage, who)


def test_a_user_denied_explicitly(stage):
    """Everything allowed, and everything denied: the denial wins, and says which statement decided."""
    who = stage.user("torn", inline=policy(allow("*"), {"Effect": "Deny", "Action": "*", "Resource": "*", "Sid": "NoNoNo"}))
    try_everything(stage, who)
    answer = stage.server.rpc("LookupEvents", key=who.key, secret=who.secret)
    detail = answer.json["AccessDeniedDetail"]
    assert detail["NoPermissionType"] == "ExplicitDeny" and detail["AuthAction"] == "actiontrail:LookupEvents"
    assert detail["AuthPrincipalType"] == "SubUser" and detail["AuthPrincipalOwnerId"] == ACCOUNT
    assert "of-torn" in detail["MatchedStatements"] and "NoNoNo" in detail["MatchedStatements"]
    decoded = stage.server.call(
        "DecodeDiagnosticMessage", {"EncodedDiagnosticMessage": detail["EncodedDiagnosticMessage"]}, version=RAM)
    assert decoded["DecodedDiagnosticMessage"]["AuthAction"] == "actiontrail:LookupEvents"


def test_a_session_of_a_role_without_policies(stage):
    stage.server.call("CreateRole", {"RoleName": "empty", "AssumeRolePolicyDocument": trust("root")}, version=RAM)
    assumer = stage.user("assumer", ["AliyunSTSAssumeRoleAccess"])
    made = stage.server.rpc(
        "AssumeRole", {"RoleArn": f"acs:ram::{ACCOUNT}:role/empty", "RoleSessionName": "s1"}, version=STS,
        key=assumer.key, secret=assumer.secret)
    assert made.status == 200, made
    found = made.json["Credentials"]
    who = Principal("empty", found["AccessKeyId"], found["AccessKeySecret"], found["SecurityToken"])
    try_everything(stage, who)


def test_a_session_policy_narrows_an_administrator(stage):
    assumer = stage.user("narrowed", ["AliyunSTSAssumeRoleAccess"])
    made = stage.server.rpc(
        "AssumeRole", {
            "RoleArn": f"acs:ram::{ACCOUNT}:role/powerful", "RoleSessionName": "s2",
            "Policy": json.dumps(policy(allow("actiontrail:DescribeTrails")))}, version=STS,
        key=assumer.key, secret=assumer.secret)
    assert made.status == 200, made
    found = made.json["Credentials"]
    who = Principal(
        "powerful", found["AccessKeyId"], found["AccessKeySecret"], found["SecurityToken"], may={"describe trails"})
    assert ALL["describe trails"](stage, who)[0] == 200
    try_everything(stage, who)


def test_a_user_of_one_other_bucket(stage):
    who = stage.user("neighbour", inline=policy(allow("oss:*", resource=[f"acs:oss:*:*:{OTHER}", f"acs:oss:*:*:{OTHER}/*"])))
    try_everything(stage, who)


def test_the_anonymous(stage):
    who = Principal("anonymous", refusals={"api": True})

    def expected(name):
        if port_of(name) == "oss":
            return {(403, "AccessDenied")}
        return {(400, "MissingAccessKeyId"), (400, "IncompleteSignature"), (401, "MissingAuthorization"),
                (400, "MissingSecurityToken"), (403, "NoPermission"), (401, "Unauthorized")}
    for name, attempt in ALL.items():
        status, code, _ = attempt(stage, who)
        assert 400 <= status < 500 and code, (name, status, code)
        if port_of(name) == "oss":
            assert (status, code) == (403, "AccessDenied"), name


def test_a_key_that_was_switched_off(stage):
    who = stage.user("retired", ["AdministratorAccess"])
    stage.server.call("UpdateAccessKey", {"UserName": who.name, "UserAccessKeyId": who.key, "Status": "Inactive"}, version=RAM)
    who.refusals = {"key": "inactive"}
    try_everything(stage, who, lambda name: {(403, "InvalidAccessKeyId")} if port_of(name) == "oss" else {
        (403, "InvalidAccessKeyId.Inactive")})


def test_a_wrong_secret(stage):
    who = stage.user("careless", ["AdministratorAccess"])
    who.secret += "x"
    who.refusals = {"secret": "wrong"}
    try_everything(stage, who, lambda name: {(403, "SignatureDoesNotMatch")} if port_of(name) == "oss" else {
        (400, "SignatureDoesNotMatch")})


def test_an_ingest_token_opens_nothing_but_ingest(stage):
    token = stage.server.call("CreateIngestToken", {"Name": "producer"})["IngestToken"]
    for version, action in [(VERSION, "LookupEvents"), (VERSION, "CountEvents"), (VERSION, "StopLogging"), (KMS, "ListKeys"), (RAM, "ListUsers")]:
        answer = requests.post(
            stage.server.api + "/", headers={
                "Authorization": "Bearer " + token, "x-acs-action": action, "x-acs-version": version}, timeout=30)
        assert 400 <= answer.status_code < 500, (action, answer.content)
    assert requests.get(f"{stage.server.oss}/{BUCKET}/", headers={"Authorization": "Bearer " + token}, timeout=30).status_code >= 400
    assert stage.server.put(ndjson([event()]), token=token).status == 200


@pytest.mark.parametrize("who", ["root", "administrator"])
def test_not_even_the_owner_changes_protected_objects(stage, who):
    principal = Principal("root", KEY, SECRET) if who == "root" else stage.user("chief", ["AdministratorAccess"])
    for name, expected in PROTECTED.items():
        status, code, request = ALL[name](stage, principal)
        assert (status, code) == expected, name
        found = wait_for(
            lambda: next((e for e in stage.server.lookup(start=stage_start, limit=500) if e["requestId"] == request), None),
            wait=10, what=name)
        assert found["errorCode"] == code and found["userIdentity"]["accessKeyId"] == principal.key, name
    bucket = stage.server.bucket(BUCKET)
    assert bucket.get_object(stage.object).read()[:2] == b"\x1f\x8b"
    assert bucket.get_object("running.log").read() == b"first line\n"


def test_retention_outlives_every_configuration(stage):
    """The owner may configure a bucket as it likes: what is protected stays."""
    bucket = stage.server.bucket(BUCKET)
    bucket.put_bucket_lifecycle(expiring())
    bucket.put_bucket_acl("public-read-write")
    bucket.put_bucket_policy(OPEN_POLICY)
    anonymous = oss2.Bucket(oss2.AnonymousAuth(), stage.server.oss, BUCKET, is_path_style=True)
    refused(409, "FileImmutable", anonymous.delete_object, stage.object)
    bucket.put_bucket_acl("private")
    bucket.delete_bucket_policy()
    bucket.delete_bucket_lifecycle()
    assert bucket.get_object(stage.object).status == 200
