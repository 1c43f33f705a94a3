# The official SLS SDK against a Cairn of one's own.
# SPDX-License-Identifier: Apache-2.0
import socket
import time

from aliyun.log import LogClient

_look_up = socket.getaddrinfo


def _local(host, *arguments, **options):
    """The SDK puts the project before the host, and such names are in no DNS."""
    if isinstance(host, str) and host.endswith(".localhost"):
        host = "127.0.0.1"
    return _look_up(host, *arguments, **options)


socket.getaddrinfo = _local


def client(server):
    return LogClient("localhost:" + server.sls_host.rsplit(":", 1)[1], server.key, server.secret, source="127.0.0.1")


def project_arn(server, project, account=None, region=None):
    return f"acs:log:{region or server.region}:{account or server.account}:project/{project}"


def make_project(server, project):
    client(server).create_project(project, "made up")


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
