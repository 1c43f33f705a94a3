# The official SDKs' smoke scripts, run as they are.
# SPDX-License-Identifier: Apache-2.0
import datetime
import os
import subprocess
import sys

from support import MOVABLE_CLOCK, KEY, REGION, SECRET, event, iso, now


def run(script, shared, timeout=300, **variables):
    env = dict(os.environ, ACCESS_KEY_ID=KEY, ACCESS_KEY_SECRET=SECRET, REGION=REGION, REGION_ID=REGION, **variables)
    done = subprocess.run(
        [sys.executable, str(shared / "reference/sdk" / script)], env=env, capture_output=True, text=True, timeout=timeout)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    return done.stdout


def test_actiontrail_with_both_signatures(server, shared):
    server.make_bucket("audit-log-smoke")
    server.record([
        event(i, eventTime=iso(now() - datetime.timedelta(seconds=60 + i)), eventRW="Write" if i % 2 else "Read") for i in range(8)
    ])
    said = run("actiontrail_smoke.py", shared, ENDPOINT=server.api_host, SIGNATURE="both", OSS_BUCKET="audit-log-smoke")
    assert "ok [v3]" in said and "ok [v1]" in said


def test_keys_and_access_at_the_full_level(server, shared):
    said = run("kms_ram_smoke.py", shared, ENDPOINT=server.api_host, SMOKE_LEVEL="full")
    assert "skip" not in said and said.endswith(" passed, 0 failed\n")


def test_buckets_with_every_signature(server, shared):
    """Without the two checks that need the clock of retention moved."""
    said = run("oss_smoke.py", shared, ENDPOINT=server.oss, AUTH_VERSIONS="v1,v2,v4")
    assert "27 passed, 0 failed, 6 skipped" in said


def test_buckets_while_the_clock_of_retention_moves(make_server, shared, tmp_path):
    clock = tmp_path / "clock"
    clock.write_text("0")
    server = make_server(binary=MOVABLE_CLOCK, extra=("--clock", str(clock)))
    advance = f"n=$(cat {clock}); echo $((n + {{seconds}})) > {clock}.new && mv {clock}.new {clock}"
    said = run("oss_smoke.py", shared, ENDPOINT=server.oss, AUTH_VERSIONS="v1,v2,v4", WORM_ADVANCE_CMD=advance)
    assert "27 passed, 0 failed, 0 skipped" in said
