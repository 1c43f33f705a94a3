# Starting and stopping: the ready line, settings, second starts, SIGTERM.
# SPDX-License-Identifier: Apache-2.0
import json
import os
import re
import stat
import subprocess
import threading
import time

import support
from support import event


def test_ready_line_names_every_port_and_healthz_answers(server):
    assert re.fullmatch(
        r"cairn ready api=http://127\.0\.0\.1:\d+ oss=http://127\.0\.0\.1:\d+ sls=http://127\.0\.0\.1:\d+ "
        r"console=http://127\.0\.0\.1:\d+/console", server.ready)
    assert server.get("/healthz").status == 200
    metrics = server.get("/metrics")
    assert metrics.status == 200 and b"cairn_log_size" in metrics.content


def test_first_start_without_environment_writes_usable_credentials(tmp_path):
    data = tmp_path / "data"
    env = {k: v for k, v in os.environ.items() if not k.startswith("CAIRN_")}
    process = subprocess.Popen(
        [support.BINARY, "serve", "--data", str(data), "--api", "127.0.0.1:0", "--oss", "127.0.0.1:0", "--sls", "127.0.0.1:0"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env)
    try:
        ready = process.stdout.readline().decode()
        path = data / "root-credentials.json"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE((data / "root.key").stat().st_mode) == 0o600
        credentials = json.loads(path.read_text())
        api = re.search(r"api=(\S+)", ready).group(1)
        # The client commands find the file by the data folder alone.
        done = subprocess.run(
            [support.BINARY, "put", "--endpoint", api, "--data", str(data), "-"], input=support.ndjson([event(1)]),
            capture_output=True, env=env, timeout=60)
        assert done.returncode == 0, done.stderr
        assert credentials["AccessKeySecret"].encode() not in done.stdout + done.stderr
    finally:
        process.terminate()
        assert process.wait(30) == 0
        process.stdout.close()


def test_second_start_on_the_same_folder_is_refused(make_server):
    server = make_server()
    second = subprocess.run(server.command(), capture_output=True, env=server.environment(), timeout=60)
    assert second.returncode == 3
    assert b"in use by another cairn" in second.stderr and str(server.data).encode() in second.stderr
    assert second.stdout == b""
    assert server.get("/healthz").status == 200


def test_listening_beyond_loopback_without_tls_is_refused(tmp_path):
    for listen, text in (("0.0.0.0:0", b"loopback"), ("not-an-address", b"HOST:PORT")):
        done = subprocess.run(
            [support.BINARY, "serve", "--data", str(tmp_path / "data"), "--api", listen], capture_output=True, timeout=60)
        assert done.returncode == 2 and text in done.stderr, done


def test_a_folder_that_cannot_be_used_is_a_clear_refusal(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    done = subprocess.run(
        [support.BINARY, "serve", "--data", str(tmp_path / "file" / "data"), "--api", "127.0.0.1:0"], capture_output=True, timeout=60)
    assert done.returncode == 3 and b"cannot be used" in done.stderr, done


def test_sigterm_under_load_keeps_everything_acknowledged(make_server):
    server = make_server()
    server.trail("under-load", "under-load-bucket")
    acknowledged, lock, stopping = [], threading.Lock(), threading.Event()

    def work(worker):
        number = 0
        while not stopping.is_set():
            batch = [event(number + i, eventId=f"load-{worker}-{number + i}") for i in range(20)]
            number += 20
            try:
                answer = server.put(batch)
            except Exception:
                return
            if answer.status == 200:
                with lock:
                    acknowledged.extend(e["eventId"] for e in batch)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(1.5)
    assert server.stop() == 0, server.log()[-2000:]
    stopping.set()
    for thread in threads:
        thread.join(30)
    assert len(acknowledged) > 100
    server.start()
    held = server.ids([("ServiceName", "Ecs")])
    assert len(held) == len(set(held))
    assert set(acknowledged) <= set(held)
