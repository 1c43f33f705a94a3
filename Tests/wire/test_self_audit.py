# Every call on every port becomes an event, refused ones too, with caller, address, parameters and error, and no secret in it.
# SPDX-License-Identifier: Apache-2.0
import json
import time
import uuid

import oss2
import pytest

from support import ACCOUNT, KEY, REGION, SECRET, VERSION, acs3, delivered, event, ndjson, objects_of, wait_for


def recorded(server, name, where=lambda e: True, wait=10):
    """The newest event of that name; reading calls are recorded after their answer."""
    def look():
        for e in server.lookup([("EventName", name)], limit=300):
            if where(e):
                return e
    return wait_for(look, wait=wait, what=f"the event of {name}")


def by_request(server, request_id, name, wait=10):
    return recorded(server, name, lambda e: e["requestId"] == request_id, wait)


def check_shape(e, service, caller=True):
    assert e["serviceName"] == service and e["eventType"] == "ApiCall" and e["eventVersion"] == "1"
    assert e["sourceIpAddress"] == "127.0.0.1" and e["acsRegion"] == REGION and e["recipientAccountId"] == ACCOUNT
    assert e["eventCategory"] == "Management" and json.loads(e["requestParameterJson"]) == e["requestParameters"]
    if caller:
        assert e["userIdentity"] == {"type": "root-account", "principalId": ACCOUNT, "accountId": ACCOUNT, "userName": "root", "accessKeyId": KEY}


API_CALLS = [
    ("CreateTrail", {"Name": "audited-trail", "OssBucketName": "audited-bucket", "EventRW": "All"}, None, "Write"),
    ("CreateTrail", {"Name": "audited-trail", "OssBucketName": "audited-bucket"}, "TrailAlreadyExistsException", "Write"),
    ("CreateTrail", {"Name": "B"}, "InvalidTrailNameException", "Write"),
    ("DescribeTrails", {"NameList": "audited-trail"}, None, "Read"),
    ("GetTrailStatus", {"Name": "audited-trail"}, None, "Read"),
    ("GetTrailStatus", {"Name": "no-such-trail"}, "TrailNotFoundException", "Read"),
    ("StartLogging", {"Name": "audited-trail"}, None, "Write"),
    ("UpdateTrail", {"Name": "audited-trail", "EventRW": "All"}, None, "Write"),
    ("CreateDeliveryHistoryJob", {"TrailName": "audited-trail"}, None, "Write"),
    ("GetDeliveryHistoryJob", {"JobId": "1"}, None, "Read"),
    ("ListDeliveryHistoryJobs", {"PageSize": "5"}, None, "Read"),
    ("DeleteDeliveryHistoryJob", {"JobId": "77777"}, "DeliveryHistoryJobNotFound", "Write"),
    ("LookupEvents", {"MaxResults": "3", "LookupAttribute.1.Key": "User", "LookupAttribute.1.Value": "nobody"}, None, "Read"),
    ("LookupEvents", {"StartTime": "never"}, "InvalidParameterEndTime", "Read"),
    ("CountEvents", {"GroupBy.1": "User", "GroupBy.2": "ErrorCode", "MaxResults": "3"}, None, "Read"),
    ("CountEvents", {"GroupBy.1": "User", "GroupBy.2": "ResourceName"}, "InvalidQueryParameter", "Read"),
    ("DescribeRegions", {}, None, "Read"),
    ("GetEventProof", {"EventId": "no-such-event"}, "EventNotFound", "Read"),
    ("GetConsistencyProof", {"From": "1"}, None, "Read"),
    ("ListQuarantinedRecords", {}, None, "Read"),
    ("ListIngestTokens", {}, None, "Read"),
    ("CreateIngestToken", {"Name": "audited"}, None, "Write"),
    ("GetDataEventSelector", {"TrailName": "audited-trail"}, None, "Read"),
    ("GetGlobalEventsStorageRegion", {}, None, "Read"),
    ("EnableInsight", {"InsightType": "IpInsight"}, "ActionNotImplemented", None),
    ("NoSuchOperation", {"A": "b"}, "InvalidApi.NotFound", None),
    ("StopLogging", {"Name": "audited-trail"}, None, "Write"),
    ("DeleteTrail", {"Name": "audited-trail"}, None, "Write"),
]


