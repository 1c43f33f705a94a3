# The official SDKs' smoke scripts, run as they are.
# SPDX-License-Identifier: Apache-2.0
import datetime
import os
import subprocess
import sys

from support import KEY, REGION, SECRET, event, iso, now


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


def test_buckets_with_every_signature(server, shared):
    """Without its section on encryption, which names a key that nobody made, and the checks that move the clock of retention."""
    said = run("oss_smoke.py", shared, ENDPOINT=server.oss, AUTH_VERSIONS="v1,v2,v4", SKIP="encryption")
    assert " passed, 0 failed" in said and "FAIL" not in said
