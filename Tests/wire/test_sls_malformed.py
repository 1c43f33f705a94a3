# Requests to the sls port that are wrong in one way each, and what is refused of those that are right.
# SPDX-License-Identifier: Apache-2.0
import email.utils
import json
import random
import socket
import time
import urllib.parse
import zlib

import lz4.block
import pytest
import zstandard

import logs
from logs import client, count, raw_group, raw_log, refusal, send, store
from protobuf import field, varint
from support import KEY, SECRET, wait_for

PROJECT, STORE = "malformed-project", "malformed-store"
PUT = f"/logstores/{STORE}/shards/lb"
PROTOBUF = {"Content-Type": "application/x-protobuf"}


@pytest.fixture(autouse=True)
def made(server):
    made = client(server)
    store(made, PROJECT, STORE)
    return made


def put(server, body, target=PUT, **headers):
    return send(server, "POST", target, body, PROJECT, {**PROTOBUF, **{k.replace("_", "-"): v for k, v in headers.items()}})


def test_a_request_by_hand_is_stored(server, made):
    before = count(made, PROJECT, STORE)
    for target in (PUT, f"/logstores/{STORE}", f"/logstores/{STORE}/shards/route?key=" + "14" * 16):
        answer = put(server, raw_group(raw_log()), target)
        assert answer.status == 200 and answer.content == b"", answer
    assert put(server, raw_group()).status == 200, "a group without logs is nothing to store"
    wait_for(lambda: count(made, PROJECT, STORE) == before + 3, what="three logs")


NOT_PROTOBUF = {
    "text": b"not protocol buffers", "cut": raw_group(raw_log())[:7], "longer than it is": field(1, raw_log())[:1] + b"\xff\x01x",
    "length of 64 bits": b"\x0a" + b"\xff" * 9 + b"\x01", "endless number": b"\x0a" + b"\x80" * 20, "group": b"\x0b\x0c", "field 0": b"\x02\x00",
    "log is a number": b"\x08\x01", "topic is a number": field(3, 1), "log without time": field(1, field(2, field(1, b"k") + field(2, b"v"))),
    "time of 64 bits": field(1, varint(8) + varint(1 << 40)), "content without value": field(1, field(1, 1) + field(2, field(1, b"k"))),
    "content without key": field(1, field(1, 1) + field(2, field(2, b"v"))), "tag without value": field(6, field(1, b"k")),
    "nanoseconds as varint": field(1, raw_log() + field(4, 5)), "nothing but ones": b"\xff" * 100, "too old": raw_group(raw_log(at=1)),
    "of the future": raw_group(raw_log(at=2**32 - 1)),
}


@pytest.mark.parametrize("what", NOT_PROTOBUF)
def test_a_bad_group_is_refused_whole(server, made, what):
    before = count(made, PROJECT, STORE)
    refusal(put(server, NOT_PROTOBUF[what]), 400, "PostBodyInvalid")
    good_and_bad = raw_group(raw_log()) + NOT_PROTOBUF[what]
    assert put(server, good_and_bad).status == 400
    assert count(made, PROJECT, STORE) == before


@pytest.mark.parametrize("body, code", [
    (raw_group(raw_log(key=b"\xff\xfe")), "InvalidEncoding"), (raw_group(raw_log(value=b"a\xc0\x80")), "InvalidEncoding"),
    (raw_group(raw_log(), topic=b"\xed\xa0\x80"), "InvalidEncoding"), (raw_group(raw_log(key=b"")), "InvalidKey"),
    (raw_group(raw_log(key=b"k" * 129)), "InvalidKey"), (raw_group(raw_log(value=b"v" * (1 << 20))), "PostBodyTooLarge"),
    (raw_group(raw_log() + b"\x25" + (10**9).to_bytes(4, "little")), "InvalidTimestamp"),
])
def test_texts_and_sizes(server, body, code):
    refusal(put(server, body), 400, code)


def test_unknown_fields_are_passed_over(server):
    extra = field(9, b"later") + field(10, 7) + b"\x59" + bytes(8) + b"\x65" + bytes(4)
    assert put(server, raw_group(raw_log() + extra) + extra + field(2, b"category") + field(5, b"machine")).status == 200


def packed(kind, body):
    if kind == "lz4":
        return lz4.block.compress(body, store_size=False)
    return zstandard.compress(body, 1) if kind == "zstd" else zlib.compress(body)


