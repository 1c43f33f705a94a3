# The sls port as the official SDK uses it, with both signatures, by names that resolve and through a proxy.
# SPDX-License-Identifier: Apache-2.0
import base64
import json
import threading
import time

import aliyun.log as sls
import pytest
from aliyun.log.auth import AUTH_VERSION_4
from aliyun.log.consumer import ConsumerProcessorBase, ConsumerWorker, CursorPosition, LogHubConfig

import logs
from logs import client, put, refused, store, wait_for_count
from support import ACCOUNT, KEY, REGION, SECRET, wait_for
from test_ram import custom, user
from test_sdk_smoke import run

PROJECT = "sdk-project"


@pytest.fixture(params=["v1", "v4"])
def made(request, server):
    return client(server) if request.param == "v1" else client(server, auth_version=AUTH_VERSION_4, region=REGION)


# The smoke script


def test_everything_the_smoke_script_does(server, shared):
    said = run(
        "sls_smoke.py", shared, ENDPOINT=server.sls_host, PROJECT="smoke-project", LOGSTORE="smoke-store", SMOKE_LEVEL="2",
        SMOKE_PHRASE="1", SMOKE_IMMUTABLE="1", SMOKE_ENCRYPT="1", SMOKE_CLEANUP="1")
    assert said.rstrip().endswith("checks passed") and "ok" in said and "zstd module missing" not in said


def test_the_smoke_script_through_a_proxy(server, shared):
    """The request line then is a whole URL, of a name that exists nowhere."""
    said = run(
        "sls_smoke.py", shared, ENDPOINT="sls.internal", PROJECT="proxied-project", LOGSTORE="proxied-store", SMOKE_RESOLVE="off",
        http_proxy=server.sls, HTTP_PROXY=server.sls, no_proxy="", NO_PROXY="")
    assert said.rstrip().endswith("checks passed")


# Projects, logstores, indexes


def test_projects(made, request):
    name = "life-" + request.node.callspec.id
    made.create_project(name, "说明 \"quoted\"")
    got = made.get_project(name)
    assert (got.get_projectname(), got.get_description(), got.get_status()) == (name, "说明 \"quoted\"", "Normal")
    assert got.get_owner() == ACCOUNT and got.get_region() == REGION and abs(int(got.get_create_time()) - time.time()) < 600
    made.update_project(name, "other")
    assert made.get_project(name).get_description() == "other"
    listed = made.list_project(project_name_pattern=name)
    assert (listed.get_count(), listed.get_total()) == (1, 1) and listed.get_projects()[0]["description"] == "other"
    assert made.list_project(project_name_pattern="nobody-has-this").get_total() == 0
    made.create_logstore(name, "inside", ttl=1, shard_count=1)
    made.delete_project(name)
    refused(404, "ProjectNotExist", made.get_project, name)
    refused(404, "ProjectNotExist", made.list_logstore, name)
    for bad in ("ab", "UPPER-case", "-begins", "ends-", "under_score", "x" * 64):
        with pytest.raises(sls.LogException):
            made.create_project(bad, "")


def test_lists_in_pages(made):
    for number in range(5):
        try:
            made.create_project(f"paged-{number}", "")
        except sls.LogException as error:
            assert error.get_error_code() == "ProjectAlreadyExist"
    page = made.list_project(offset=1, size=2, project_name_pattern="paged-")
    assert [p["projectName"] for p in page.get_projects()] == ["paged-1", "paged-2"] and page.get_total() == 5
    everything = [p["projectName"] for p in made.list_project(size=-1).get_projects()]
    assert everything == sorted(set(everything)) and {f"paged-{number}" for number in range(5)} <= set(everything)


