# Delivery to a log service, embedded and remote: each selected event once, byte for byte, whoever is killed in between; two
# destinations that do not hold each other up; history jobs; trouble.
# SPDX-License-Identifier: Apache-2.0
import datetime
import http.client
import http.server
import json
import random
import threading
import time

import pytest
from aliyun.log import LogException, LogItem, PutLogsRequest

from logs import client, events, make_project, project_arn, rows
from support import KEY, SECRET, check_once, compact, delivered, event, ids, iso, job_done, now, wait_for

PROJECT = "audit-logs"


def log_trail(server, name, project=PROJECT, start=True, **parameters):
    server.call("CreateTrail", {"Name": name, "SlsProjectArn": project_arn(server, project), **parameters})
    if start:
        server.call("StartLogging", {"Name": name})


def settle(server, name, wait=60):
    return server.settle(name, wait=wait, waiting="WaitingLogCount")


@pytest.fixture(scope="module")
def with_project(module_server):
    make_project(module_server, PROJECT)
    return module_server


@pytest.fixture
def logs(with_project, server):
    return server


def test_a_logstore_gets_each_selected_event_once_byte_for_byte(logs):
    log_trail(logs, "every-event", start=False)
    # It is there with the trail, before anything is delivered.
    made = client(logs).get_logstore(PROJECT, "actiontrail_every-event").get_body()
    assert made["ttl"] == 3650 and made["shardCount"] == 2 and made["autoSplit"] is True, made
    index = client(logs).get_index_config(PROJECT, "actiontrail_every-event").get_index_config().to_json()
    assert index["keys"]["event"]["type"] == "json" and index["line"], index
    names = client(logs).list_dashboard(PROJECT).get_body()["dashboards"]
    assert "actiontrail_every-event_audit_center_en" in str(names)
    status = logs.call("GetTrailStatus", {"Name": "every-event"})
    assert status["SlsLogStoreStatus"] is True and status["IsLogging"] is False and status["OssBucketStatus"] is False, status
    logs.record([event(1, eventId="before-logging")])
    logs.call("StartLogging", {"Name": "every-event"})
    sent = [event(
        i, eventId=f"every-{i}", eventRW="Write" if i % 3 else "Read", eventName="名字 \"quoted\\\"" if i % 5 == 0 else "Call",
        eventTime=iso(now() - datetime.timedelta(seconds=10 * i, days=i % 40))) for i in range(300)]
    for start in range(0, 300, 60):
        logs.record(sent[start:start + 60])
        time.sleep(0.2)
    status = settle(logs, "every-event")
    assert "LatestDeliveryLogServiceTime" in status and "LatestDeliveryLogServiceError" not in status, status
    assert "LatestDeliveryTime" not in status and status["DeliveredLogCount"] >= 300, status
    found = rows(logs, PROJECT, "actiontrail_every-event")
    by_id = check_once([fields["event"].encode() for _, fields in found], sent)
    assert "before-logging" not in by_id
    times = {e["eventId"]: e["eventTime"] for e in sent}
    for second, fields in found:
        assert fields["__topic__"] == "actiontrail_audit_event", fields
        own = json.loads(fields["event"])
        if own["eventId"] in times:
            assert iso(datetime.datetime.fromtimestamp(second, datetime.timezone.utc)) == times[own["eventId"]]
    # Found by what is in it, as the vendor's users search.
    found = rows(logs, PROJECT, "actiontrail_every-event", query='event.eventId: "every-7"')
    assert ids([fields["event"] for _, fields in found]) == ["every-7"]
    assert b"cairn_delivered_logs_total" in logs.get("/metrics").content


def test_the_logstore_is_the_trails_until_the_trail_is_gone(logs):
    log_trail(logs, "owned-trail")
    logs.record([event(1, eventId="owned-1")])
    settle(logs, "owned-trail")
    sdk, store = client(logs), "actiontrail_owned-trail"
    item = LogItem(timestamp=int(time.time()), contents=[("event", "{}")])
    for refused in (lambda: sdk.put_logs(PutLogsRequest(PROJECT, store, "t", "s", [item])),
                    lambda: sdk.delete_logstore(PROJECT, store), lambda: sdk.delete_project(PROJECT)):
        with pytest.raises(LogException) as refusal:
            refused()
        assert refusal.value.resp_status == 403, refusal.value
    logs.call("DeleteTrail", {"Name": "owned-trail"})
    # A new trail of the name takes it over with what is in it.
    assert "owned-1" in ids(events(logs, PROJECT, store))
    log_trail(logs, "owned-trail")
    logs.record([event(2, eventId="owned-2")])
    settle(logs, "owned-trail")
    found = ids(events(logs, PROJECT, store))
    assert {"owned-1", "owned-2"} <= set(found) and len(found) == len(set(found))
    with pytest.raises(LogException):
        sdk.delete_logstore(PROJECT, store)
    # Moved to nowhere but a bucket, the trail leaves its logstore to its owner.
    logs.make_bucket("owned-bucket")
    logs.call("UpdateTrail", {"Name": "owned-trail", "SlsProjectArn": "", "OssBucketName": "owned-bucket"})
    sdk.delete_logstore(PROJECT, store)