@pytest.mark.parametrize("kind", ["lz4", "zstd", "deflate"])
def test_compressed_bodies(server, kind):
    body = raw_group(*[raw_log(value=b"v" * 100)] * 50)
    small = packed(kind, body)
    right = dict(x_log_compresstype=kind, x_log_bodyrawsize=str(len(body)))
    assert put(server, small, **right).status == 200
    for size in (len(body) - 1, len(body) + 1, 0, len(small)):
        refusal(put(server, small, **{**right, "x_log_bodyrawsize": str(size)}), 400, "PostBodyUncompressError")
    for bad in (small[:-3], small + b"more", body, b"\x00", small[:5] + b"\xff\xff\xff" + small[8:]):
        answer = put(server, bad, **right)
        assert answer.status == 400 and answer.json["errorCode"] in ("PostBodyUncompressError", "PostBodyInvalid"), answer
    for size, code in (("-1", "InvalidBodyRawSize"), ("x", "InvalidBodyRawSize"), (str(1 << 62), "PostBodyTooLarge"), ("10485761", "PostBodyTooLarge")):
        refusal(put(server, small, **{**right, "x_log_bodyrawsize": size}), 400, code)


def test_bare_deflate_and_gzip_are_read_as_well(server):
    body = raw_group(raw_log())
    bare = zlib.compressobj(wbits=-15)
    zipped = zlib.compressobj(wbits=31)
    for made in (bare.compress(body) + bare.flush(), zipped.compress(body) + zipped.flush()):
        assert put(server, made, x_log_compresstype="deflate", x_log_bodyrawsize=str(len(body))).status == 200
    refusal(put(server, body, x_log_compresstype="snappy"), 400, "InvalidCompressType")


@pytest.mark.parametrize("kind", ["lz4", "zstd", "deflate"])
def test_a_small_body_that_becomes_huge_is_refused_and_costs_nothing(server, kind):
    bomb = packed(kind, bytes(300 << 20))
    before = server.memory("VmHWM")
    for size in ("10485760", "500", str(300 << 20)):
        answer = put(server, bomb, x_log_compresstype=kind, x_log_bodyrawsize=size)
        assert answer.status == 400 and answer.json["errorCode"] in ("PostBodyUncompressError", "PostBodyTooLarge"), answer
    assert server.memory("VmHWM") - before < 100


def test_a_body_that_is_too_large(server):
    refusal(put(server, bytes(11 << 20)), 400, "PostBodyTooLarge")
    big = raw_group(*[raw_log(value=b"v" * (900 << 10))] * 12)
    refusal(put(server, big), 400, "PostBodyTooLarge")
    assert put(server, raw_group(*[raw_log(value=b"v" * (900 << 10))] * 11)).status == 200


def test_types_of_bodies(server):
    body = raw_group(raw_log())
    refusal(send(server, "POST", PUT, body, PROJECT, {"Content-Type": "application/json"}), 415, "InvalidContentType")
    refusal(send(server, "POST", PUT, body, PROJECT), 400, "MissingContentType")
    refusal(send(server, "POST", f"/logstores/{STORE}/shards/route", body, PROJECT, PROTOBUF), 400, "ParameterInvalid")


# Signatures


def test_another_body_than_the_signed_one(server):
    body = raw_group(raw_log())
    refusal(put(server, body, Content_MD5="0" * 32), 401, "SignatureNotMatch")


@pytest.mark.parametrize("change, status, code", [
    (dict(secret=SECRET + "x"), 401, "SignatureNotMatch"), (dict(key="NoSuchKey"), 401, "Unauthorized"),
    (dict(key="NoSuchKey" * 40), 401, "Unauthorized"),
    (dict(date=lambda: email.utils.formatdate(time.time() - 1000, usegmt=True)), 400, "RequestTimeTooSkewed"),
    (dict(date=lambda: email.utils.formatdate(time.time() + 1000, usegmt=True)), 400, "RequestTimeTooSkewed"),
    (dict(date="yesterday"), 400, "InvalidDateFormat"),
    (dict(headers={"x-acs-security-token": "made-up"}), 401, "Unauthorized"),
    (dict(headers={"x-log-apiversion": "0.4.0"}), 400, "InvalidAPIVersion"),
    (dict(headers={"x-log-signaturemethod": "plain"}), 400, "InvalidSignatureMethod"),
])
def test_a_request_nobody_vouches_for(server, change, status, code):
    # Of the time when the request is sent.
    change = {name: value() if callable(value) else value for name, value in change.items()}
    answer = refusal(send(server, "GET", "/logstores", project=PROJECT, **change), status, code)
    assert SECRET not in answer.content.decode()