def test_a_logstore_is_told_as_it_was_made(server, made, request):
    name = "made-" + request.node.callspec.id
    store(made, PROJECT, "any")
    made.create_logstore(
        PROJECT, name, ttl=90, shard_count=3, enable_tracking=True, append_meta=True, auto_split=True, max_split_shard=32, hot_ttl=30,
        mode="query")
    got = made.get_logstore(PROJECT, name)
    assert (got.logstore_name, got.ttl, got.shard_count, got.max_split_shard, got.mode) == (name, 90, 3, 32, "query")
    assert (got.enable_tracking, got.append_meta, got.auto_split, got.hot_ttl) == (True, True, True, 30)
    made.update_logstore(PROJECT, name, ttl=100, enable_tracking=False, append_meta=False)
    got = made.get_logstore(PROJECT, name)
    assert (got.ttl, got.enable_tracking, got.append_meta, got.shard_count) == (100, False, False, 3)
    refused(400, "ParameterInvalid", made.update_logstore, PROJECT, name, ttl=3651)
    for change in ({"shardCount": 5}, {"mode": "standard"}, {"logstoreName": "other"}):
        logs.refusal(logs.send(server, "PUT", f"/logstores/{name}", json.dumps(change).encode(), PROJECT), 400, "ParameterInvalid")
    assert name in made.list_logstore(PROJECT, name).get_logstores()
    made.delete_logstore(PROJECT, name)
    refused(404, "LogStoreNotExist", made.get_logstore, PROJECT, name)
    refused(404, "LogStoreNotExist", made.delete_logstore, PROJECT, name)


def test_an_index_comes_back_as_it_was_sent(server, made):
    store(made, PROJECT, "indexed")
    sent = json.loads('{"line":{"token":[","," "],"caseSensitive":false,"chn":false,"somethingNew":[1,{"a":null}]},'
                      '"keys":{"a":{"type":"text","token":["."],"doc_value":true,"alias":"\u00e4"}},"max_text_len":4096,"log_reduce":false}')
    answer = logs.send(server, "PUT", "/logstores/indexed/index", json.dumps(sent).encode(), PROJECT, {"Content-Type": "application/json"})
    assert answer.status == 200 and answer.content == b"", answer
    got = logs.as_json(logs.send(server, "GET", "/logstores/indexed/index", project=PROJECT))
    assert {key: got[key] for key in sent} == sent
    # What the service adds gives way to what a client sent.
    assert abs(got["lastModifyTime"] - time.time()) < 60 and (got["ttl"], got["storage"]) == (30, "pg"), got
    logs.send(server, "PUT", "/logstores/indexed/index", json.dumps({**sent, "ttl": 7}).encode(), PROJECT)
    assert logs.as_json(logs.send(server, "GET", "/logstores/indexed/index", project=PROJECT))["ttl"] == 7
    made.delete_index(PROJECT, "indexed")
    refused(400, "IndexConfigNotExist", made.get_index_config, PROJECT, "indexed")
    made.create_index(PROJECT, "indexed", logs.index(number="long"))


def test_dashboards_and_saved_searches(made, request):
    store(made, PROJECT, "any")
    suffix = request.node.callspec.id
    dashboard = {"dashboardName": "board-" + suffix, "displayName": "Ein Brett", "charts": [{"title": "t"}], "description": "d"}
    made.create_dashboard(PROJECT, dashboard)
    assert made.get_dashboard(PROJECT, dashboard["dashboardName"]).get_entity() == dashboard
    made.update_dashboard(PROJECT, {**dashboard, "description": "e"})
    assert made.get_dashboard(PROJECT, dashboard["dashboardName"]).get_entity()["description"] == "e"
    assert dashboard["dashboardName"] in made.list_dashboard(PROJECT).get_entities()
    made.delete_dashboard(PROJECT, dashboard["dashboardName"])
    assert dashboard["dashboardName"] not in made.list_dashboard(PROJECT).get_entities()
    search = {"savedsearchName": "search-" + suffix, "displayName": "s", "logstore": "any", "searchQuery": "*", "topic": ""}
    made.create_savedsearch(PROJECT, search)
    assert made.get_savedsearch(PROJECT, search["savedsearchName"]).get_entity() == search
    made.delete_savedsearch(PROJECT, search["savedsearchName"])
    assert search["savedsearchName"] not in made.list_savedsearch(PROJECT).get_entities()


# Writing and asking