def test_a_logstore_that_others_wrote_to_is_no_trails(logs):
    sdk = client(logs)
    item = LogItem(timestamp=int(time.time()), contents=[("event", compact(event(1, eventId="planted-1")).decode())])
    for name in ("planted-trail", "moved-trail"):
        sdk.create_logstore(PROJECT, "actiontrail_" + name, 30, 2)
        sdk.put_logs(PutLogsRequest(PROJECT, "actiontrail_" + name, "actiontrail_audit_event", "s", [item]))
    arn = {"SlsProjectArn": project_arn(logs, PROJECT)}
    answer = logs.rpc("CreateTrail", {"Name": "planted-trail", **arn})
    assert (answer.status, answer.code) == (400, "InvalidDeliveryConfigurationException"), answer
    assert logs.call("DescribeTrails", {"NameList": "planted-trail"})["TrailList"] == []
    logs.trail("moved-trail", "moved-bucket")
    answer = logs.rpc("UpdateTrail", {"Name": "moved-trail", **arn})
    assert (answer.status, answer.code) == (400, "InvalidDeliveryConfigurationException"), answer
    assert not logs.call("DescribeTrails", {"NameList": "moved-trail"})["TrailList"][0].get("SlsProjectArn")
    assert sdk.get_logstore(PROJECT, "actiontrail_planted-trail").get_body()["ttl"] == 30
    # An empty one is taken, and one that a trail has left as it was.
    sdk.delete_logstore(PROJECT, "actiontrail_planted-trail")
    sdk.create_logstore(PROJECT, "actiontrail_planted-trail", 30, 2)
    log_trail(logs, "planted-trail", start=False)
    logs.call("DeleteTrail", {"Name": "planted-trail"})
    log_trail(logs, "planted-trail", start=False)
    # Not one that somebody wrote to in between.
    logs.call("DeleteTrail", {"Name": "planted-trail"})
    sdk.put_logs(PutLogsRequest(PROJECT, "actiontrail_planted-trail", "actiontrail_audit_event", "s", [item]))
    answer = logs.rpc("CreateTrail", {"Name": "planted-trail", **arn})
    assert (answer.status, answer.code) == (400, "InvalidDeliveryConfigurationException"), answer
    logs.call("DeleteTrail", {"Name": "moved-trail"})


@pytest.mark.parametrize("arn", [
    lambda s: project_arn(s, "no-such-project"), lambda s: project_arn(s, PROJECT, account="2000000000000002"),
    lambda s: project_arn(s, PROJECT, region="elsewhere-9"), lambda s: project_arn(s, "Bad_Name"), lambda s: PROJECT,
    lambda s: project_arn(s, PROJECT) + "/logstore/x"])
def test_a_project_that_is_not_there_is_refused(logs, arn):
    answer = logs.rpc("CreateTrail", {"Name": "nowhere-trail", "SlsProjectArn": arn(logs)})
    assert (answer.status, answer.code) == (400, "SlsProjectDoesNotExistException"), answer
    assert logs.call("DescribeTrails", {"NameList": "nowhere-trail"})["TrailList"] == []
    log_trail(logs, "somewhere-trail", start=False)
    answer = logs.rpc("UpdateTrail", {"Name": "somewhere-trail", "SlsProjectArn": arn(logs)})
    assert (answer.status, answer.code) == (400, "SlsProjectDoesNotExistException"), answer
    trail = logs.call("DescribeTrails", {"NameList": "somewhere-trail"})["TrailList"][0]
    assert trail["SlsProjectArn"] == project_arn(logs, PROJECT)
    logs.call("DeleteTrail", {"Name": "somewhere-trail"})