def test_headers_that_are_missing(server):
    good = logs.sign("GET", "/logstores", {"x-log-bodyrawsize": "0"})
    for name, code in (
            ("Authorization", "MissAccessKeyId"), ("Date", "MissingDate"), ("x-log-apiversion", "MissingAPIVersion"),
            ("x-log-signaturemethod", "MissingSignatureMethod"), ("x-log-bodyrawsize", "SignatureNotMatch")):
        headers = {k: v for k, v in good.items() if k != name} | {"Host": PROJECT + ".localhost"}
        answer = server.session.get(server.sls + "/logstores", headers=headers, timeout=10)
        assert answer.json()["errorCode"] == code and answer.status_code in (400, 401), (name, answer.text)


@pytest.mark.parametrize("host, status", [
    (PROJECT + ".localhost", 200), (PROJECT + ".localhost:8422", 200), (PROJECT + ".127.0.0.1", 200), (PROJECT.upper() + ".LOCALHOST", 200),
    (PROJECT + ".cn-hangzhou.log.aliyuncs.com", 200), (PROJECT + ".sls.internal", 200), ("nobody.localhost", 404), ("localhost", 400),
    ("127.0.0.1", 400), ("cn-hangzhou.log.aliyuncs.com", 400),
])
def test_the_project_stands_in_the_host(server, host, status):
    headers = logs.sign("GET", "/logstores", {}) | {"Host": host}
    answer = server.session.get(server.sls + "/logstores", headers=headers, timeout=10)
    assert answer.status_code == status, answer.text


def test_a_whole_url_as_target(server):
    name, port = server.sls_host.split(":")

    def ask(target, host):
        headers = logs.sign("GET", "/logstores?offset=0&size=1", {}) | {"Host": host, "Connection": "close"}
        head = f"GET {target} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers.items()) + "\r\n"
        with socket.create_connection((name, int(port)), timeout=10) as connection:
            connection.sendall(head.encode())
            return connection.makefile("rb").read()

    for target in (f"http://{PROJECT}.sls.internal:80/logstores?offset=0&size=1", f"HTTP://{PROJECT}.sls.internal/logstores?offset=0&size=1"):
        answer = ask(target, PROJECT + ".sls.internal")
        assert answer.startswith(b"HTTP/1.1 200") and STORE.encode() in answer, answer


# Paths and parameters


@pytest.mark.parametrize("method, target, status, code", [
    ("PATCH", "/", 405, "InvalidMethod"), ("GET", "/nothing", 405, "InvalidMethod"), ("POST", "/logs", 405, "InvalidMethod"),
    ("GET", f"/logstores/{STORE}/nothing", 405, "InvalidMethod"), ("GET", f"/logstores/{STORE}/shards/0", 405, "InvalidMethod"),
    ("GET", f"/logstores/{STORE}?type=nothing", 400, "ParameterInvalid"), ("GET", f"/logstores/{STORE}/shards/x?type=log", 400, "ParameterInvalid"),
    ("GET", f"/logstores/{STORE}/shards/9?type=cursor&from=begin", 400, "ShardNotExist"),
    ("GET", f"/logstores/{STORE}/shards/0?type=cursor", 400, "ParameterInvalid"),
    ("GET", f"/logstores/{STORE}/shards/0?type=cursor&from=soon", 400, "ParameterInvalid"),
    ("GET", f"/logstores/{STORE}/shards/0?type=log&cursor=MA%3D%3D&count=0", 400, "ParameterInvalid"),
    ("GET", f"/logstores/{STORE}?type=log", 400, "ParameterInvalid"), ("GET", f"/logstores/{STORE}?type=log&from=1", 400, "ParameterInvalid"),
    ("GET", f"/logstores/{STORE}?type=log&from=2&to=2", 400, "InvalidTimeRange"), ("GET", f"/logstores/{STORE}?type=log&from=3&to=2", 400, "InvalidTimeRange"),
    ("GET", f"/logstores/{STORE}?type=log&from=1700000000000&to=1700000001000", 400, "ParameterInvalid"),
    ("GET", f"/logstores/{STORE}?type=log&from=1&to=2&line=-1", 400, "InvalidLine"),
    ("GET", f"/logstores/{STORE}?type=log&from=1&to=2&offset=x", 400, "InvalidOffset"),
    ("GET", f"/logstores/{STORE}?type=log&from=1&to=2&reverse=perhaps", 400, "InvalidReverse"),
    ("GET", f"/logstores/{STORE}?type=histogram&from=9&to=1", 400, "InvalidTimeRange"),
    ("GET", f"/logstores/{STORE}?type=context_log&pack_id=a&pack_meta=b&back_lines=0&forward_lines=0", 400, "InvalidParameter"),
    ("GET", f"/logstores/{STORE}?type=context_log&pack_id=a&pack_meta=b&back_lines=101", 400, "InvalidParameter"),
    ("GET", f"/logstores/{STORE}?type=context_log&back_lines=1", 400, "InvalidParameter"),
    ("GET", f"/logstores/{STORE}?type=topic&token=%21", 400, "ParameterInvalid"), ("GET", "/logstores?offset=-1", 400, "ParameterInvalid"),
    ("GET", "/asyncsql/1", 400, "NotSupported"), ("DELETE", f"/logstores/{STORE}/deletelogtasks", 403, "NotSupported"),
    ("GET", "/dashboards/nowhere", 404, "DashboardNotExist"),
])
def test_paths_and_parameters(server, method, target, status, code):
    refusal(send(server, method, target, project=PROJECT), status, code)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"nul", b'"x"', b"{}", b'{"logstoreName": {}}', b'{"logstoreName": ""}', b"[" * 100_000, b'{"a":' * 5000])