def test_what_is_put_is_found_whatever_it_is(made, request):
    name = "odd-" + request.node.callspec.id
    store(made, PROJECT, name, kind="text")
    now = int(time.time())
    odd = {"quotes": "\"'\\", "control": "\x00\x01\n\t\x7f", "words": "中文 émigré 😀", "empty": "", "long": "x" * 30_000, "json": '{"a":[1,null]}'}
    put(made, PROJECT, name, [sls.LogItem(timestamp=now, time_nano_part=123456789, contents=[("kind", "odd"), *odd.items()])],
        topic="Thema ä", logtags=[("tag", "wért")], compress=False)
    wait_for_count(made, PROJECT, name, 1)
    for is_new in (True, False):
        made._get_logs_v2_enabled = is_new
        found = made.get_log(PROJECT, name, now - 10, now + 10, query="kind: odd").get_logs()
        assert len(found) == 1
        contents = found[0].get_contents()
        assert {key: contents.get(key) for key in odd} == odd
        assert contents["__topic__"] == "Thema ä" and contents["__tag__:tag"] == "wért" and found[0].get_source() == logs.SOURCE
        assert found[0].get_time() == now
    topics = made.list_topics(sls.ListTopicsRequest(PROJECT, name, "", 10))
    assert topics.get_topics() == ["Thema ä"]


def test_pages_of_a_search(made, request):
    name = "paged-" + request.node.callspec.id
    store(made, PROJECT, name)
    put(made, PROJECT, name, logs.logs(250))
    wait_for_count(made, PROJECT, name, 250)
    now = int(time.time())
    ask = lambda **options: made.get_log(PROJECT, name, now - 3600, now + 600, query="*", **options)
    numbers = lambda answer: [int(log.get_contents()["number"]) for log in answer.get_logs()]
    assert len(numbers(ask(size=1000))) == 250, "the SDK pages by itself"
    assert numbers(ask(size=100)) == list(range(100)) and numbers(ask(size=10, offset=245)) == list(range(245, 250))
    assert numbers(ask(size=5, reverse=True)) == [249, 248, 247, 246, 245]
    assert ask(size=0).get_count() == 0
    rows = ask(size=100)
    assert rows.get_meta().get_progress() == "Complete" and rows.get_has_sql() is False
    refused(400, "InvalidTimeRange", made.get_log, PROJECT, name, now, now, query="*")


def test_topics_in_pages(made, request):
    name = "topics-" + request.node.callspec.id
    store(made, PROJECT, name)
    for number in range(7):
        put(made, PROJECT, name, logs.logs(1), topic=f"topic-{number}-é")
    wait_for_count(made, PROJECT, name, 7)
    seen, token = [], ""
    for _ in range(10):
        page = made.list_topics(sls.ListTopicsRequest(PROJECT, name, token, 3))
        assert int(page.get_count()) == len(page.get_topics()) <= 3
        seen += page.get_topics()
        token = page.get_next_token()
        if not token:
            break
    assert seen == [f"topic-{number}-é" for number in range(7)]


def test_project_logs_are_plain_sql(made, request):
    name = "asked-" + request.node.callspec.id
    store(made, PROJECT, name)
    put(made, PROJECT, name, logs.logs(20))
    wait_for_count(made, PROJECT, name, 20)
    begin = int(time.time()) - 3600
    found = made.get_project_logs(sls.GetProjectLogsRequest(PROJECT, f'SELECT count(*) AS c FROM "{name}" WHERE __time__ > {begin}'))
    assert [log.get_contents() for log in found.get_logs()] == [{"c": "20"}]
    refused(400, "ParameterInvalid", made.get_project_logs, sls.GetProjectLogsRequest(PROJECT, "SELECT 1"))
    refused(404, "LogStoreNotExist", made.get_project_logs, sls.GetProjectLogsRequest(PROJECT, "SELECT 1 FROM nowhere"))


def test_appended_tags(server, made, request):
    name = "appended-" + request.node.callspec.id
    store(made, PROJECT, "any")
    made.create_logstore(PROJECT, name, ttl=1, shard_count=1, append_meta=True)
    made.create_index(PROJECT, name, logs.index(number="long"))
    put(made, PROJECT, name, logs.logs(1))
    wait_for_count(made, PROJECT, name, 1)
    now = int(time.time())
    contents = made.get_log(PROJECT, name, now - 600, now + 600).get_logs()[0].get_contents()
    assert contents["__tag__:__client_ip__"] == "127.0.0.1" and abs(int(contents["__tag__:__receive_time__"]) - now) < 60


