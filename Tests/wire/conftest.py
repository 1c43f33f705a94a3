# Fixtures: a server for a module, and a maker of servers for tests that stop, kill or break theirs.
# SPDX-License-Identifier: Apache-2.0
import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
for variable in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
    os.environ.pop(variable, None)

import support  # noqa: E402


def pytest_sessionstart(session):
    if not os.access(support.BINARY, os.X_OK):
        pytest.exit(f"no cairn binary at {support.BINARY}: build it, or set CAIRN_BINARY", returncode=2)


def finish(server):
    """Every server has to stop cleanly on SIGTERM, whatever the test did to it."""
    if server.is_running:
        assert server.stop() == 0, server.log()[-3000:]


@pytest.fixture(scope="module")
def module_server(tmp_path_factory):
    server = support.Server(tmp_path_factory.mktemp("cairn")).start()
    yield server
    finish(server)


@pytest.fixture
def server(module_server):
    """The module's server. A test that kills it fails, and leaves a fresh start to the next one."""
    yield module_server
    if not module_server.is_running:
        code = module_server.process.returncode
        log = module_server.log()
        module_server.start()
        pytest.fail(f"the server died (exit {code}):\n" + "\n".join(
            line for line in log.splitlines() if "atal" in line or "rash" in line)[-2000:])


@pytest.fixture
def make_server(tmp_path):
    made = []

    def make(folder=None, **options):
        server = support.Server(folder or tmp_path / f"cairn{len(made)}", **options)
        made.append(server)
        return server.start()

    yield make
    for server in made:
        finish(server)


@pytest.fixture
def shared():
    """The folder of reference data that only some machines have."""
    if not support.SHARED.is_dir():
        pytest.skip(f"{support.SHARED} is not here: set CAIRN_SHARED to the folder of shared test data")
    return support.SHARED