def test_bodies_that_are_no_logstore(server, body):
    answer = send(server, "POST", "/logstores", body, PROJECT, {"Content-Type": "application/json"})
    assert answer.status == 400 and answer.json["errorCode"] in ("ParameterInvalid", "LogStoreInfoInvalid"), answer


@pytest.mark.parametrize("changes", [
    {"ttl": 0}, {"ttl": 4000}, {"ttl": "x"}, {"ttl": 1.5}, {"shardCount": 0}, {"shardCount": 10**6}, {"mode": "other"}, {"hot_ttl": 1},
    {"maxSplitShard": 1000}, {"autoSplit": "perhaps"}, {"encrypt_conf": []}, {"encrypt_conf": {"enable": True, "encrypt_type": "rot13"}},
    {"encrypt_conf": {"enable": True, "user_cmk_info": {}}},
    {"encrypt_conf": {"enable": True, "user_cmk_info": {"cmk_key_id": "no-such-key", "region_id": "elsewhere"}}},
])
def test_logstores_that_cannot_be(server, changes):
    body = json.dumps({"logstoreName": "cannot-be", "ttl": 30, "shardCount": 2, **changes}).encode()
    refusal(send(server, "POST", "/logstores", body, PROJECT, {"Content-Type": "application/json"}), 400, "ParameterInvalid")


@pytest.mark.parametrize("method, target, body", [
    ("POST", "deletelogs", {"from": 1, "to": 2, "query": "*"}), ("POST", "updatelogs", {"from": 1, "to": 2, "data": "{}"}),
    ("POST", "deletelogtasks", {"from": 1, "to": 2, "query": "*", "type": "logs"}), ("PUT", "modification", {"enabled": True}),
])
def test_logs_are_not_changed(server, method, target, body):
    answer = send(server, method, f"/logstores/{STORE}/{target}", json.dumps(body).encode(), PROJECT)
    refusal(answer, 403, "NotSupported")
    made = json.dumps({"logstoreName": "changeable", "ttl": 1, "shardCount": 1, "enableModify": True}).encode()
    refusal(send(server, "POST", "/logstores", made, PROJECT), 403, "NotSupported")


@pytest.mark.parametrize("encoding", ["lz4", "zstd", "gzip, deflate", "identity", "zstd;q=0.5, lz4"])
def test_answers_are_compressed_as_asked(server, encoding):
    put(server, raw_group(raw_log()))
    now = int(time.time())
    body = json.dumps({"from": now - 600, "to": now + 600, "query": "*"}).encode()
    headers = {"Content-Type": "application/json", "Accept-Encoding": encoding}
    answer = send(server, "POST", f"/logstores/{STORE}/logs", body, PROJECT, headers)
    assert answer.status == 200, answer
    kind = answer.headers.get("x-log-compresstype")
    assert kind == {"lz4": "lz4", "zstd": "zstd", "zstd;q=0.5, lz4": "zstd"}.get(encoding)
    assert ("x-log-bodyrawsize" in answer.headers) == (kind is not None)
    content = answer.content
    if kind:
        size = int(answer.headers["x-log-bodyrawsize"])
        content = lz4.block.decompress(content, size) if kind == "lz4" else zstandard.decompress(content, size)
        assert len(content) == size
    told = json.loads(content)
    assert told["meta"]["progress"] == "Complete" and told["meta"]["count"] == len(told["data"]) > 0
    assert all(isinstance(value, str) for row in told["data"] for value in row.values())


