# cairn query and cairn tail: what they print and how they end, against a stub of SLS, the event history and the sls port.
# SPDX-License-Identifier: Apache-2.0
import csv
import datetime
import io
import json
import signal
import subprocess
import threading
import time

import pytest

from logs import make_project, project_arn
from sls_stub import SLSStub, answer, group
from support import event, iso, now, wait_for

NOW = int(time.time())


@pytest.fixture
def stub():
    stub = SLSStub()
    yield stub
    stub.close()


def query(server, stub, *arguments, **options):
    return server.cairn("query", "--sls", stub.url, "--project", "proj", "--logstore", "store", *arguments, **options)


def row(seconds, **fields):
    return {"__time__": str(seconds), "__topic__": "t", "__source__": "", **fields}


def event_row(number, seconds=NOW, **changes):
    return row(seconds, event=json.dumps(event(number, eventTime=iso(now()), **changes)))


# Against the stub


def test_a_search_goes_through_all_pages(server, stub):
    # Seconds with one log, with many, and with more than a page.
    seconds = [NOW - n // 3 for n in range(450)] + [NOW - 500] * 260 + [NOW - 501 - n for n in range(40)]
    stub.logs = [row(s, n=str(n)) for n, s in enumerate(seconds)]
    for order in ((), ("--oldest-first",)):
        done = query(server, stub, "--limit", "100000", "--output", "json", *order, "*", check=0)
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        assert sorted(int(r["n"]) for r in rows) == list(range(750)), "every log once"
        times = [int(r["__time__"]) for r in rows]
        assert times == sorted(times, reverse=not order)
    assert all(ask["line"] <= 100 and ask["accurate"] for ask in stub.asked)
    assert set(stub.hosts) == {f"proj.127.0.0.1:{stub.port}"}
    done = query(server, stub, "--limit", "120", "*", check=0).stdout.decode()
    assert done.count("\n") == 122 and "... more" in done
    exact = query(server, stub, "--limit", "750", "*", check=0).stdout.decode()
    assert exact.count("\n") == 751 and "... more" not in exact


def test_logs_that_arrive_between_pages_move_nothing(server, stub):
    stub.logs = [row(NOW - n, n=str(n)) for n in range(350)]
    get_logs = stub.get_logs

    def arriving(ask):
        found = get_logs(ask)
        stub.logs += [row(NOW, n="new") for _ in range(30)]
        return found

    stub.get_logs = arriving
    done = query(server, stub, "--limit", "1000", "--output", "json", "*", check=0)
    numbers = [json.loads(line)["n"] for line in done.stdout.splitlines()]
    assert numbers == [str(n) for n in range(350)]


def test_times(server, stub):
    query(server, stub, "--start", "2026-01-01T00:00:00Z", "--end", "2026-01-02", "a: b", check=0)
    ask = stub.asked[-1]
    assert (ask["from"], ask["to"], ask["query"], ask["reverse"]) == (1767225600, 1767398400, "a: b", True)
    query(server, stub, "--start", "1h", "--oldest-first", "", check=0)
    ask = stub.asked[-1]
    assert ask["to"] - ask["from"] == 3601 and abs(ask["to"] - time.time()) < 30 and ask["reverse"] is False


def test_sql_is_one_answer_with_its_columns_in_order(server, stub):
    rows = [{"z": "1", "a": "x\ny", "_col2": "null"}, {"z": "2", "a": 'say "a, b"', "_col2": "3.5"}]
    for output, expected in (
        ("json", [b'{"z":"1","a":"x\\ny","_col2":"null"}', b'{"z":"2","a":"say \\"a, b\\"","_col2":"3.5"}']),
        ("table", [b"z  a           _col2", b"1  x y         null", b'2  say "a, b"  3.5']),
    ):
        stub.answers = [answer(rows, sql=True, keys=["z", "a", "_col2"])]
        assert query(server, stub, "--output", output, "* | select 1", check=0).stdout.splitlines() == expected
    stub.answers = [answer(rows, sql=True, keys=["z", "a", "_col2"])]
    done = query(server, stub, "--output", "csv", "* | select 1", check=0).stdout
    assert done == b'z,a,_col2\r\n1,"x\ny",null\r\n2,"say ""a, b""",3.5\r\n'
    # As many rows as the LIMIT says, or 100 without one.
    many = [{"n": str(n)} for n in range(300)]
    stub.answers = [answer(many, sql=True, keys=["n"])]
    assert query(server, stub, "* | select n limit 300", check=0).stdout.count(b"\n") == 301
    stub.answers = [answer(many[:100], sql=True, keys=["n"], limited=100)]
    assert b"LIMIT" in query(server, stub, "* | select n", check=0).stdout.splitlines()[-1]
    stub.answers = [answer(many, sql=True, keys=["n"])]
    assert query(server, stub, "--limit", "2", "--output", "json", "* | select n limit 300", check=0).stdout.count(b"\n") == 2
    assert len(stub.asked) == 6, "SQL is asked once"


def test_events_show_their_main_columns(server, stub):
    stub.logs = [
        event_row(1, eventName="RunInstances", userIdentity={"userName": "ann"}, sourceIpAddress="203.0.113.9"),
        event_row(2, NOW - 1, eventName="DeleteTrail", userIdentity={"userName": "bo\u001b[31m\nroot"}, errorCode="NoPermission"),
        row(NOW - 2, event="no event"), row(NOW - 3, other="1")]
    lines = query(server, stub, "*", check=0).stdout.decode().split("\n")
    assert lines[0].split() == ["TIME", "USER", "EVENT", "SERVICE", "ADDRESS", "ERROR"]
    assert lines[1].split()[1:] == ["ann", "RunInstances", "Ecs", "203.0.113.9", "-"]
    assert lines[2].endswith("NoPermission") and "\u001b" not in lines[2] and len(lines) == 6
    stub.logs = [row(NOW, level="warn", text="disk full, \"now\""), row(NOW - 1, text="ok", extra="1")]
    done = query(server, stub, "--output", "csv", "*", check=0).stdout.decode()
    assert list(csv.reader(io.StringIO(done, newline=""))) == [
        ["__time__", "extra", "level", "text", "__source__", "__topic__"], [str(NOW), "", "warn", 'disk full, "now"', "", "t"],
        [str(NOW - 1), "1", "", "ok", "", "t"]]
    lines = query(server, stub, "*", check=0).stdout.decode().splitlines()
    assert lines[0].split() == ["TIME", "extra", "level", "text", "__topic__"] and "T" in lines[1].split()[0]


def test_nothing_found(server, stub):
    assert query(server, stub, "nowhere", check=0).stdout == b"no logs\n"
    assert query(server, stub, "--output", "json", "nowhere", check=0).stdout == b""
    query(server, stub, "--assert", "nowhere", check=1)
    stub.logs = [row(NOW, a="1")]
    query(server, stub, "--assert", "*", check=0)


def test_incomplete_answers_are_asked_again(server, stub):
    part = answer([row(NOW, n="part")], complete=False, looked=1234567)
    stub.answers = [part, part, answer([row(NOW, n="whole")])]
    done = query(server, stub, "--output", "json", "*", check=0)
    assert [json.loads(line)["n"] for line in done.stdout.splitlines()] == ["whole"] and done.stderr == b""
    assert stub.asked[0] == stub.asked[1] == stub.asked[2]


def test_an_answer_that_stays_incomplete_is_taken_and_gone_on_from(server, stub):
    """As when a whole page would be too long: three logs an answer, however often it is asked."""
    stub.logs = [row(NOW - n // 4, n=str(n)) for n in range(20)]
    get_logs = stub.get_logs

    def short(ask):
        rows = get_logs(ask)["data"]
        return answer(rows[:3], complete=len(rows) <= 3)

    stub.get_logs = short
    for order in ((), ("--oldest-first",)):
        stub.asked.clear()
        done = query(server, stub, "--limit", "1000", "--output", "json", *order, "*", check=0)
        numbers = [int(json.loads(line)["n"]) for line in done.stdout.splitlines()]
        assert sorted(numbers) == list(range(20)), "every log once"
        assert len(stub.asked) < 40


def terminal(server, columns, *arguments):
    """Exit code and screen of a command on a terminal of a certain width."""
    code, screen = server.on_a_terminal([], *arguments, columns=columns)
    return code, screen.decode()


def test_on_a_terminal(server, stub):
    where = ("query", "--sls", stub.url, "--project", "proj", "--logstore", "store")
    stub.answers = [answer([], complete=False, looked=1234567), answer([row(NOW, n="1")])]
    code, screen = terminal(server, 80, *where, "*")
    assert code == 0 and "1,234,567 rows" in screen and screen.index("rows") < screen.index("TIME")
    stub.logs = [
        event_row(n, eventName="DescribeSomethingWithAVeryLongName" * 2, userIdentity={"userName": "用户" * 30},
                  sourceIpAddress="2001:db8:1234:5678:9abc:def0:1234:5678", errorCode="SomeErrorCode.WithDetails") for n in range(3)]
    code, screen = terminal(server, 80, *where, "*")
    assert code == 0
    for line in screen.replace("\r", "").splitlines():
        width = sum(2 if ord(c) >= 0x1100 and c != "…" and ord(c) > 0x2E7F else 1 for c in line)
        assert width <= 80, line
        assert line.startswith("TIME") or line.startswith("20") and line[10:19].count(":") == 2, "times are whole"
    assert "…" in screen and "Describe" in screen


@pytest.mark.parametrize("text, line, column, shown, caret", [
    ("* | select nope from log", 1, 12, "* | select nope from log", 11),
    ("* |\nselect nope\nfrom log", 2, 8, "select nope", 7),
    ("* | select '名前' x y", 1, 18, "* | select '名前' x y", 19),
    ("* | select (1", 1, 14, "* | select (1", 13),
])
def test_a_caret_shows_where_sql_goes_wrong(server, stub, text, line, column, shown, caret):
    stub.refusal = (400, "ParameterInvalid", f"ErrorType:SYNTAX_ERROR.ErrorPosition,line:{line},column:{column}.ErrorMessage:it is wrong")
    done = query(server, stub, text, check=2)
    lines = done.stderr.decode().splitlines()
    assert lines[0] == "cairn: it is wrong (SYNTAX_ERROR)" and lines[1] == "  " + shown and lines[2] == "  " + " " * caret + "^"
    assert done.stdout == b""


def test_a_place_that_is_not_in_the_query_has_no_caret(server, stub):
    for place in ("line:7,column:1", "line:1,column:400", "line:0,column:0", "line:1,column:99999999999999999999"):
        stub.refusal = (400, "ParameterInvalid", f"ErrorType:X.ErrorPosition,{place}.ErrorMessage:wrong")
        assert b"^" not in query(server, stub, "*", check=2).stderr


@pytest.mark.parametrize("refusal, code", [
    ((400, "ParameterInvalid", "bad query"), 2), ((401, "SignatureNotMatch", "no"), 3), ((403, "Unauthorized", "denied"), 3),
    ((404, "LogStoreNotExist", "logstore x does not exist"), 1), ((500, "InternalServerError", "oh"), 3),
])
def test_refusals_end_with_their_code(server, stub, refusal, code):
    stub.refusal = refusal
    for command in ("query", "tail"):
        arguments = ("--sls", stub.url, "--project", "p", "--logstore", "l") + (("*",) if command == "query" else ())
        done = server.cairn(command, *arguments, check=code)
        assert refusal[2].encode() in done.stderr and done.stdout == b""


def test_usage(server, stub):
    for arguments in (
        (), ("--limit", "0", "*"), ("--limit", "x", "*"), ("--start", "whenever", "*"), ("--output", "xml", "*"), ("*", "*"),
        ("--start", "2026-01-02", "--end", "2026-01-01", "*"), ("--start", "infd", "*"),
    ):
        query(server, stub, *arguments, check=2)
    assert stub.asked == []
    for endpoint, code in (("127.0.0.1:1", 2), ("ftp://x", 2), ("http://127.0.0.1:1", 3)):
        server.cairn("query", "--sls", endpoint, "--project", "p", "--logstore", "l", "*", check=code)
    done = server.cairn("query", "*", check=2)
    assert b"--project" in done.stderr, "there is no trail with a logstore"
    server.cairn("tail", "--since", "soon", check=2)
    server.cairn("query", "*", env={"CAIRN_ACCESS_KEY_SECRET": "wrong"}, check=3)
    env = {"CAIRN_SLS_ENDPOINT": stub.url}
    server.cairn("query", "--project", "p", "--logstore", "l", "*", env=env, check=0)
    assert len(stub.asked) == 1


# Following


class Following:
    """A `cairn tail` that runs beside the test."""

    def __init__(self, server, *arguments):
        self.process = subprocess.Popen(
            [server.binary, "tail", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=server.client_environment())
        self.lines, self.notes = [], []
        for stream, kept in ((self.process.stdout, self.lines), (self.process.stderr, self.notes)):
            threading.Thread(target=self.read, args=(stream, kept), daemon=True).start()

    @staticmethod
    def read(stream, kept):
        for line in stream:
            kept.append(line.decode().rstrip("\n"))

    def events(self, service):
        return [e for e in map(json.loads, list(self.lines)) if e["serviceName"] == service]

    def end(self, number=signal.SIGINT):
        self.process.send_signal(number)
        return self.process.wait(20)


def test_tail_of_a_logstore(server, stub):
    stub.shards[0] = [group([(NOW, {"n": "before"})])]
    tail = Following(server, "--sls", stub.url, "--project", "p", "--logstore", "l", "--output", "json", "--query", "a: b")
    wait_for(lambda: len(stub.asked) >= 2, what="pulls of both shards")
    assert {ask["query"] for ask in stub.asked} == {"a: b"}
    stub.shards[0] += [group([(NOW + 2, {"n": f"x{i}"}), (NOW + 2, {"n": f"y{i}"})]) for i in range(10)]
    stub.shards[1] += [group([(NOW + 1, {"n": "z"})])]
    wait_for(lambda: len(tail.lines) >= 21, what="21 logs")
    time.sleep(1.5)
    rows = [json.loads(line) for line in tail.lines]
    assert sorted(r["n"] for r in rows) == sorted(["z"] + [f"{c}{i}" for c in "xy" for i in range(10)])
    assert rows[0]["__topic__"] == "a-topic" and rows[0]["__source__"] == "a-source" and rows[0]["__tag__:K"] == "V"
    # A restart: it goes on where it was.
    port = stub.port
    stub.close()
    wait_for(lambda: any("trying again" in note for note in tail.notes), what="a note")
    again = SLSStub(port)
    try:
        again.shards = {n: groups + [group([(NOW + 3, {"n": f"after{n}"})])] for n, groups in stub.shards.items()}
        wait_for(lambda: len(tail.lines) >= 23, what="the logs after the restart")
        assert sorted(json.loads(line)["n"] for line in tail.lines[21:]) == ["after0", "after1"]
        assert len(tail.notes) == 2 and "again" in tail.notes[1]
        assert tail.end() == 0
    finally:
        again.close()


def test_tail_from_an_earlier_time_as_a_table(server, stub):
    stub.shards[0] = [group([(NOW, {"event": json.dumps(event(1, eventName="Earlier"))}), (NOW, {"a": "1\u001b", "b": "2"})])]
    tail = Following(server, "--sls", stub.url, "--project", "p", "--logstore", "l", "--since", "1h")
    wait_for(lambda: len(tail.lines) >= 3, what="header and logs")
    assert tail.lines[0].split()[:3] == ["TIME", "USER", "EVENT"] and "Earlier" in tail.lines[1]
    assert tail.lines[2].split()[1:] == ["a=1", "b=2"]
    assert tail.end(signal.SIGTERM) == 0


def test_tail_of_the_event_history(server):
    late = lambda seconds: iso(now() - datetime.timedelta(seconds=seconds))  # noqa: E731
    server.record([event(i, eventId=f"too-early-{i}", serviceName="Followed", eventTime=late(i)) for i in range(60)])
    tail = Following(server, "--output", "json")
    wait_for(lambda: server.lookup([("EventName", "LookupEvents")], start=late(2)), what="the first look")
    time.sleep(1)
    expected = []
    for batch in range(6):
        # More than a page; some come late.
        events = [event(i, eventId=f"followed-{batch}-{i}", serviceName="Followed", eventTime=late(i % 20)) for i in range(60)]
        server.record(events)
        expected += [e["eventId"] for e in events]
        time.sleep(0.4)
    wait_for(lambda: len(tail.events("Followed")) >= len(expected), what="the events")
    time.sleep(3)
    ids = [e["eventId"] for e in tail.events("Followed")]
    assert sorted(ids) == sorted(expected), "each that was recorded since, once"
    looks = [e for e in tail.events("Actiontrail") if e["eventName"] == "LookupEvents"]
    assert all("python" in e["userAgent"] for e in looks), "its own lookups are not shown"
    assert tail.end() == 0
    since = Following(server, "--output", "json", "--since", "2m", "--query", "Followed")
    wait_for(lambda: len(since.lines) >= len(expected) + 60, what="earlier events")
    times = [json.loads(line)["eventTime"] for line in since.lines]
    assert times == sorted(times) and len(since.events("Followed")) == len(since.lines) == len(expected) + 60
    assert since.end() == 0


def test_tail_of_the_event_history_through_a_restart(make_server):
    server = make_server()
    folder, port = server.folder, server.api_host
    tail = Following(server, "--output", "json", "--query", "followedword")
    wait_for(lambda: server.lookup([("EventName", "LookupEvents")]), what="the first look")
    time.sleep(1)
    server.record([event(1, eventId="before-restart", serviceName="F", userAgent="followedword"), event(2, serviceName="F")])
    wait_for(lambda: tail.events("F"), what="the first event")
    assert server.stop() == 0
    wait_for(lambda: any("trying again" in note for note in tail.notes), what="a note")
    server.arguments += ["--api", port]
    server.start()
    assert server.api_host == port and server.folder == folder
    server.record([event(3, eventId="after-restart", serviceName="F", userAgent="followedword")])
    wait_for(lambda: len(tail.events("F")) >= 2, what="the event after the restart")
    assert [e["eventId"] for e in tail.events("F")] == ["before-restart", "after-restart"]
    assert tail.end() == 0
    assert server.cairn("tail", env={"CAIRN_ENDPOINT": "http://127.0.0.1:1"}).returncode == 3


# Against the sls port


@pytest.fixture(scope="module")
def logged(module_server):
    """A trail that delivers to a logstore, and what it delivered."""
    server = module_server
    make_project(server, "cli-project")
    server.call("CreateTrail", {"Name": "cli-trail", "SlsProjectArn": project_arn(server, "cli-project")})
    server.call("StartLogging", {"Name": "cli-trail"})
    events = [event(i, eventId=f"logged-{i}", serviceName="Logged", eventName=f"Call{i % 3}",
                    userIdentity={"type": "ram-user", "userName": f"user{i % 5}"}) for i in range(230)]
    server.record(events)

    def count():
        done = server.cairn("query", "--output", "json", "event.serviceName: Logged | select count(*) as n", env=where(server))
        return done.returncode == 0 and json.loads(done.stdout or b"{}").get("n") == "230"

    wait_for(count, what="the delivery")
    return events


def where(server):
    return {"CAIRN_SLS_ENDPOINT": server.sls}


def test_query_of_the_only_trail(server, logged):
    for named in ((), ("--trail", "cli-trail"), ("--logstore", "actiontrail_cli-trail"), ("--project", "cli-project")):
        done = server.cairn("query", *named, "--limit", "1000", "--output", "json", "event.serviceName: Logged", env=where(server), check=0)
        found = [json.loads(json.loads(line)["event"])["eventId"] for line in done.stdout.splitlines()]
        assert sorted(found) == sorted(e["eventId"] for e in logged)
    lines = server.cairn("query", "--limit", "5", "event.serviceName: Logged", env=where(server), check=0).stdout.decode().splitlines()
    assert lines[0].split()[:3] == ["TIME", "USER", "EVENT"] and len(lines) == 7
    done = server.cairn(
        "query", "--output", "csv", 'event.serviceName: Logged | select "event.eventName" as n, count(*) as c group by n order by n',
        env=where(server), check=0)
    assert done.stdout == b"n,c\r\nCall0,77\r\nCall1,77\r\nCall2,76\r\n"
    done = server.cairn("query", "--trail", "no-such-trail", "*", env=where(server), check=2)
    assert b"cli-trail" in done.stderr
    done = server.cairn("query", "* | select nope from", env=where(server), check=2)
    assert b"^" in done.stderr
    server.cairn("query", "--project", "cli-project", "--logstore", "none", "*", env=where(server), check=1)


def test_tail_of_a_trail(server, logged):
    tail = Following(server, "--trail", "cli-trail", "--sls", server.sls, "--query", "event.serviceName: Tailed", "--output", "json")
    time.sleep(2)
    server.record([event(i, eventId=f"tailed-{i}", serviceName="Tailed") for i in range(40)])
    wait_for(lambda: len(tail.lines) >= 40, what="the logs")
    time.sleep(1.5)
    assert sorted(json.loads(json.loads(line)["event"])["eventId"] for line in tail.lines) == sorted(f"tailed-{i}" for i in range(40))
    assert tail.end() == 0