# Shards, pulling, consumer groups


def pulled(made, project, logstore, **options):
    """Every log of every shard, as (shard, fields)."""
    found = []
    for shard in made.list_shards(project, logstore).get_shards_info():
        number = shard["shardID"]
        cursor = made.get_begin_cursor(project, logstore, number).get_cursor()
        end = made.get_end_cursor(project, logstore, number).get_cursor()
        for _ in range(1000):
            answer = made.pull_logs(project, logstore, number, cursor, 7, end, **options)
            assert answer.get_loggroup_count() <= 7
            found += [(number, log) for log in answer.get_flatten_logs_json(time_as_str=True, decode_bytes=True)]
            if answer.get_next_cursor() == cursor:
                break
            assert int(base64.b64decode(answer.get_next_cursor())) > int(base64.b64decode(cursor))
            cursor = answer.get_next_cursor()
        else:
            pytest.fail("no end of the shard")
    return found


@pytest.mark.parametrize("compress", [True, False])
def test_pulling_gives_each_log_once(made, request, compress):
    name = "pulled-" + request.node.callspec.id.lower().replace("true", "lz4").replace("false", "plain")
    store(made, PROJECT, name, shards=3)
    for number in range(30):
        put(made, PROJECT, name, logs.logs(3, batch=str(number)), logtags=[("t", str(number))])
    found = pulled(made, PROJECT, name, compress=compress)
    assert sorted((int(log["batch"]), int(log["number"])) for _, log in found) == [(b, n) for b in range(30) for n in range(3)]
    assert all(log["__tag__:t"] == log["batch"] and log["__topic__"] == "t" for _, log in found)


def test_a_hash_key_keeps_its_shard(made, request):
    name = "hashed-" + request.node.callspec.id
    store(made, PROJECT, name, shards=2)
    for key in ("00" * 16, "f0" * 16, "7f" * 16, "80" + "00" * 15):
        put(made, PROJECT, name, logs.logs(1, key=key), hashKey=key)
    shards = {log["key"][:2]: shard for shard, log in pulled(made, PROJECT, name)}
    assert shards["00"] == shards["7f"] and shards["f0"] == shards["80"] and shards["00"] != shards["f0"]


def test_shards_split_and_merge(made, request):
    name = "split-" + request.node.callspec.id
    store(made, PROJECT, name, shards=1)
    put(made, PROJECT, name, logs.logs(5))
    changed = made.split_shard(PROJECT, name, 0, "7f" + "00" * 15).get_shards_info()
    assert [shard["status"] for shard in changed].count("readonly") == 1 and len(changed) == 3
    shards = {s["shardID"]: s for s in made.list_shards(PROJECT, name).get_shards_info()}
    assert shards[0]["status"] == "readonly" and len(shards) == 3
    put(made, PROJECT, name, logs.logs(5), hashKey="00" * 16)
    assert len(pulled(made, PROJECT, name)) == 10, "what was in the shard before can still be read"
    low = next(s["shardID"] for s in shards.values() if s["status"] == "readwrite" and s["inclusiveBeginKey"] == "0" * 32)
    made.merge_shard(PROJECT, name, low)
    writable = [s for s in made.list_shards(PROJECT, name).get_shards_info() if s["status"] == "readwrite"]
    assert len(writable) == 1 and writable[0]["exclusiveEndKey"] == "f" * 32
    refused(400, "ShardNotExist", made.get_begin_cursor, PROJECT, name, 99)