def test_destinations_come_and_go(make_server):
    server = make_server()
    make_project(server, PROJECT)
    server.trail("both-trail", "both-bucket")
    server.record([event(1, eventId="bucket-only")])
    server.call("UpdateTrail", {"Name": "both-trail", "SlsProjectArn": project_arn(server, PROJECT)})
    server.record([event(2, eventId="both")])
    server.settle("both-trail")
    server.call("UpdateTrail", {"Name": "both-trail", "OssBucketName": ""})
    server.record([event(3, eventId="logs-only")])
    settle(server, "both-trail")
    answer = server.rpc("UpdateTrail", {"Name": "both-trail", "SlsProjectArn": ""})
    assert answer.code == "InvalidDeliveryConfigurationException", answer
    in_bucket, in_logs = ids(delivered(server.bucket("both-bucket"))), ids(events(server, PROJECT, "actiontrail_both-trail"))
    assert {"bucket-only", "both"} <= set(in_bucket) and "logs-only" not in in_bucket
    assert {"both", "logs-only"} <= set(in_logs) and "bucket-only" not in in_logs
    assert len(in_logs) == len(set(in_logs)) and len(in_bucket) == len(set(in_bucket))
    server.cairn("verify", "--bucket", "both-bucket", check=0)


def test_kill_9_in_between_leaves_each_event_once(make_server):
    server = make_server(interval="0.1")
    make_project(server, PROJECT)
    server.make_bucket("killed-bucket")
    log_trail(server, "killed-trail", OssBucketName="killed-bucket")
    choose, sent = random.Random(11), []
    for round_number in range(8):
        for batch in range(4):
            batch_events = [event(i, eventId=f"killed-{round_number}-{batch}-{i}") for i in range(40)]
            server.record(batch_events)
            sent += batch_events
            time.sleep(choose.uniform(0, 0.12))
        server.kill()
        server.start()
    settle(server, "killed-trail")
    server.settle("killed-trail")
    check_once(events(server, PROJECT, "actiontrail_killed-trail"), sent)
    check_once(delivered(server.bucket("killed-bucket")), sent)
    server.cairn("verify", "--bucket", "killed-bucket", check=0)


def test_a_history_job_delivers_what_was_before_and_only_once(make_server):
    server = make_server()
    make_project(server, PROJECT)
    old = [event(i, eventId=f"old-{i}", eventTime=iso(now() - datetime.timedelta(days=i % 40))) for i in range(150)]
    server.record(old)
    server.make_bucket("history-bucket")
    log_trail(server, "history-trail", OssBucketName="history-bucket")
    new = [event(i, eventId=f"new-{i}") for i in range(50)]
    server.record(new)
    settle(server, "history-trail")
    assert not [i for i in ids(events(server, PROJECT, "actiontrail_history-trail")) if i.startswith("old-")]
    server.cairn("trail", "backfill", "history-trail", "--wait", check=0)
    settle(server, "history-trail")
    check_once(events(server, PROJECT, "actiontrail_history-trail"), old + new)
    check_once(delivered(server.bucket("history-bucket")), old + new)
    # While logging is off, and by a job that is killed in the middle.
    server.call("StopLogging", {"Name": "history-trail"})
    between = [event(i, eventId=f"between-{i}", filler="x" * 2000) for i in range(5000)]
    for start in range(0, len(between), 1000):
        server.record(between[start:start + 1000])
    job = server.call("CreateDeliveryHistoryJob", {"TrailName": "history-trail"})["JobId"]
    time.sleep(0.3)
    server.kill()
    server.start()
    job_done(server, job)
    server.call("StartLogging", {"Name": "history-trail"})
    settle(server, "history-trail")
    raw = events(server, PROJECT, "actiontrail_history-trail")
    check_once(raw, old + new + between)
    again = server.call("CreateDeliveryHistoryJob", {"TrailName": "history-trail"})["JobId"]
    job_done(server, again)
    settle(server, "history-trail")
    check_once(events(server, PROJECT, "actiontrail_history-trail"), old + new + between)