def test_every_call_on_the_api_port(server):
    server.make_bucket("audited-bucket")
    made = []
    for number, (action, parameters, error, rw) in enumerate(API_CALLS):
        answer = server.rpc(action, parameters, signature=("v3", "v1")[number % 2])
        assert answer.json.get("Code") == error, (action, answer)
        made.append((action, parameters, error, rw, answer.json["RequestId"]))
    for action, parameters, error, rw, request_id in made:
        e = by_request(server, request_id, action)
        unknown = error in ("ActionNotImplemented", "InvalidApi.NotFound")
        check_shape(e, "Actiontrail", caller=not unknown)
        assert (e["eventName"], e["apiVersion"], e.get("errorCode")) == (action, VERSION, error)
        assert rw is None or e["eventRW"] == rw, action
        assert e["requestParameters"] == parameters, action
        assert bool(error) == bool(e.get("errorMessage"))
        if "Name" in parameters and rw and action not in ("CreateIngestToken",) and len(parameters["Name"]) > 1:
            assert e["referencedResources"] == {"ACS::ActionTrail::Trail": [parameters["Name"]]}, action
            assert request_id in [x["requestId"] for x in server.lookup([("ResourceName", parameters["Name"]), ("EventName", action)])]
    assert len(server.lookup([("EventAccessKeyId", KEY), ("EventName", "CreateTrail")])) == 3


def test_unknown_operations_tell_who_called(server):
    """An operation that is not there is refused before its caller is known; the claimed key is told, as a claim."""
    answer = server.rpc("NoSuchOperationAgain")
    e = by_request(server, answer.json["RequestId"], "NoSuchOperationAgain")
    assert e["userIdentity"].get("accessKeyId") == KEY


@pytest.mark.parametrize("signature", ["v3", "v1"])
def test_refused_callers_are_recorded(server, signature):
    for options, code, claimed in (
        (dict(secret="wrong-secret-of-audit"), "SignatureDoesNotMatch", KEY), (dict(key="LTAI5tStranger000001"), "InvalidAccessKeyId.NotFound", "LTAI5tStranger000001"),
        (dict(nonce="audit-nonce-" + signature), None, KEY), (dict(nonce="audit-nonce-" + signature), "SignatureNonceUsed", KEY),
    ):
        answer = server.rpc("DeleteTrail" if code else "DescribeTrails", {"Name": "not-mine-trail"}, signature=signature, **options)
        assert answer.json.get("Code") == code
        e = by_request(server, answer.json["RequestId"], "DeleteTrail" if code else "DescribeTrails")
        assert e.get("errorCode") == code and e["userIdentity"]["accessKeyId"] == claimed
        assert e["requestParameters"] == {"Name": "not-mine-trail"} and e["sourceIpAddress"] == "127.0.0.1"
        if code:
            assert e["userIdentity"]["type"] == "anonymous", "nobody has proved to be that key"
            assert "string to sign" not in json.dumps(e), "what was signed is for the sender's eyes"
    answer = server.get("/?Action=DeleteTrail&Version=" + VERSION + "&Name=by-nobody")
    e = by_request(server, answer.json["RequestId"], "DeleteTrail")
    assert e["userIdentity"] == {"type": "anonymous"} and e["errorCode"] == answer.code


def test_puts_are_recorded(server):
    token = server.call("CreateIngestToken", {"Name": "audited put"})
    puts = [
        (server.put([event(1), event(2)]), {"Accepted": "2", "Duplicates": "0", "Rejected": "0"}, None),
        (server.put(ndjson([event(3)]) + b"bad\n", token=token["IngestToken"]), {"Accepted": "1", "Duplicates": "0", "Rejected": "1"}, None),
        (server.put(b"bad\n"), {"Accepted": "0", "Duplicates": "0", "Rejected": "1"}, "InvalidEvents"),
        (server.put([event(4)], secret="wrong"), None, "SignatureDoesNotMatch"),
        (server.put([event(5)], token="not-a-token"), None, None),
        (server.put([event(6)], headers={"Content-Encoding": "br"}), None, "UnsupportedContentEncoding"),
        (server.put(b"", token=token["IngestToken"]), None, "MissingBody"),
    ]
    for answer, parameters, code in puts:
        e = by_request(server, answer.json["RequestId"], "PutEvents")
        assert e["eventRW"] == "Write" and e["sourceIpAddress"] == "127.0.0.1" and e["serviceName"] == "Actiontrail"
        assert e.get("errorCode") == (code or answer.json.get("Code"))
        if parameters:
            assert e["requestParameters"] == parameters
    by_token = by_request(server, puts[1][0].json["RequestId"], "PutEvents")
    assert token["TokenId"] in json.dumps(by_token["userIdentity"]), "which token it was"