def test_cursors(server, made, request):
    name = "cursors-" + request.node.callspec.id
    store(made, PROJECT, name, shards=1)
    put(made, PROJECT, name, logs.logs(3))
    begin = made.get_begin_cursor(PROJECT, name, 0).get_cursor()
    end = made.get_end_cursor(PROJECT, name, 0).get_cursor()
    assert int(base64.b64decode(end)) > int(base64.b64decode(begin))
    assert made.get_cursor(PROJECT, name, 0, 1).get_cursor() == begin
    assert made.get_cursor(PROJECT, name, 0, int(time.time()) + 1000).get_cursor() == end
    assert abs(int(made.get_cursor_time(PROJECT, name, 0, begin).get_cursor_time()) - time.time()) < 60
    for bad in ("", "x", "!!!!", "LTE=", base64.b64encode(b"99999999999999999999999").decode(), base64.b64encode(b"1 2").decode()):
        answer = logs.send(server, "GET", f"/logstores/{name}/shards/0?type=log&cursor={bad.replace('=', '%3D')}&count=1", project=PROJECT)
        assert answer.status == 400 and answer.json["errorCode"] in ("InvalidCursor", "ParameterInvalid"), answer
    at_end = made.pull_logs(PROJECT, name, 0, end)
    assert at_end.get_loggroup_count() == 0 and at_end.get_next_cursor() == end and at_end.get_raw_size() == 0


class Collector(ConsumerProcessorBase):
    """Keeps what it is given, and saves each checkpoint."""
    lock = threading.Lock()
    seen = []

    def process(self, groups, tracker):
        with Collector.lock:
            for group in groups.LogGroups:
                for log in group.Logs:
                    Collector.seen.append({c.Key: c.Value for c in log.Contents}["id"])
        self.save_checkpoint(tracker, force=True)


def worker(server, logstore, name):
    return ConsumerWorker(Collector, LogHubConfig(
        server.sls_host, KEY, SECRET, PROJECT, logstore, "group", name, cursor_position=CursorPosition.BEGIN_CURSOR,
        heartbeat_interval=1, data_fetch_interval=0.2))


def test_two_consumers_share_a_logstore(server):
    """Each log is consumed once; checkpoints outlive the consumers."""
    made, name = client(server), "consumed"
    store(made, PROJECT, name, shards=4)
    Collector.seen = []
    sent = [f"first-{n}" for n in range(100)]

    def send(ids):
        for one in ids:
            put(made, PROJECT, name, [sls.LogItem(timestamp=int(time.time()), contents=[("id", one)])])

    send(sent)
    workers = [worker(server, name, f"consumer-{number}") for number in (1, 2)]
    for one in workers:
        one.start()
    try:
        wait_for(lambda: len(set(Collector.seen)) == 100, wait=60, what="the first logs")
        held = lambda: [set(one.heart_beat.get_held_shards()) for one in workers]
        wait_for(lambda: all(held()) and sorted([*held()[0], *held()[1]]) == [0, 1, 2, 3], wait=60, what="the shards to be shared")
        more = [f"second-{n}" for n in range(100)]
        send(more)
        sent += more
        wait_for(lambda: len(set(Collector.seen)) == 200, wait=60, what="the second logs")
    finally:
        for one in workers:
            one.shutdown()
        for one in workers:
            one.join(60)
    assert sorted(Collector.seen) == sorted(sent), "each log once"
    points = {p["shard"]: p for p in made.get_check_point(PROJECT, name, "group").get_consumer_group_check_points()}
    assert set(points) == {0, 1, 2, 3} and all(p["consumer"] and p["updateTime"] > 1e15 for p in points.values() if p["checkpoint"])
    Collector.seen = []
    send(["third"])
    again = worker(server, name, "consumer-3")
    again.start()
    try:
        wait_for(lambda: Collector.seen, wait=60, what="the third log")
        time.sleep(2)
    finally:
        again.shutdown()
        again.join(60)
    assert Collector.seen == ["third"], "reading went on at the checkpoints"


