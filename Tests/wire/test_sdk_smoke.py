# The official SDK's smoke script, run as it is, with both signatures.
# SPDX-License-Identifier: Apache-2.0
import datetime
import os
import subprocess
import sys

from support import KEY, REGION, SECRET, event, iso, now


def test_smoke_script_passes_with_both_signatures(server, shared):
    server.make_bucket("audit-log-smoke")
    server.record([
        event(i, eventTime=iso(now() - datetime.timedelta(seconds=60 + i)), eventRW="Write" if i % 2 else "Read") for i in range(8)
    ])
    env = dict(
        os.environ, ENDPOINT=server.api_host, ACCESS_KEY_ID=KEY, ACCESS_KEY_SECRET=SECRET, SIGNATURE="both",
        OSS_BUCKET="audit-log-smoke", REGION_ID=REGION)
    done = subprocess.run(
        [sys.executable, str(shared / "reference/sdk/actiontrail_smoke.py")], env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ok [v3]" in done.stdout and "ok [v1]" in done.stdout