def test_every_call_on_the_oss_port(server):
    bucket = server.make_bucket("audited-objects")
    bucket.put_object("dir/object one", b"x")
    bucket.get_object("dir/object one").read()
    bucket.head_object("dir/object one")
    bucket.get_object_meta("dir/object one")
    bucket.list_objects()
    bucket.list_objects_v2(prefix="dir/")
    bucket.get_bucket_info()
    bucket.get_bucket_location()
    oss2.Service(oss2.AuthV4(KEY, SECRET), server.oss, region=REGION).list_buckets()
    bucket.delete_object("dir/object one")
    for name, rw, has_object in (
        ("PutBucket", "Write", False), ("PutObject", "Write", True), ("GetObject", "Read", True), ("HeadObject", "Read", True),
        ("GetObjectMeta", "Read", True), ("ListObjects", "Read", False), ("ListObjectsV2", "Read", False), ("GetBucketInfo", "Read", False),
        ("GetBucketLocation", "Read", False), ("DeleteObject", "Write", True),
    ):
        e = recorded(server, name, lambda e: "audited-objects" in json.dumps(e.get("referencedResources", {})))
        check_shape(e, "Oss")
        assert e["eventRW"] == rw and "errorCode" not in e
        assert e["referencedResources"]["ACS::OSS::Bucket"] == ["audited-objects"]
        if has_object:
            assert e["referencedResources"]["ACS::OSS::Object"] == ["audited-objects/dir/object one"]
    check_shape(recorded(server, "ListBuckets"), "Oss")
    assert recorded(server, "ListObjectsV2")["requestParameters"]["prefix"] == "dir/"
    bucket.delete_bucket()
    check_shape(recorded(server, "DeleteBucket"), "Oss")


def test_refused_calls_on_the_oss_port(server):
    bucket = server.make_bucket("audited-refusals")
    wrong = oss2.Bucket(oss2.Auth(KEY, "wrong"), server.oss, "audited-refusals", is_path_style=True)
    stranger = oss2.Bucket(oss2.Auth("LTAI5tStranger000002", "x"), server.oss, "audited-refusals", is_path_style=True)
    for key, attempt in (
        ("missing", bucket.get_object), ("wrong", wrong.get_object), ("stranger", stranger.delete_object),
        ("unbuilt", lambda k: bucket.put_symlink("missing", k)),
    ):
        with pytest.raises(oss2.exceptions.ServerError):
            attempt(key)
    server.session.get(server.oss + "/audited-refusals/anonymous", timeout=10)
    for key, code, claimed in (("missing", "NoSuchKey", KEY), ("wrong", "SignatureDoesNotMatch", KEY), ("stranger", "InvalidAccessKeyId", "LTAI5tStranger000002"),
                               ("unbuilt", "NotImplemented", KEY), ("anonymous", "AccessDenied", None)):
        found = wait_for(lambda: server.lookup([("ResourceName", "audited-refusals/" + key)]), what=key)
        assert len(found) == 1 and found[0]["errorCode"] == code, (key, found)
        assert found[0]["userIdentity"].get("accessKeyId") == claimed and found[0]["sourceIpAddress"] == "127.0.0.1"


def test_calls_on_the_sls_port(server):
    path = "/logstores/" + uuid.uuid4().hex
    answer = server.session.get(server.sls + path, timeout=10)
    e = wait_for(lambda: [e for e in server.lookup([("ServiceName", "Sls")]) if path in json.dumps(e)], what="the sls call")[0]
    assert e["errorCode"] == "MissAccessKeyId" and e["sourceIpAddress"] == "127.0.0.1" and answer.status_code == 400


def test_lookups_are_recorded_once_each(server):
    marker = "LookupMarker" + uuid.uuid4().hex
    for _ in range(5):
        server.rpc("LookupEvents", {"LookupAttribute": [("EventName", marker)]})
    found = wait_for(lambda: (lambda x: len(x) >= 5 and x)(
        [e for e in server.lookup([("EventName", "LookupEvents")], limit=200) if marker in json.dumps(e)]), what="five lookups")
    assert len(found) == 5


def test_public_reads_are_not_recorded(server):
    """Health, metrics and the public log: polling them must not fill the log."""
    time.sleep(0.5)
    size = int(server.get("/log/checkpoint").content.split()[1])
    for path in ("/healthz", "/metrics", "/log/checkpoint", "/log/key", "/log/tile/0/000.p/1"):
        for _ in range(5):
            server.get(path)
    time.sleep(0.3)
    assert int(server.get("/log/checkpoint").content.split()[1]) == size


