# Putting events: every form and coding, bad lines and the quarantine, duplicates and conflicts, tokens, signatures, limits.
# SPDX-License-Identifier: Apache-2.0
import base64
import gzip
import json
import socket
import threading
import time
import uuid
import zlib

import pytest
import zstandard

import support
from support import ACCOUNT, REGION, VERSION, acs3, ago, ahead, compact, event, iso, ndjson, now, query_of, v1

MIB = 1 << 20


def found(server, event_id):
    events = server.lookup([("EventId", event_id)])
    assert len(events) == 1, (event_id, events)
    return events[0]


@pytest.fixture(scope="module")
def token(module_server):
    return module_server.call("CreateIngestToken", {"Name": "module"})["IngestToken"]


# Forms


def test_ndjson_with_blank_lines_and_windows_ends(server):
    events = [event(i, eventId=f"ndjson-{i}") for i in range(5)]
    body = b"\r\n".join(compact(e) for e in events[:3]) + b"\n\n  \n" + b"\n".join(compact(e) for e in events[3:])
    answer = server.put(body)
    assert (answer.status, answer.json["Accepted"]) == (200, 5), answer
    assert answer.json["LastSequence"] - answer.json["FirstSequence"] == 4
    assert answer.json["TreeSize"] > answer.json["LastSequence"]
    for e in events:
        assert found(server, e["eventId"]) == e


@pytest.mark.parametrize("form", ["array", "pretty", "one", "bom"])
def test_other_forms(server, form):
    events = [event(i, eventId=f"form-{form}-{i}") for i in range(1 if form == "one" else 3)]
    body = {
        "array": lambda: compact(events), "pretty": lambda: json.dumps(events, indent=4).encode(),
        "one": lambda: json.dumps(events[0], indent=2).encode(), "bom": lambda: b"\xef\xbb\xbf" + ndjson(events)}[form]()
    answer = server.put(body)
    assert (answer.status, answer.json["Accepted"], answer.json["Rejected"]) == (200, len(events), []), answer
    for e in events:
        assert found(server, e["eventId"]) == e


def cloudtrail(name):
    return {
        "eventVersion": "1.08", "eventID": name, "eventTime": iso(now()), "eventSource": "madeup.amazonaws.com",
        "eventName": "DeleteThing", "awsRegion": "us-west-2", "sourceIPAddress": "198.51.100.23", "userAgent": "made-up",
        "readOnly": False, "eventType": "AwsApiCall", "recipientAccountId": "111122223333", "errorCode": "AccessDenied",
        "requestParameters": {"thing": "t-1"}, "resources": [{"type": "AWS::Made::Up", "ARN": "arn:aws:madeup:::t-1"}],
        "userIdentity": {"type": "IAMUser", "principalId": "AIDAMADEUP", "accountId": "111122223333",
                         "accessKeyId": "AKIAMADEUPMADEUP", "userName": "petra"}}


def test_cloudtrail_records(server):
    records = [cloudtrail(f"cloudtrail-{i}") for i in range(3)]
    answer = server.put(json.dumps({"Records": records}, indent=1).encode())
    assert (answer.status, answer.json["Accepted"]) == (200, 3), answer
    for record in records:
        e = found(server, record["eventID"])
        assert e["additionalEventData"]["sourceRecord"] == record
        assert (e["eventName"], e["eventRW"], e["acsRegion"]) == ("DeleteThing", "Write", "us-west-2")
        assert (e["sourceIpAddress"], e["errorCode"]) == ("198.51.100.23", "AccessDenied")
        assert e["userIdentity"]["userName"] == "petra" and e["userIdentity"]["accessKeyId"] == "AKIAMADEUPMADEUP"
    for attribute in (("User", "petra"), ("EventAccessKeyId", "AKIAMADEUPMADEUP"), ("ResourceName", "arn:aws:madeup:::t-1")):
        assert {r["eventID"] for r in records} <= set(server.ids([attribute])), attribute
    again = server.put(ndjson(records), query="format=cloudtrail")
    assert (again.json["Accepted"], again.json["Duplicates"]) == (0, 3), "the same records in another form are duplicates"