def test_one_destination_in_trouble_does_not_hold_up_the_other(make_server):
    server = make_server()
    make_project(server, PROJECT)
    server.make_bucket("trouble-bucket")
    log_trail(server, "trouble-trail", OssBucketName="trouble-bucket", start=False)
    server.bucket("trouble-bucket").delete_bucket()
    server.call("StartLogging", {"Name": "trouble-trail"})
    sent = [event(i, eventId=f"trouble-{i}") for i in range(20)]
    server.record(sent)
    status = settle(server, "trouble-trail")
    assert "LatestDeliveryLogServiceError" not in status and status["SlsLogStoreStatus"] is True, status
    check_once(events(server, PROJECT, "actiontrail_trouble-trail"), sent)
    status = wait_for(lambda: (lambda s: s.get("LatestDeliveryError") and s)(server.call("GetTrailStatus", {"Name": "trouble-trail"})),
                      what="the trouble to be told")
    assert status["OssBucketStatus"] is False, status
    server.make_bucket("trouble-bucket")
    server.settle("trouble-trail", wait=90)
    check_once(delivered(server.bucket("trouble-bucket")), sent)


def test_the_command_line_makes_and_shows_such_a_trail(make_server):
    server = make_server()
    make_project(server, PROJECT)
    server.cairn("trail", "create", "typed-trail", "--sls-project", PROJECT, "--start", check=0)
    assert PROJECT in server.cairn("trail", "list", check=0).stdout.decode()
    server.record([event(1, eventId="typed")])
    settle(server, "typed-trail")
    assert "typed" in ids(events(server, PROJECT, "actiontrail_typed-trail"))
    assert "DeliveredLogCount" in server.cairn("trail", "status", "typed-trail", check=0).stdout.decode()
    assert server.cairn("trail", "create", "nowhere-trail").returncode != 0, "a trail needs a place to deliver to"


# Another log service


