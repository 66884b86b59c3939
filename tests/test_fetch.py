"""make fetch, against a server that speaks the few calls it needs."""
import hashlib
import http.server
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

import pytest
from engine import ROOT

MODEL = bytes(range(256)) * 8192            # 2 MiB
HALF = len(MODEL) // 2
COMMIT = "c" * 40


class Hub(http.server.BaseHTTPRequestHandler):
    """A hub with some models. server.mode says what happens in the middle
    of a file: "cut" closes the connection once, "hang" sends no more, "bend"
    sends other bytes; "bare" tells neither size nor hash."""
    protocol_version = "HTTP/1.1"
    repos = {
        "us/one-GGUF": ["README.md", "one.Q4_0.gguf"],
        "us/many-GGUF": ["many.Q4_0.gguf", "many.Q4_K_M.gguf",
                         "many.Q4_K_S.gguf"],
        "us/none": ["model.safetensors"],
        "us/eye-GGUF": ["mmproj-eye-F16.gguf", "eye.Q4_0.gguf"],
        "us/bent-GGUF": ["red\x1b[31m.gguf", "other.gguf"],
        "us/split-GGUF": ["s-00001-of-00002.gguf", "s-00002-of-00002.gguf"],
    }

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        path = self.path.split("?")[0]
        self.server.seen.append((path, self.headers.get("Range")))
        if path.startswith("/api/models/"):
            self.describe(path.removeprefix("/api/models/"))
            return
        repo, _, rest = path[1:].partition("/resolve/")
        commit, _, name = rest.partition("/")
        if commit != COMMIT or name not in self.repos.get(repo, []):
            self.answer(404, X_Error_Code="EntryNotFound")
        else:
            self.send_file()

    def describe(self, repo):
        if repo not in self.repos:
            self.answer(401, b'{"error": "no"}', X_Error_Code="RepoNotFound")
            return
        digest = hashlib.sha256(MODEL).hexdigest()
        self.answer(200, json.dumps({
            "id": repo, "sha": COMMIT, "siblings": [
                {"rfilename": name} if self.server.mode == "bare" else
                {"rfilename": name, "size": len(MODEL), "lfs": {
                    "sha256": digest, "size": len(MODEL),
                    "pointerSize": 130}} for name in self.repos[repo]],
        }).encode(), Content_Type="application/json")

    def send_file(self):
        begin = 0
        if self.headers.get("Range"):
            begin = int(self.headers["Range"].removeprefix("bytes=")[:-1])
        self.send_response(206 if begin else 200)
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-"
                             f"{len(MODEL) - 1}/{len(MODEL)}")
        self.send_header("Content-Length", str(len(MODEL) - begin))
        self.end_headers()
        mode, data = self.server.mode, MODEL
        if mode == "bend":
            data = MODEL[:-1] + b"x"
        if mode in ("cut", "hang") and begin < HALF:
            self.wfile.write(data[begin:HALF])
            self.wfile.flush()
            if mode == "cut":
                self.server.mode = ""
            else:
                self.server.release.wait(30)
            self.close_connection = True
            return
        self.wfile.write(data[begin:])


@pytest.fixture
def hub():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.daemon_threads = True
    server.mode, server.seen = "", []
    server.release = threading.Event()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.release.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def place(tmp_path):
    """A tree of its own, so that data/models of this one is left alone."""
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools/fetch", tmp_path / "tools/fetch")
    return tmp_path


