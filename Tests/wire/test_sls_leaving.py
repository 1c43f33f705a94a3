# A client that leaves before it has its answer: the service works no further on it.
# SPDX-License-Identifier: Apache-2.0
import hashlib
import http.client
import json
import os
import select
import time

import pytest

import logs
from logs import client, count, put, sign, store, wait_for_count
from support import wait_for

PROJECT, STORE = "leaving-project", "leaving-store"
LOGS = 4000
# Some 64,000 million rows: more than the service looks at in the 55 seconds that a query has.
ENDLESS = "* | SELECT count(*) AS n FROM log a CROSS JOIN log b CROSS JOIN log c"


@pytest.fixture
def made(server):
    made = client(server)
    store(made, PROJECT, STORE)
    put(made, PROJECT, STORE, logs.logs(LOGS))
    wait_for_count(made, PROJECT, STORE, LOGS)
    return made


def asking(server, query):
    """A connection on which a question was asked, and no answer read."""
    now = int(time.time())
    body = json.dumps({"query": query, "from": now - 3600, "to": now + 60, "line": 100, "offset": 0, "reverse": False}).encode()
    target = f"/logstores/{STORE}/logs"
    headers = sign("POST", target, {
        "Content-Type": "application/json", "Content-MD5": hashlib.md5(body).hexdigest().upper(), "x-log-bodyrawsize": str(len(body))})
    connection = http.client.HTTPConnection(server.sls_host, timeout=60)
    connection.request("POST", target, body, {**headers, "Host": f"{PROJECT}.127.0.0.1"})
    return connection


def cancelled(server):
    return [e for e in server.lookup([("EventName", "GetLogsV2")]) if e.get("errorCode") == "RequestCancelled"]


def test_a_query_ends_when_its_client_leaves(server, made):
    # More than the service has threads for.
    connections = [asking(server, ENDLESS) for _ in range(2 * os.cpu_count() + 2)]
    time.sleep(3)
    assert not select.select([connection.sock for connection in connections], [], [], 0)[0], "a query was answered already"
    # Events are looked up, and logs, as if nothing was.
    asked = time.monotonic()
    assert not cancelled(server)
    assert count(made, PROJECT, STORE) == LOGS
    assert time.monotonic() - asked < 10
    left = time.monotonic()
    for connection in connections:
        connection.close()
    # All threads are free again, long before a query's time is up.
    now = int(time.time())
    answer = made.get_log(PROJECT, STORE, now - 3600, now + 60, query="* | SELECT count(*) AS n")
    assert [log.get_contents()["n"] for log in answer.get_logs()] == [str(LOGS)]
    wait_for(lambda: len(cancelled(server)) == len(connections), wait=30, what="the record of each query that was given up")
    assert time.monotonic() - left < 30