class Between:
    """Stands between a Cairn and a log service, and answers itself, or not at all, as a test says."""

    def __init__(self, target):
        self.target, self.answers, self.seen, self.lock = target, [], [], threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def reply(self, status, headers, body):
                self.send_response_only(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                answer = None
                if self.path.endswith("/shards/lb"):
                    with outer.lock:
                        outer.seen.append(int(self.headers["x-log-bodyrawsize"]))
                        answer = outer.answers.pop(0) if outer.answers else None
                if answer == "drop":
                    self.close_connection = True
                    return
                if answer:
                    status, code, headers = answer
                    said = json.dumps({"errorCode": code, "errorMessage": "made up"}).encode()
                    return self.reply(status, [("x-log-requestid", "MADEUP"), *headers], said)
                upstream = http.client.HTTPConnection(outer.target, timeout=60)
                upstream.request(self.command, self.path, body, dict(self.headers))
                response = upstream.getresponse()
                content = response.read()
                keep = [(n, v) for n, v in response.getheaders()
                        if n.lower() not in ("content-length", "transfer-encoding", "connection")]
                if answer == "":
                    self.close_connection = True
                    return
                self.reply(response.status, keep, content)

            do_POST = do_PUT = do_GET

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def script(self, *answers):
        with self.lock:
            self.answers = list(answers)

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def remote(make_server):
    """A second Cairn with a project, and what stands before it."""
    second = make_server()
    make_project(second, "real-name")
    between = Between(second.sls_host)
    yield second, between
    between.stop()


def delivering_to(make_server, tmp_path, url, secret=SECRET, **settings):
    path = tmp_path / "logs.secret"
    path.write_text(secret + "\n")
    lines = ["remote-log-projects:", f"  {PROJECT}:", f"    access-key-secret-file: {path}"]
    settings = {"endpoint": url, "region": "local-1", "project": "real-name", "access-key-id": KEY, **settings}
    lines += [f"    {key}: {value}" for key, value in settings.items()]
    configuration = tmp_path / "cairn.yaml"
    configuration.write_text("\n".join(lines) + "\n")
    return make_server(extra=("--config", str(configuration)))


def status_of(server, name):
    return server.call("GetTrailStatus", {"Name": name})


def test_another_log_service_gets_each_event(remote, make_server, tmp_path):
    second, between = remote
    server = delivering_to(make_server, tmp_path, between.url)
    log_trail(server, "remote-trail")
    sent = [event(i, eventId=f"remote-{i}", filler="x" * 3000, eventTime=iso(now() - datetime.timedelta(seconds=i))) for i in range(400)]
    sent += [event(i, eventId=f"ancient-{i}", eventTime=iso(now() - datetime.timedelta(days=30))) for i in range(3)]
    server.record(sent)
    status = settle(server, "remote-trail")
    assert status["SlsLogStoreStatus"] is True and "LatestDeliveryLogServiceError" not in status, status
    target = status["LogDeliveryTarget"]
    assert "real-name" in target["Location"] and target["Gaps"] == [], target
    assert SECRET not in str(status) and SECRET not in server.log()
    found = rows(second, "real-name", "actiontrail_remote-trail")
    check_once([fields["event"].encode() for _, fields in found], sent)
    # What the window of the service does not take has the time of delivery.
    for second_of_log, fields in found:
        assert second_of_log > time.time() - 7 * 86_400
    assert len(between.seen) >= 3 and max(between.seen) <= 512 << 10, between.seen
    made = client(second).get_logstore("real-name", "actiontrail_remote-trail").get_body()
    assert made["ttl"] == 3650 and made["shardCount"] == 2, made


def test_throttling_and_broken_connections_are_waited_out(remote, make_server, tmp_path):
    second, between = remote
    server = delivering_to(make_server, tmp_path, between.url)
    log_trail(server, "patient-trail")
    settle(server, "patient-trail")
    between.script("drop", (503, "ServerBusy", []), (403, "WriteQuotaExceed", []), (500, "InternalServerError", []),
                   (503, "ServerBusy", [("Retry-After", "2")]))
    sent = [event(i, eventId=f"patient-{i}") for i in range(30)]
    server.record(sent)
    settle(server, "patient-trail", wait=90)
    assert not between.answers
    status = status_of(server, "patient-trail")
    assert "LatestDeliveryLogServiceError" not in status and status["ParkedEventCount"] == 0, status
    check_once(events(second, "real-name", "actiontrail_patient-trail"), sent)


def test_an_answer_that_was_lost_may_double_but_loses_nothing(remote, make_server, tmp_path):
    second, between = remote
    server = delivering_to(make_server, tmp_path, between.url)
    log_trail(server, "doubtful-trail")
    settle(server, "doubtful-trail")
    between.script("")
    sent = [event(i, eventId=f"doubtful-{i}") for i in range(30)]
    server.record(sent)
    settle(server, "doubtful-trail")
    found = set(ids(events(second, "real-name", "actiontrail_doubtful-trail")))
    assert {e["eventId"] for e in sent} <= found


def test_an_event_that_no_log_may_be_is_passed_over_and_named(remote, make_server, tmp_path):
    second, between = remote
    server = delivering_to(make_server, tmp_path, between.url)
    log_trail(server, "parking-trail")
    sent = [event(i, eventId=f"parking-{i}") for i in range(10)]
    too_large = event(99, eventId="parking-large", filler="x" * (1 << 20))
    server.record(sent[:5] + [too_large] + sent[5:])
    status = settle(server, "parking-trail", wait=120)
    assert status["ParkedEventCount"] == 1 and status["ParkedEvents"][0]["EventId"] == "parking-large", status
    found = events(second, "real-name", "actiontrail_parking-trail")
    assert "parking-large" not in check_once(found, sent)
    assert "parking-large" in server.log() and b"cairn_parked_events_total" in server.get("/metrics").content


def test_trouble_is_told_and_touches_no_bucket(remote, make_server, tmp_path):
    second, between = remote
    server = delivering_to(make_server, tmp_path, between.url, project="missing-name")
    server.make_bucket("safe-bucket")
    log_trail(server, "safe-trail", OssBucketName="safe-bucket")
    sent = [event(i, eventId=f"safe-{i}") for i in range(10)]
    server.record(sent)
    server.settle("safe-trail")
    check_once(delivered(server.bucket("safe-bucket")), sent)
    status = wait_for(
        lambda: (lambda s: s.get("LatestDeliveryLogServiceError") and s)(status_of(server, "safe-trail")), what="the trouble")
    assert "ProjectNotExist" in status["LatestDeliveryLogServiceError"], status
    assert "make the project" in status["LatestDeliveryLogServiceError"] and status["SlsLogStoreStatus"] is False, status
    assert "LatestDeliveryError" not in status, status
    make_project(second, "missing-name")
    settle(server, "safe-trail", wait=90)
    assert "LatestDeliveryLogServiceError" not in status_of(server, "safe-trail")
    check_once(events(second, "missing-name", "actiontrail_safe-trail"), sent)


def test_a_wrong_secret_is_told_without_showing_it(remote, make_server, tmp_path):
    _, between = remote
    server = delivering_to(make_server, tmp_path, between.url, secret="not-the-secret-0001")
    log_trail(server, "wrong-trail")
    said = wait_for(lambda: status_of(server, "wrong-trail").get("LatestDeliveryLogServiceError"), what="the trouble")
    assert "SignatureNotMatch" in said and "not-the-secret-0001" not in said + server.log(), said