def test_a_trail_never_feeds_on_itself(make_server):
    server = make_server()
    server.trail("quiet-trail", "quiet-bucket")
    server.record([event(1)])
    time.sleep(2.5)
    first = int(server.get("/log/checkpoint").content.split()[1])
    objects = len(objects_of(server.bucket("quiet-bucket")))
    grown = int(server.get("/log/checkpoint").content.split()[1]) - first
    time.sleep(2.5)
    size = int(server.get("/log/checkpoint").content.split()[1])
    # What this test itself read: one event a call, and their one or two deliveries.
    assert size == first + objects + 1 or size == first + grown + objects + 1, (first, grown, objects, size)
    names = [json.loads(e)["eventName"] for e in delivered(server.bucket("quiet-bucket"))]
    assert "PutObject" not in names


def test_no_secret_in_events_deliveries_logs_or_answers(make_server):
    server = make_server(extra=("--log-level", "trace"))
    server.trail("secrets-trail", "secrets-bucket")
    made = server.call("CreateIngestToken", {"Name": "secret"})
    token = made["IngestToken"]
    secrets = {"token": token, "access key secret": SECRET}
    canary = "CanaryPassw0rdThatNobodyMayRead"
    server.put([event(1)], token=token)
    server.put([event(2)], token=token[:-1] + "#")
    server.put(b"bad line\n", token=token)
    for signature in ("v3", "v1"):
        for action in ("DescribeTrails", "NoSuchThing", "CreateAccessKey", "CreateLoginProfile"):
            server.rpc(action, {"Password": canary, "NewPassword": canary, "SecurityToken": canary, "AccessKeySecret": canary, "Plaintext": canary,
                                "KeyMaterial": canary, "Name": "plain-to-see"}, signature=signature,
                       version="2015-05-01" if "e" in action[1:3] else VERSION)
        server.rpc("DescribeTrails", signature=signature, secret="wrong", form=signature == "v1")
    headers = acs3("POST", server.api_host, "/", "", b"", "DescribeTrails", secret="wrong", extra={"x-acs-security-token": canary})
    secrets["signature"] = headers["Authorization"].split("Signature=")[1]
    server.session.post(server.api + "/", headers=headers, timeout=10)
    good = acs3("POST", server.api_host, "/", "", b"", "DescribeTrails")
    secrets["good signature"] = good["Authorization"].split("Signature=")[1]
    assert server.session.post(server.api + "/", headers=good, timeout=10).status_code == 200
    bucket = server.bucket("secrets-bucket")
    url = bucket.sign_url("GET", "nothing", 60)
    secrets["presigned signature"] = url.split("Signature=")[1].split("&")[0]
    server.session.get(url, timeout=10)
    server.session.get(url + "&security-token=" + canary, timeout=10)
    v4 = oss2.Bucket(oss2.AuthV4(KEY, SECRET), server.oss, "secrets-bucket", is_path_style=True, region=REGION)
    url4 = v4.sign_url("GET", "nothing", 60)
    secrets["presigned v4 signature"] = url4.split("x-oss-signature=")[1].split("&")[0]
    server.session.get(url4, timeout=10)
    server.session.get(server.oss + "/secrets-bucket/x", headers={"Authorization": f"OSS {KEY}:{canary}"}, timeout=10)
    server.session.get(server.sls + "/logstores?password=" + canary, headers={"Authorization": f"LOG {KEY}:{canary}"}, timeout=10)
    time.sleep(0.5)
    server.settle("secrets-trail")
    events = server.rpc("LookupEvents", {"MaxResults": 50}).content + json.dumps(server.lookup()).encode()
    assert b"plain-to-see" in events, "parameters that are no secret are told"
    places = {
        "events": events,
        "deliveries": b"".join(delivered(server.bucket("secrets-bucket"))),
        "log": server.log().encode(), "metrics": server.get("/metrics").content,
        "tokens": server.rpc("ListIngestTokens").content,
        "quarantine": json.dumps(server.call("ListQuarantinedRecords")).encode(),
    }
    assert len(server.lookup()) > 20 and len(places["deliveries"]) > 1000 and places["log"]
    secrets["canary"] = canary
    secrets["token's secret part"] = token.split("_", 3)[3]  # base64url may hold underscores
    found = [(what, where) for where, text in places.items() for what, secret in secrets.items() if secret.encode() in text]
    assert not found, found
    # And on disk: nothing of the data folder holds an event's or a secret's bytes in the clear.
    on_disk = {path: path.read_bytes() for path in server.data.rglob("*") if path.is_file()}
    for path, content in on_disk.items():
        for what, secret in dict(secrets, event="made-up/1.0").items():
            assert secret.encode() not in content, f"{what} in {path.name}"