def test_calls_are_events_without_secrets(server, made):
    marker = f"seen{int(time.time())}"
    now = int(time.time())
    body = json.dumps({"from": now - 60, "to": now, "query": marker}).encode()
    send(server, "POST", f"/logstores/{STORE}/logs", body, PROJECT, {"Content-Type": "application/json"})
    made.create_logstore(PROJECT, marker, ttl=1, shard_count=1)
    send(server, "DELETE", f"/logstores/{marker}", project=PROJECT, secret="wrong")

    def events(name):
        return [e for e in server.lookup([("EventName", name)], limit=200) if marker in json.dumps(e)]

    asked = wait_for(lambda: events("GetLogsV2"), what="the event of the question")[0]
    assert asked["serviceName"] == "Sls" and asked["eventRW"] == "Read" and asked["requestParameters"]["query"] == marker
    assert asked["referencedResources"]["ACS::SLS::LogStore"] == [f"{PROJECT}/{STORE}"]
    made_it = wait_for(lambda: events("CreateLogStore"), what="the event of the logstore")[0]
    assert made_it["eventRW"] == "Write" and "errorCode" not in made_it and made_it["userIdentity"]["accessKeyId"] == KEY
    tried = wait_for(lambda: events("DeleteLogStore"), what="the event of the refusal")[0]
    assert tried["errorCode"] == "SignatureNotMatch" and tried["userIdentity"] == {"type": "anonymous", "accessKeyId": KEY}


SEGMENTS = ["logstores", STORE, "nowhere", "logs", "index", "shards", "0", "1", "99", "-1", "lb", "route", "consumergroups", "g", "dashboards",
            "savedsearches", "asyncsql", "encryption", "meteringmode", "deletelogs", "%2F", "%00", "中", "a" * 300, ""]
NAMES = ["type", "from", "to", "query", "line", "offset", "reverse", "topic", "cursor", "end_cursor", "count", "key", "action", "size", "token",
         "pack_id", "pack_meta", "back_lines", "forward_lines", "interval", "consumer", "shard", "forceSuccess", "logstoreName", "projectName",
         "ttl", "shardCount", "autoSplit", "maxSplitShard", "encrypt_conf", "timeout", "order", "consumerGroup", "dashboardName", "checkpoint"]
VALUES = ["", "x", "0", "1", "-1", "100", "1700000000", "4294967295", "4294967296", "9223372036854775807", "9223372036854775808", "1e9", "NaN", "True",
          "false", "null", "begin", "end", "MA==", "LTE=", "log", "logs", "histogram", "context_log", "topic", "cursor", "cursor_time", "split", "merge",
          "heartbeat", "checkpoint", "*", "a | select 1", "((((", "\"", "key:#\"", "* | select", "'; --", "\x00", "é" * 100, "a" * 4000]


def test_nothing_that_is_signed_kills_the_server_or_is_a_500(server):
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    choose = random.Random(seed)
    statuses = {}
    for number in range(1500):
        method = choose.choice(["GET", "GET", "POST", "POST", "PUT", "DELETE"])
        known = ["logstores", STORE] if choose.random() < 0.6 else []
        path = "/" + "/".join(urllib.parse.quote(part, safe="%.") for part in known + choose.sample(SEGMENTS, choose.randrange(4)))
        if method == "DELETE" and path.count("/") < 3:
            continue  # what the other tests use stays
        query = urllib.parse.urlencode([(choose.choice(NAMES), choose.choice(VALUES)) for _ in range(choose.randrange(8))])
        kind = choose.randrange(4)
        body = [
            lambda: b"", lambda: json.dumps({choose.choice(NAMES): choose.choice([choose.choice(VALUES), 1, -5, 1.5, True, None, [], {"a": {}}, 1e300])
                                             for _ in range(choose.randrange(6))}).encode(),
            lambda: choose.randbytes(choose.randrange(200)),
            lambda: raw_group(*[raw_log(value=choose.randbytes(choose.randrange(20)))] * choose.randrange(4))][kind]()
        headers = {"Content-Type": choose.choice(["application/json", "application/x-protobuf", "text/plain"]),
                   "x-log-compresstype": choose.choice(["lz4", "zstd", "deflate", ""]), "x-log-bodyrawsize": choose.choice(["0", "10", str(len(body))])}
        if choose.random() < 0.5:
            del headers["x-log-compresstype"]
        answer = send(server, method, path + ("?" + query if query else ""), body, choose.choice([PROJECT, PROJECT, "nobody", None]), headers)
        statuses[answer.status] = statuses.get(answer.status, 0) + 1
        assert answer.status != 500 and answer.headers["x-log-requestid"], (seed, number, method, path, query, body[:200], answer)
        assert answer.status == 200 or set(answer.json) >= {"errorCode", "errorMessage"}, (seed, number, answer)
    print(dict(sorted(statuses.items())))
    assert statuses.get(200, 0) > 20 and statuses.get(401, 0) == 0, statuses