def start(place, name, endpoint):
    environment = {k: v for k, v in os.environ.items()
                   if not k.startswith("HF_") and "proxy" not in k.lower()}
    environment |= {"HF_ENDPOINT": endpoint, "HF_HOME": str(place / "home")}
    return subprocess.Popen([sys.executable, place / "tools/fetch", name],
                            env=environment, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def fetch(place, name, hub, code=0):
    port = hub if isinstance(hub, int) else hub.server_address[1]
    child = start(place, name, f"http://127.0.0.1:{port}")
    out, said = child.communicate(timeout=60)
    assert child.returncode == code, (out, said)
    assert "Traceback" not in said
    return out if code == 0 else said


def models(place):
    folder = place / "data/models"
    return {p.name: p for p in folder.iterdir()} if folder.exists() else {}


def test_the_only_file(place, hub):
    path = place / "data/models/one.Q4_0.gguf"
    assert fetch(place, "us/one-GGUF", hub) == f"{path}\n"
    assert set(models(place)) == {path.name} and path.read_bytes() == MODEL
    fetch(place, "us/one-GGUF", hub)        # there already: only asked for
    assert len([path for path, _ in hub.seen if "/resolve/" in path]) == 1


def test_which_of_many(place, hub):
    said = fetch(place, "us/many-GGUF", hub, code=1)
    assert said.startswith("error: us/many-GGUF has 3 models; add :file")
    assert all(name in said for name in Hub.repos["us/many-GGUF"])
    said = fetch(place, "us/many-GGUF:q4_k", hub, code=1)
    assert "2 files like q4_k; say more of the name" in said
    assert "many.Q4_0.gguf" not in said
    assert "no file called Q9" in fetch(place, "us/many-GGUF:Q9", hub, code=1)
    assert models(place) == {}
    fetch(place, "us/many-GGUF:q4_k_m", hub)
    fetch(place, "us/many-GGUF:many.Q4_0.gguf", hub)
    assert set(models(place)) == {"many.Q4_K_M.gguf", "many.Q4_0.gguf"}


def test_all_parts_of_a_split_model(place, hub):
    assert fetch(place, "us/split-GGUF", hub).endswith(
        "s-00001-of-00002.gguf\n")
    assert set(models(place)) == set(Hub.repos["us/split-GGUF"])


def test_one_sentence_each(place, hub):
    for name, part in (("us/unknown", "there is no model us/unknown"),
                       ("us/none", "has no .gguf file"),
                       ("data/models/x.gguf", "names no model"),
                       ("$(touch x)", "names no model"),
                       ("", "names no model")):
        said = fetch(place, name, hub, code=1)
        assert said.startswith("error: ") and part in said
        assert said.count("\n") == 1
    free = hub.server_address[1]
    hub.shutdown()
    hub.server_close()
    said = fetch(place, "us/one-GGUF", free, code=1)
    assert "is there a network?" in said and said.count("\n") == 1


def test_a_line_that_breaks_is_taken_up(place, hub):
    """The connection closes in the middle: the rest is asked for."""
    hub.mode = "cut"
    fetch(place, "us/one-GGUF", hub)
    assert models(place)["one.Q4_0.gguf"].read_bytes() == MODEL
    assert [r for _, r in hub.seen if r] == [f"bytes={HALF}-"]


def hanging(place, hub):
    """A fetch that got half of its model and waits for the rest."""
    hub.mode = "hang"
    child = start(place, "us/one-GGUF",
                  f"http://127.0.0.1:{hub.server_address[1]}")
    late = time.monotonic() + 30
    while not any(p.stat().st_size for p in models(place).values()):
        assert time.monotonic() < late and child.poll() is None
        time.sleep(0.05)
    return child


def test_two_at_once(place, hub):
    """The second is refused, and the first's work is left alone."""
    first = hanging(place, hub)
    (partial,) = models(place).values()
    hub.mode = ""
    said = fetch(place, "us/one-GGUF", hub, code=1)
    assert "is being fetched by another command" in said
    assert list(models(place).values()) == [partial]
    hub.release.set()
    out, said = first.communicate(timeout=30)
    assert first.returncode == 0, said
    assert models(place)["one.Q4_0.gguf"].read_bytes() == MODEL


def test_names_of_the_server(place, hub):
    """They are no orders to a terminal, and an eye is no second model."""
    for name in ("us/bent-GGUF", "us/bent-GGUF:red"):
        said = fetch(place, name, hub, code=1)
        assert "\x1b" not in said and "red\\x1b[31m.gguf" in said
    assert fetch(place, "us/eye-GGUF", hub).endswith("/eye.Q4_0.gguf\n")
    fetch(place, "us/eye-GGUF:mmproj", hub)
    assert set(models(place)) == set(Hub.repos["us/eye-GGUF"])


def test_a_server_that_tells_no_size(place, hub):
    hub.mode = "bare"
    assert "tells no size of one.Q4_0.gguf" in fetch(place, "us/one-GGUF",
                                                     hub, code=1)
    said = fetch(place, "us/many-GGUF", hub, code=1)
    assert all(f"\n  {name}" in said for name in Hub.repos["us/many-GGUF"])
    assert models(place) == {}


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_killed_in_the_middle(place, hub, how):
    """Nothing looks whole, and the next time only the rest is asked for."""
    child = hanging(place, hub)
    child.send_signal(how)
    _, said = child.communicate(timeout=30)
    assert child.returncode != 0 and "Traceback" not in said
    (partial,) = models(place).values()
    assert partial.suffix == ".partial"
    size = partial.stat().st_size
    assert 0 < size <= HALF
    hub.mode = ""
    fetch(place, "us/one-GGUF", hub)
    assert set(models(place)) == {"one.Q4_0.gguf"}
    assert models(place)["one.Q4_0.gguf"].read_bytes() == MODEL
    assert [r for _, r in hub.seen if r] == [f"bytes={size}-"]


def test_other_bytes_are_not_kept(place, hub):
    hub.mode = "bend"
    said = fetch(place, "us/one-GGUF", hub, code=1)
    assert "was not kept" in said and models(place) == {}


def test_another_file_is_not_replaced(place, hub):
    (place / "data/models").mkdir(parents=True)
    mine = place / "data/models/one.Q4_0.gguf"
    mine.write_bytes(b"mine")
    assert "move it away" in fetch(place, "us/one-GGUF", hub, code=1)
    assert mine.read_bytes() == b"mine"


def test_full_disk(place, hub):
    """Said before anything is fetched; and, where the disk fills up on the
    way, what came is kept."""
    script = (place / "tools/fetch").read_text()
    (place / "tools/fetch").write_text(script.replace(
        "free = shutil.disk_usage(FOLDER).free", "free = 1000"))
    said = fetch(place, "us/one-GGUF", hub, code=1)
    assert "2,097,152 bytes more" in said and "1,000 free" in said
    assert models(place) == {}
    (place / "tools/fetch").write_text(script.replace(
        "        http_get(", "        raise OSError(28, 'full')\n"
        "        http_get("))
    said = fetch(place, "us/one-GGUF", hub, code=1)
    assert "is full; make room" in said
    assert [p.suffix for p in models(place).values()] == [".partial"]


def test_the_makefile_passes_the_name_as_it_is():
    done = subprocess.run(
        ["make", "-n", "fetch", "MODEL=a/b'$(touch x);\"c"], cwd=ROOT,
        capture_output=True, text=True, check=True)
    assert 'tools/fetch "$FETCH"' in done.stdout
    assert "touch" not in done.stdout


def test_make_without_a_model_asks_for_one():
    """The MODEL of `make run` is a file, and nobody typed it."""
    done = subprocess.run(
        ["make", "-s", "fetch", "PYTHON=echo $$FETCH:"], cwd=ROOT, text=True,
        env={k: v for k, v in os.environ.items() if k != "MODEL"},
        capture_output=True, check=False)
    assert "SmolLM2" not in done.stdout
    assert "MODEL=owner/name" in done.stderr and done.returncode == 2