def test_consumer_groups(made, request):
    name = "groups-" + request.node.callspec.id
    store(made, PROJECT, name, shards=2)
    made.create_consumer_group(PROJECT, name, "one", 30, True)
    refused(400, "ConsumerGroupAlreadyExist", made.create_consumer_group, PROJECT, name, "one", 30, True)
    made.update_consumer_group(PROJECT, name, "one", timeout=40, in_order=False)
    groups = made.list_consumer_group(PROJECT, name).get_consumer_groups()
    assert [(g.get_consumer_group_name(), g.get_timeout(), g.is_in_order()) for g in groups] == [("one", 40, False)]
    points = made.get_check_point(PROJECT, name, "one", 1).get_consumer_group_check_points()
    assert [(p["shard"], p["checkpoint"]) for p in points] == [(1, "")], "a shard nobody read has an empty checkpoint"
    first = set(made.heart_beat(PROJECT, name, "one", "a", []).get_shards())
    assert first == {0, 1}
    assert made.heart_beat(PROJECT, name, "one", "b", []).get_shards() == [], "a shard that another still holds is not given away"
    kept = set(made.heart_beat(PROJECT, name, "one", "a", [0, 1]).get_shards())
    assert len(kept) == 1
    made.heart_beat(PROJECT, name, "one", "a", list(kept))
    assert set(made.heart_beat(PROJECT, name, "one", "b", []).get_shards()) == {0, 1} - kept
    refused(400, "InvalidShardCheckPoint", made.update_check_point, PROJECT, name, "one", 0, "!", "a")
    refused(404, "ShardNotExist", made.update_check_point, PROJECT, name, "one", 9, "MA==", "a")
    refused(404, "ConsumerGroupNotExist", made.heart_beat, PROJECT, name, "two", "a", [])
    made.delete_consumer_group(PROJECT, name, "one")
    assert made.list_consumer_group(PROJECT, name).get_consumer_groups() == []


# Permissions


def test_what_the_policies_leave_to_a_user(server):
    made = client(server)
    store(made, PROJECT, "allowed")
    store(made, PROJECT, "other")
    key, secret = user(server, "log-reader")
    custom(server, "log-reader-may", "log-reader", "Allow", "log:GetLogStoreLogs", "log:GetLogStoreHistogram",
           Resource=f"acs:log:{REGION}:{ACCOUNT}:project/{PROJECT}/logstore/allowed")
    reader = client(server, key, secret)
    now = int(time.time())
    reader.get_log(PROJECT, "allowed", now - 60, now)
    logs.count(reader, PROJECT, "allowed")
    for call in (
            lambda: reader.get_log(PROJECT, "other", now - 60, now), lambda: put(reader, PROJECT, "allowed", logs.logs(1)),
            lambda: reader.get_logstore(PROJECT, "allowed"), lambda: reader.delete_logstore(PROJECT, "allowed"),
            lambda: reader.create_project("not-mine", ""), lambda: reader.list_project(),
            lambda: reader.get_log(PROJECT, "not-there", now - 60, now), lambda: reader.get_begin_cursor(PROJECT, "allowed", 0),
            lambda: reader.get_project_logs(sls.GetProjectLogsRequest(PROJECT, "SELECT 1 FROM other"))):
        error = refused(401, "Unauthorized", call)
        assert "log:" in error.get_error_message()


def test_the_logstore_of_a_trail_is_the_trails_alone(server):
    made = client(server)
    store(made, "trail-project", "any")
    server.make_bucket("trail-of-logs-bucket")
    server.call("CreateTrail", {
        "Name": "trail-of-logs", "OssBucketName": "trail-of-logs-bucket",
        "SlsProjectArn": f"acs:log:{REGION}:{ACCOUNT}:project/trail-project"})
    name = "actiontrail_trail-of-logs"
    wait_for(lambda: name in made.list_logstore("trail-project", name).get_logstores(), what="the logstore of the trail")
    before = made.get_logstore("trail-project", name)
    for call in (
            lambda: put(made, "trail-project", name, logs.logs(1)), lambda: made.delete_logstore("trail-project", name),
            lambda: made.update_logstore("trail-project", name, ttl=1), lambda: made.delete_index("trail-project", name),
            lambda: made.enable_logstore_modify("trail-project", name),
            lambda: made.delete_logs_v2(project="trail-project", logstore=name, from_time=1, to_time=2, query="*"),
            lambda: made.split_shard("trail-project", name, 0, "7f" + "00" * 15)):
        error = refused(403, "Unauthorized", call)
        assert "trail-of-logs" in error.get_error_message()
    with pytest.raises(sls.LogException):
        made.delete_project("trail-project")
    after = made.get_logstore("trail-project", name)
    assert (after.ttl, after.shard_count) == (before.ttl, before.shard_count)