def kubernetes(name, stage="ResponseComplete"):
    return {
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": name, "stage": stage,
        "requestURI": "/api/v1/namespaces/made-up/secrets/door", "verb": "delete",
        "user": {"username": "rosa", "groups": ["system:authenticated"]}, "sourceIPs": ["203.0.113.9"], "userAgent": "kubectl/made-up",
        "objectRef": {"resource": "secrets", "namespace": "made-up", "name": "door", "apiVersion": "v1"},
        "responseStatus": {"metadata": {}, "code": 403, "reason": "Forbidden"},
        "requestReceivedTimestamp": "2026-01-02T03:04:05.123456Z",
        "stageTimestamp": now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")}


def test_kubernetes_webhook(server, token):
    """What an API server's audit webhook sends, with a bearer token, to its own path."""
    items = [kubernetes("k8s-1"), kubernetes("k8s-1", stage="RequestReceived"), kubernetes("k8s-2")]
    body = {"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "metadata": {}, "items": items}
    answer = server.put(json.dumps(body).encode(), token=token, path="/v1/sources/kubernetes", query="timeout=30s")
    assert (answer.status, answer.json["Accepted"]) == (200, 3), answer
    e = found(server, "k8s-2")
    assert e["additionalEventData"]["sourceRecord"] == items[2]
    assert (e["eventName"], e["eventRW"], e["sourceIpAddress"], e["userIdentity"]["userName"]) == ("delete", "Write", "203.0.113.9", "rosa")
    assert e["errorCode"]
    assert "k8s-2" in server.ids([("ResourceName", "door"), ("User", "rosa")])
    again = server.put(json.dumps(body).encode(), token=token, path="/v1/sources/kubernetes")
    assert (again.json["Accepted"], again.json["Duplicates"]) == (0, 3)
    single = server.put(ndjson([kubernetes("k8s-3")]), token=token)
    assert single.json["Accepted"] == 1, "recognised by itself at /v1/events too"
    wrong = server.put(ndjson([event(1)]), token=token, path="/v1/sources/kubernetes")
    assert (wrong.status, wrong.json["Rejected"][0]["Code"]) == (400, "NotKubernetesAudit")


def test_cloudevents(server):
    record = {"specversion": "1.0", "id": "cloudevent-1", "source": "https://forge.example.com/made/up", "type": "com.example.push",
              "time": iso(now()), "subject": "main", "datacontenttype": "application/json", "data": {"by": "tilda", "n": 1}}
    answer = server.put(compact(record))
    assert (answer.status, answer.json["Accepted"]) == (200, 1), answer
    e = found(server, "cloudevent-1")
    assert e["additionalEventData"]["sourceRecord"] == record and e["eventName"] == "com.example.push"
    assert "cloudevent-1" in server.ids([("ResourceName", "main")])
    batch = server.put(compact([dict(record, id=f"cloudevent-b{i}") for i in range(2)]), query="format=cloudevents",
                       headers={"Content-Type": "application/cloudevents-batch+json"})
    assert batch.json["Accepted"] == 2
    for missing, code in (("id", "MissingId"), ("source", "MissingSource"), ("type", "MissingType")):
        bad = server.put(compact({k: v for k, v in record.items() if k != missing}))
        assert (bad.status, bad.json["Rejected"][0]["Code"]) == (400, code)


def test_formats_by_name(server):
    assert server.put(ndjson([event(1)]), query="format=actiontrail").json["Accepted"] == 1
    answer = server.put(ndjson([event(1)]), query="format=syslog")
    assert (answer.status, answer.code) == (400, "InvalidFormat")
    answer = server.put(ndjson([{"hello": "world"}]))
    assert answer.json["Rejected"][0]["Code"] == "UnrecognizedFormat"
    answer = server.put(ndjson([event(1)]), query="format=kubernetes")
    assert answer.json["Rejected"][0]["Code"] == "NotKubernetesAudit"


@pytest.mark.parametrize("coding", ["gzip", "zstd", "x-gzip", "identity", "gzip members", "zstd frames", "GZIP"])
def test_codings(server, token, coding):
    events = [event(i, eventId=f"coded-{coding}-{i}") for i in range(20)]
    half = ndjson(events[:10]), ndjson(events[10:])
    body = {
        "gzip": lambda: gzip.compress(b"".join(half)), "x-gzip": lambda: gzip.compress(b"".join(half)),
        "GZIP": lambda: gzip.compress(b"".join(half)),
        "zstd": lambda: zstandard.compress(b"".join(half)), "identity": lambda: b"".join(half),
        "gzip members": lambda: gzip.compress(half[0]) + gzip.compress(half[1]),
        "zstd frames": lambda: zstandard.compress(half[0]) + zstandard.compress(half[1])}[coding]()
    for options in ({}, {"token": token}):
        answer = server.put(body, headers={"Content-Encoding": coding.split()[0]}, **options)
        assert answer.status == 200 and answer.json["Accepted"] + answer.json["Duplicates"] == 20, answer
    assert found(server, f"coded-{coding}-19") == events[19]


def test_what_is_missing_is_filled_in(server):
    answer = server.put(compact({"eventName": "Bare", "eventId": "bare", "unknownField": {"kept": [1.50, None]}}))
    assert answer.json["Accepted"] == 1
    e = found(server, "bare")
    assert e["recipientAccountId"] == ACCOUNT and e["acsRegion"] == REGION and e["unknownField"] == {"kept": [1.5, None]}
    assert abs(time.time() - support.datetime.datetime.strptime(e["eventTime"], "%Y-%m-%dT%H:%M:%S%z").timestamp()) < 60


# Bad lines


def test_bad_lines_are_named_and_kept_in_quarantine(server):
    good = [event(i, eventId=f"good-{i}") for i in range(3)]
    lines = [
        compact(good[0]), b"{not json", b"[1,2]", b"42", compact(event(1, eventName="")), compact(event(2, eventTime="noon")),
        compact(good[1]), compact(event(3, eventId=17)), b'{"eventName":"A","eventName":"B","eventId":"twice"}',
        b'{"eventName":"\xff\xfe","eventId":"not-utf8"}', compact(good[2]), b'{"eventName":"x","a":1} trailing', b'"text"']
    answer = server.put(b"\n".join(lines))
    assert answer.status == 200 and answer.json["Accepted"] == 3, answer
    rejected = {r["Line"]: r["Code"] for r in answer.json["Rejected"]}
    assert set(rejected) == {2, 3, 4, 5, 6, 8, 9, 10, 12, 13}, answer.json["Rejected"]
    assert rejected[2] == "InvalidJSON" and rejected[4] == "NotAnObject" and rejected[5] == "MissingEventName"
    assert rejected[6] == "InvalidEventTime" and rejected[8] == "InvalidEventId" and rejected[9] == "DuplicateKey"
    assert all(r["Message"] for r in answer.json["Rejected"])
    kept = [r for r in server.call("ListQuarantinedRecords", {"MaxResults": 100})["Records"] if r["RequestId"] == answer.json["RequestId"]]
    assert {r["Line"]: r["Code"] for r in kept} == rejected
    for record in kept:
        assert record["SourceIpAddress"] == "127.0.0.1" and record["ReceivedTime"]
        assert base64.b64decode(record["Record"]).strip() == lines[record["Line"] - 1], record["Line"]


def test_a_batch_of_nothing_but_bad_lines_is_400_with_the_same_shape(server):
    answer = server.put(b"bad\nworse\n")
    body = answer.json
    assert answer.status == 400 and (body["Accepted"], body["Duplicates"]) == (0, 0)
    assert [r["Line"] for r in body["Rejected"]] == [1, 2] and body["RequestId"]
    for empty in (b"", b"\n\n", b"   ", b"[]", b'{"Records":[]}'):
        answer = server.put(empty)
        assert (answer.status, answer.code) == (400, "MissingBody"), (empty, answer)


def test_bad_elements_of_an_array_are_named_by_their_number(server):
    answer = server.put(compact([event(1), {"nothing": 1}, event(2), 7]))
    assert answer.json["Accepted"] == 2 and [r["Line"] for r in answer.json["Rejected"]] == [2, 4], answer
    answer = server.put(compact([event(1), event(2)])[:-30])
    assert answer.json["Accepted"] == 1 and len(answer.json["Rejected"]) == 1, "what is whole is kept"


def test_the_quarantine_is_paged_and_newest_first(make_server):
    server = make_server()
    for batch in range(4):
        assert server.put(b"\n".join(b"bad %d-%d" % (batch, i) for i in range(30))).status == 400
    walked, sizes, token = [], [], None
    while True:
        page = server.call("ListQuarantinedRecords", {"MaxResults": 17, "NextToken": token})
        sizes.append(len(page["Records"]))
        walked += [base64.b64decode(r["Record"]).decode() for r in page["Records"]]
        token = page.get("NextToken")
        if not token:
            break
    assert len(walked) == 120 and len(set(walked)) == 120
    assert max(sizes) <= 17, f"MaxResults 17, but pages of {sizes}"
    assert [w.split("-")[0] for w in walked] == [f"bad {b}" for b in (3, 2, 1, 0) for _ in range(30)]
    server.kill()
    server.start()
    assert len(server.call("ListQuarantinedRecords", {"MaxResults": 1000})["Records"]) == 120
    done = server.cairn("quarantine", "--output", "json", check=0)
    assert len(json.loads(done.stdout)) == 100


def test_deep_and_wide_nesting(server):
    deep = b'{"eventName":"Deep","eventId":"deep","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    answer = server.put(deep + b"\n" + compact(event(1, eventId="after-deep")))
    assert answer.json["Accepted"] == 1 and answer.json["Rejected"][0]["Code"] == "NestingTooDeep", answer
    assert found(server, "after-deep")
    wide = event(2, eventId="wide", extra={f"k{i}": i for i in range(20_000)})
    assert server.put([wide]).json["Accepted"] == 1 and found(server, "wide") == wide


# Retries


def test_duplicates(server):
    events = [event(i, eventId=f"again-{i}") for i in range(50)]
    first = server.record(events)
    assert (first["Accepted"], first["Duplicates"]) == (50, 0)
    again = server.put(events[25:] + [event(99, eventId="again-new")] + events[:25])
    assert (again.status, again.json["Accepted"], again.json["Duplicates"]) == (200, 1, 50)
    only = server.put(events)
    assert (only.status, only.json["Accepted"], only.json["Duplicates"]) == (200, 0, 50) and "FirstSequence" not in only.json
    twice = event(7, eventId="within-one-batch")
    answer = server.put([twice, twice])
    assert (answer.json["Accepted"], answer.json["Duplicates"]) == (1, 1)
    spaced = json.dumps(events[0], indent=3).encode()
    assert server.put(spaced).json["Duplicates"] == 1, "white space is not content"
    assert len(server.ids([("EventId", "again-0")])) == 1


def test_conflicts_are_recorded_marked_and_counted(server):
    real = event(1, eventId="disputed", eventName="Real")
    forged = dict(real, eventName="Forged")
    server.record([real])
    answer = server.put([forged])
    assert (answer.json["Accepted"], answer.json["Conflicts"]) == (1, 1), answer
    body = server.call("LookupEvents", {"LookupAttribute": [("EventId", "disputed")]})
    assert {e["eventName"] for e in body["Events"]} == {"Real", "Forged"}
    assert body["ConflictingEventIds"] == ["disputed"]
    for retried in (real, forged):
        answer = server.put([retried])
        assert (answer.json["Accepted"], answer.json["Duplicates"]) == (0, 1), "either one is known now"
    one, other = event(2, eventId="disputed-2", eventName="One"), event(2, eventId="disputed-2", eventName="Other")
    answer = server.put([one, other])
    assert (answer.json["Accepted"], answer.json["Conflicts"]) == (2, 1), "in one batch too"


def test_retry_without_an_event_id_is_recognised(server):
    bare = {"eventName": "NoId", "serviceName": "Retry", "n": str(uuid.uuid4())}
    first = server.put(compact(bare) + b"\n" + compact(dict(bare, n="other" + bare["n"])))
    assert first.json["Accepted"] == 2
    time.sleep(1.1)  # the eventTime filled in would differ
    again = server.put(compact(bare))
    assert (again.json["Accepted"], again.json["Duplicates"]) == (0, 1)
    assert len(server.ids([("ServiceName", "Retry")])) == 2


def test_concurrent_retries_of_one_batch_record_it_once(server):
    events = [event(i, eventId=f"race-{i}") for i in range(200)]
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(server.put(events).json)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(a["Accepted"] for a in answers) == 200 and sum(a["Duplicates"] for a in answers) == 1000
    ids = [i for i in server.ids([("ServiceName", "Ecs")]) if i.startswith("race-")]
    assert len(ids) == len(set(ids)) == 200


# Tokens and signatures


def test_a_token_can_put_and_nothing_else(server, token):
    assert server.put([event(1)], token=token).status == 200
    bearer = {"Authorization": "Bearer " + token}
    for action in ("LookupEvents", "CountEvents", "DescribeTrails", "CreateIngestToken", "ListIngestTokens", "CreateTrail", "GetEventProof",
                   "ListQuarantinedRecords", "PutEvents", "DescribeRegions", "CreateKey"):
        for method in ("GET", "POST"):
            answer = support.Answer(server.session.request(
                method, f"{server.api}/?Action={action}&Version={VERSION}&Name=x", headers=bearer, timeout=10))
            assert answer.status in (400, 401, 403, 404, 501), (action, answer)
            answer = support.Answer(server.session.request(
                method, server.api + "/", headers={**bearer, "x-acs-action": action, "x-acs-version": VERSION}, timeout=10))
            assert answer.status in (400, 401, 403, 404, 501), (action, answer)
    for method, path in (("GET", "/"), ("PUT", "/token-bucket/"), ("GET", "/token-bucket/k"), ("DELETE", "/token-bucket/")):
        assert server.session.request(method, server.oss + path, headers=bearer, timeout=10).status_code in (400, 403)
    assert server.session.get(server.sls + "/logstores", headers=bearer, timeout=10).status_code >= 400
    assert server.put([event(1)], token=token, path="/v1/sources/kubernetes").status == 400
    assert server.session.get(server.api + "/v1/events", headers=bearer, timeout=10).status_code == 405


def test_wrong_deleted_and_listed_tokens(server):
    made = server.call("CreateIngestToken", {"Name": "short lived", "ExpireInDays": 30})
    secret, token_id = made["IngestToken"], made["TokenId"]
    assert made["ExpireTime"] > iso(now())
    listed = server.rpc("ListIngestTokens").content
    assert token_id.encode() in listed and secret.encode() not in listed, "shown once"
    assert server.put([event(1)], token=secret).status == 200
    for wrong in (secret[:-1] + ("A" if secret[-1] != "A" else "B"), secret[:-4], secret + "x", "", "nonsense", token_id, "é", secret.swapcase()):
        answer = support.Answer(server.session.post(
            server.api + "/v1/events", data=ndjson([event(2)]), headers={"Authorization": ("Bearer " + wrong).encode()}, timeout=10))
        assert answer.status in (401, 403) or (wrong, answer.status) == ("", 400), (wrong, answer)
        assert answer.code and secret not in answer.content.decode(), answer
    server.call("DeleteIngestToken", {"TokenId": token_id})
    answer = server.put([event(3)], token=secret)
    assert answer.status in (401, 403), answer
    assert server.rpc("DeleteIngestToken", {"TokenId": token_id}).code == "IngestTokenNotFound"
    for change in ({"Name": ""}, {"Name": "x" * 65}, {"Name": "x", "ExpireInDays": -1}, {"Name": "x", "ExpireInDays": "soon"}):
        assert server.rpc("CreateIngestToken", change).status == 400


def test_no_credentials(server):
    for headers in ({}, {"Authorization": "Basic dXNlcjpwYXNz"}, {"Authorization": "Bearer"}, {"Authorization": "ACS3-HMAC-SHA256 nothing"},
                    {"Authorization": "ACS3-HMAC-SHA256 Credential=,SignedHeaders=,Signature="}):
        answer = support.Answer(server.session.post(server.api + "/v1/events", data=ndjson([event(1)]), headers=headers, timeout=10))
        assert answer.status in (400, 401, 403) and answer.code and answer.json["RequestId"], (headers, answer)


def test_signed_puts_and_their_refusals(server):
    body = ndjson([event(1)])
    assert server.put(body).status == 200
    assert server.put(body, query="format=auto").status == 200
    refused = lambda answer: (answer.status, answer.code)  # noqa: E731
    assert refused(server.put(body, secret="wrong")) == (400, "SignatureDoesNotMatch")
    assert refused(server.put(body, key="LTAI5tNobody")) == (404, "InvalidAccessKeyId.NotFound")
    assert refused(server.put(body, signed_body=b"other")) == (400, "SignatureDoesNotMatch"), "the body is signed"
    assert refused(server.put(body, date=ago(minutes=20))) == (400, "InvalidTimeStamp.Expired")
    assert refused(server.put(body, date=ahead(minutes=20))) == (400, "InvalidTimeStamp.Expired")
    assert server.put(body, nonce="nonce-of-a-put").status == 200
    assert refused(server.put(body, nonce="nonce-of-a-put")) == (400, "SignatureNonceUsed")
    # A signature for another path, another operation, or another query is not one for this.
    elsewhere = acs3("POST", server.api_host, "/", "", body, "PutEvents")
    assert server.session.post(server.api + "/v1/events", data=body, headers=elsewhere, timeout=10).status_code == 400
    other = acs3("POST", server.api_host, "/v1/events", "", body, "DescribeTrails")
    assert server.session.post(server.api + "/v1/events", data=body, headers=other, timeout=10).status_code >= 400
    plain = acs3("POST", server.api_host, "/v1/events", "", body, "PutEvents")
    assert server.session.post(server.api + "/v1/events?format=auto", data=body, headers=plain, timeout=10).status_code == 400


def test_put_signed_with_version_1(server):
    body = ndjson([event(1, eventId="signed-v1")])
    url = server.api + "/v1/events?" + query_of(v1("POST", {}, "PutEvents"))
    answer = support.Answer(server.session.post(url, data=body, headers={"Content-Type": "application/x-ndjson"}, timeout=10))
    assert (answer.status, answer.json["Accepted"]) == (200, 1), answer
    captured = v1("POST", {}, "DescribeTrails")
    answer = support.Answer(server.session.post(server.api + "/v1/events?" + query_of(captured), data=body, timeout=10))
    assert answer.status >= 400, "a captured signature of another call must not put events"


# Limits


def test_only_post(server, token):
    for method in ("GET", "PUT", "DELETE", "PATCH", "OPTIONS"):
        answer = server.session.request(method, server.api + "/v1/events", headers={"Authorization": "Bearer " + token}, timeout=10)
        assert answer.status_code == 405, method


def test_one_event_is_at_most_4_mib(server, token):
    def sized(count, name):
        base = len(compact(event(1, eventId=name, filler="")))
        return event(1, eventId=name, filler="x" * (count - base))
    fits, large = sized(4 * MIB, "just-fits"), sized(4 * MIB + 1, "too-large")
    assert len(compact(fits)) == 4 * MIB
    answer = server.put(ndjson([event(2, eventId="beside-large"), large, fits]), token=token)
    assert (answer.json["Accepted"], [(r["Line"], r["Code"]) for r in answer.json["Rejected"]]) == (2, [(2, "EventTooLarge")]), answer
    assert found(server, "beside-large")
    assert found(server, "just-fits") == fits


def test_one_request_is_at_most_64_mib(server, token):
    filler = b"x" * 1000
    line = b'{"eventName":"Big","eventId":"big-limit","filler":"' + filler + b'"}\n'
    body = line * (64 * MIB // len(line) + 1)
    answer = server.put(body, token=token)
    assert (answer.status, answer.code) == (413, "RequestBodyTooLarge"), answer
    for coding, packed in (("gzip", gzip.compress(body, 1)), ("zstd", zstandard.compress(body, 1))):
        answer = server.put(packed, token=token, headers={"Content-Encoding": coding})
        assert (answer.status, answer.code) == (413, "RequestBodyTooLarge"), (coding, answer)
    fits = line * (64 * MIB // len(line))
    answer = server.put(gzip.compress(fits, 1), token=token, headers={"Content-Encoding": "gzip"})
    assert answer.status == 200 and answer.json["Accepted"] == 1 and answer.json["Duplicates"] > 60_000, answer


@pytest.mark.parametrize("coding", ["gzip", "zstd", "zstd window"])
def test_decompression_bombs_cost_bounded_memory(make_server, coding):
    server = make_server()
    token = server.call("CreateIngestToken", {"Name": "bomb"})["IngestToken"]
    block = bytes(MIB)
    if coding == "gzip":
        packer = zlib.compressobj(9, wbits=31)
        bomb = b"".join(packer.compress(block) for _ in range(512)) + packer.flush()
    elif coding == "zstd":
        packer = zstandard.ZstdCompressor(level=3).compressobj()
        bomb = b"".join(packer.compress(block) for _ in range(1024)) + packer.flush()
    else:
        parameters = zstandard.ZstdCompressionParameters.from_level(3, window_log=30)
        packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
        bomb = b"".join(packer.compress(block) for _ in range(300)) + packer.flush()
    server.put([event(1)], token=token)
    before = server.memory("VmHWM")
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(server.put(
        bomb, token=token, headers={"Content-Encoding": coding.split()[0]}))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 4
    for answer in answers:
        assert answer.status in (400, 413, 429, 503) and answer.code, answer
        assert answer.status == 413 or coding == "zstd window", answer
    assert server.memory("VmHWM") - before < 600, f"{before} → {server.memory('VmHWM')} MiB at the most"
    assert server.put([event(2)], token=token).status == 200


def test_many_bombs_at_once_cost_bounded_memory(make_server):
    """Each one just below the limit when decoded, 0.4 MB as sent: together they must not take gigabytes."""
    server = make_server()
    token = server.call("CreateIngestToken", {"Name": "bombs"})["IngestToken"]
    body = b"".join(b'{"eventName":"Bomb","eventId":"%d","filler":"%s"}\n' % (i, b"x" * 1000) for i in range(59_000))
    assert 55 * MIB < len(body) < 64 * MIB
    packed = gzip.compress(body, 6)
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(server.put(
        packed, token=token, headers={"Content-Encoding": "gzip"}))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {a.status for a in answers} <= {200, 429, 503} and any(a.status == 200 for a in answers), answers
    peak = server.memory("VmHWM")
    assert peak < 1200, f"16 requests of {len(packed)} bytes took {peak:.0f} MiB"


def test_half_a_million_bad_lines_cost_no_more_than_good_ones(make_server):
    """1 MiB of body, 1 kB as sent; then the quarantine is listed, one record at a time."""
    server = make_server()
    token = server.call("CreateIngestToken", {"Name": "bad"})["IngestToken"]
    answer = server.put(gzip.compress(b"x\n" * (MIB // 2)), token=token, headers={"Content-Encoding": "gzip"})
    assert answer.status in (400, 413), answer
    assert len(answer.content) < 4 * MIB
    listed = server.rpc("ListQuarantinedRecords", {"MaxResults": 1})
    assert listed.status == 200 and len(listed.json["Records"]) == 1, len(listed.content)
    peak = server.memory("VmHWM")
    assert peak < 400, f"1 MiB of bad lines took {peak:.0f} MiB"


def test_broken_codings(server, token):
    good = gzip.compress(ndjson([event(1)]))
    packed = zstandard.compress(ndjson([event(1)]))
    for coding, body in (("gzip", good[:-5]), ("gzip", good[:10]), ("gzip", b"not gzip"), ("gzip", good[:-6] + b"\0" * 6),
                         ("gzip", b""), ("gzip", good + b"garbage behind"), ("zstd", packed[:-3]), ("zstd", b"not zstd"),
                         ("zstd", packed + b"garbage"), ("zstd", good), ("gzip", packed)):
        answer = server.put(body, token=token, headers={"Content-Encoding": coding})
        assert answer.status == 400 and answer.code in ("InvalidContentEncoding", "MissingBody"), (coding, body[:20], answer)


@pytest.mark.parametrize("coding", ["br", "deflate", "gzip, gzip", "compress", "snappy"])
def test_unknown_codings_are_415(server, token, coding):
    answer = server.put(b"anything", token=token, headers={"Content-Encoding": coding})
    assert (answer.status, answer.code) == (415, "UnsupportedContentEncoding")


def test_chunked_uploads(server, token):
    events = [event(i, eventId=f"chunked-{i}") for i in range(100)]
    body = ndjson(events)

    def parts():
        for start in range(0, len(body), 777):
            yield body[start:start + 777]

    answer = support.Answer(server.session.post(
        server.api + "/v1/events", data=parts(), headers={"Authorization": "Bearer " + token}, timeout=30))
    assert (answer.status, answer.json["Accepted"]) == (200, 100), answer

    def endless():
        for _ in range(80):
            yield b"x" * MIB
    try:
        answer = support.Answer(server.session.post(
            server.api + "/v1/events", data=endless(), headers={"Authorization": "Bearer " + token}, timeout=60))
        assert answer.status == 413, answer
    except support.requests.exceptions.ConnectionError:
        pass  # answered and closed while we were still sending
    assert server.get("/healthz").status == 200


def test_bodies_cut_off_are_not_recorded(server, token):
    body = ndjson([event(i, eventId=f"cut-{i}") for i in range(10)])
    head = (f"POST /v1/events HTTP/1.1\r\nHost: {server.api_host}\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode()
    support.raw_request(server.api_host, head + body[:-1], wait=3)
    chunked = (f"POST /v1/events HTTP/1.1\r\nHost: {server.api_host}\r\nAuthorization: Bearer {token}\r\n"
               f"Transfer-Encoding: chunked\r\n\r\n{len(body):x}\r\n").encode() + body + b"\r\n"
    support.raw_request(server.api_host, chunked, wait=3)  # the last chunk never comes
    time.sleep(0.3)
    assert [i for i in server.ids([("ServiceName", "Ecs")], start=ago(minutes=10)) if i.startswith("cut-")] == []
    answer = support.raw_request(server.api_host, head + body, wait=10, half_close=False, read=1)
    assert answer.startswith(b"HTTP/1.1 200")


def test_slow_and_half_open_connections_hold_nobody_up(server, token):
    name, port = server.api_host.split(":")
    held = []
    for number in range(200):
        connection = socket.create_connection((name, int(port)), timeout=10)
        held.append(connection)
        if number % 4 == 1:
            connection.sendall(b"POST /v1/events HT")
        elif number % 4 == 2:
            connection.sendall(f"POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Length: 1000000\r\n\r\n".encode())
        elif number % 4 == 3:
            connection.sendall(f"POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe".encode())
    started = time.time()
    for number in range(20):
        assert server.put([event(number)], token=token).status == 200
    assert time.time() - started < 10
    for connection in held:
        connection.close()
    assert server.put([event(1)], token=token).status == 200


def test_claimed_lengths_that_never_come_do_not_lock_others_out(make_server):
    """Without credentials nobody may take the memory that puts need."""
    server = make_server()
    token = server.call("CreateIngestToken", {"Name": "busy"})["IngestToken"]
    name, port = server.api_host.split(":")
    held = []
    try:
        for _ in range(12):
            connection = socket.create_connection((name, int(port)), timeout=10)
            connection.sendall(b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 67108864\r\n\r\nx")
            held.append(connection)
        time.sleep(0.5)
        assert server.rpc("DescribeRegions", signature="v1", form=True).status == 200
        answer = server.put([event(1)], token=token)
        assert answer.status == 200, f"twelve strangers who claim 64 MiB each lock everyone out: {answer}"
    finally:
        for connection in held:
            connection.close()


def test_too_much_at_once_is_429_or_503_with_retry_after(make_server):
    server = make_server()
    token = server.call("CreateIngestToken", {"Name": "flood"})["IngestToken"]
    line = b'{"eventName":"Flood","filler":"' + b"y" * 4000 + b'","n":%d}\n'
    bodies = [b"".join(line % (k * 100_000 + i) for i in range(15_000)) for k in range(2)]
    answers = []
    threads = [threading.Thread(target=lambda k=k: answers.append(server.put(bodies[k % 2], token=token))) for k in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {a.status for a in answers} <= {200, 429, 503}, answers
    for answer in answers:
        if answer.status != 200:
            assert int(answer.headers["Retry-After"]) >= 1 and answer.code
    assert any(a.status == 200 for a in answers)
    assert sum(a.json.get("Accepted", 0) for a in answers if a.status == 200) <= 30_000
    for body in bodies:  # sending everything again doubles nothing
        answer = server.put(body, token=token)
        assert answer.status == 200 and answer.json["Accepted"] + answer.json["Duplicates"] == 15_000
    assert int(server.get("/log/checkpoint").content.split()[1]) < 30_000 + 200
    assert server.memory("VmHWM") < 2200
