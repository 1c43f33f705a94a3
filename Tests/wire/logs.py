# What the tests of the log service share: names that resolve, clients of the official SDK, signed requests made by hand.
# SPDX-License-Identifier: Apache-2.0
import base64
import email.utils
import hashlib
import hmac
import json
import socket
import time
import urllib.parse

import aliyun.log as sls
import pytest
from aliyun.log.logexception import LogException

import support
from protobuf import field
from support import KEY, SECRET, wait_for

SOURCE = "192.0.2.10"
WORDS = [",", " ", "'", '"', ";", "=", "(", ")", "[", "]", "{", "}", "?", "@", "&", "<", ">", "/", ":", "\n", "\t", "\r"]
_look_up = socket.getaddrinfo


def _resolve(name, *arguments, **options):
    """The SDK puts the project before the address it is given, and no resolver knows such names."""
    if isinstance(name, bytes):
        name = name.decode()
    if isinstance(name, str) and name.endswith(".127.0.0.1"):
        name = "127.0.0.1"
    return _look_up(name, *arguments, **options)


# For good: the servers of whole modules are asked by the SDK before any fixture of one test begins.
socket.getaddrinfo = _resolve


def client(server, key=None, secret=None, **options):
    """Of the server's own key unless another is given."""
    made = sls.LogClient(server.sls_host, key or server.key, secret or server.secret, source=SOURCE, **options)
    made.timeout = 30
    return made


def refused(status, code, call, *arguments, **options):
    with pytest.raises(LogException) as caught:
        call(*arguments, **options)
    error = caught.value
    assert (error.resp_status, error.get_error_code()) == (status, code), error
    assert error.get_request_id(), "a refusal has a request id"
    return error


def index(**keys):
    """Full text over everything, and fields by type: text, long or double."""
    from aliyun.log.index_config import IndexConfig, IndexKeyConfig, IndexLineConfig
    return IndexConfig(
        line_config=IndexLineConfig(WORDS, False, chinese=False),
        key_config_list={
            name: IndexKeyConfig(WORDS if kind == "text" else None, False, kind, True) for name, kind in keys.items()})


def logs(count, begin=None, **fields):
    begin = begin or int(time.time()) - 60
    return [
        sls.LogItem(timestamp=begin + number // 100, time_nano_part=number + 1, contents=[("number", str(number)), *fields.items()])
        for number in range(count)]


def put(made, project, logstore, items, **options):
    return made.put_logs(sls.PutLogsRequest(project, logstore, logitems=items, **{"topic": "t", "source": SOURCE, **options}))


def store(made, project, logstore, shards=2, **keys):
    """A project and a logstore with an index, made unless they are there."""
    for make in (lambda: made.create_project(project, "made by a test"),
                 lambda: made.create_logstore(project, logstore, ttl=30, shard_count=shards),
                 lambda: made.create_index(project, logstore, index(**(keys or {"number": "long"})))):
        try:
            make()
        except LogException as error:
            assert error.get_error_code() in ("ProjectAlreadyExist", "LogStoreAlreadyExist", "IndexAlreadyExist"), error


def make_project(server, project):
    client(server).create_project(project, "made up")


def project_arn(server, project, account=None, region=None):
    return f"acs:log:{region or server.region}:{account or server.account}:project/{project}"


def count(made, project, logstore, query="*"):
    now = int(time.time())
    answer = made.get_histograms(sls.GetHistogramsRequest(project, logstore, now - 8 * 86_400, now + 1000, "", query))
    assert answer.is_completed()
    return answer.get_total_count()


def wait_for_count(made, project, logstore, expected, query="*"):
    wait_for(lambda: count(made, project, logstore, query) == expected, what=f"{expected} logs of {query}")


def rows(server, project, logstore, query="*", days=100):
    """All logs that a search finds: time and fields of each, oldest first."""
    sdk, now, found = client(server), int(time.time()), []
    while True:
        page = sdk.get_log(project, logstore, now - days * 86_400, now + 3600, query=query, offset=len(found), size=100).get_logs()
        found += [(log.timestamp, log.contents) for log in page]
        if len(page) < 100:
            return found


def events(server, project, logstore, **options):
    """The raw events of a trail's logstore."""
    return [fields["event"].encode() for _, fields in rows(server, project, logstore, **options)]


# Requests by hand


def sign(method, target, headers, key=KEY, secret=SECRET, date=None):
    """Adds a version 1 signature to headers, whose Content-MD5 and sizes are the caller's."""
    headers = {"x-log-apiversion": "0.6.0", "x-log-signaturemethod": "hmac-sha1", **headers}
    headers.setdefault("Date", date or email.utils.formatdate(usegmt=True))
    path, _, query = target.partition("?")
    pairs = sorted(urllib.parse.parse_qsl(query, keep_blank_values=True), key=lambda pair: pair[0])
    signed = "".join(
        f"{name.lower()}:{value.strip()}\n" for name, value in sorted(headers.items(), key=lambda item: item[0].lower())
        if name.lower().startswith(("x-log-", "x-acs-")) and name.lower() != "x-log-date")
    resource = urllib.parse.unquote(path) + ("?" + "&".join(f"{n}={v}" for n, v in pairs) if pairs else "")
    text = "\n".join([
        method, headers.get("Content-MD5", ""), headers.get("Content-Type", ""), headers["Date"], signed + resource])
    mac = hmac.digest(secret.encode(), text.encode(), hashlib.sha1)
    return {**headers, "Authorization": f"LOG {key}:{base64.b64encode(mac).decode()}"}


def send(server, method, target, body=b"", project=None, headers=None, **signing):
    """A request as it stands here, signed over whatever is in it."""
    headers = dict(headers or {})
    if body:
        headers.setdefault("Content-MD5", hashlib.md5(body).hexdigest().upper())
        headers.setdefault("x-log-bodyrawsize", str(len(body)))
    headers = sign(method, target, headers, **signing)
    headers["Host"] = f"{project}.127.0.0.1" if project else "127.0.0.1"
    return support.Answer(server.session.request(method, server.sls + target, data=body, headers=headers, timeout=60))


def refusal(answer, status, code):
    assert answer.status == status and answer.json["errorCode"] == code, answer
    assert answer.json["errorMessage"] and answer.headers["x-log-requestid"], answer
    return answer


# Logs by hand


def raw_log(at=None, key=b"k", value=b"v"):
    return field(1, int(time.time()) if at is None else at) + field(2, field(1, key) + field(2, value))


def raw_group(*logs, topic=b"t", source=b"s"):
    return b"".join(field(1, log) for log in logs) + field(3, topic) + field(4, source)


def as_json(answer):
    return json.loads(answer.content)
