"""The OpenAI engine against a real server that misbehaves on purpose."""

import json
import subprocess
import sys
import time
import traceback
from pathlib import Path
from urllib.parse import quote

import pytest

from snowcoder.errors import EngineError
from snowcoder.inference.engine import Chat, Completion, Sampling
from snowcoder.inference.engines import rate_limit
from snowcoder.inference.engines.endpoint import Endpoint
from snowcoder.inference.engines.openai_engine import OpenAIEngine
from snowcoder.inference.engines.response_store import ResponseStore, StoredEngine
from tests.inference.engines.misbehaving_server import MisbehavingServer, serving

SAMPLING = Sampling(16)
PROMPTS = [f"prompt {number}" for number in range(20)]
EXPECTED = [f"answer to {prompt} (greedy)" for prompt in PROMPTS]


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limit, "FIRST_WAIT_S", 0.005)


def _engine(server: MisbehavingServer, max_spend_tokens: int | None = None, **changes) -> OpenAIEngine:
    settings = {"concurrency": 4, "timeout_s": 5.0, "attempts": 4} | changes
    return OpenAIEngine(Endpoint(server.url, **settings), "m", max_spend_tokens)


def _texts(engine: OpenAIEngine, prompts=PROMPTS, sampling: Sampling = SAMPLING) -> list[str]:
    return [completion.text for completion in engine.generate(prompts, sampling)]


FAULTS = ["status 408", "status 429", "status 500", "status 503", "close", "cut", "nonsense", "page", "hollow", "abort", "hang", "stall"]
FAULTS += ["list", "infinite", "deep"]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_passes_costs_another_attempt_and_nothing_else(fault: str):
    faulty = set(PROMPTS[::3])
    with serving(MisbehavingServer(lambda body, before: fault if body["prompt"] in faulty and before == 0 else "ok")) as server:
        assert _texts(_engine(server, timeout_s=0.5 if fault in ("hang", "stall") else 5.0)) == EXPECTED
    assert sorted(server.answered.values()) == [1] * len(PROMPTS)
    assert sum(server.asked.values()) == len(PROMPTS) + len(faulty)


def test_chats_and_plain_prompts_go_to_their_own_paths_with_the_key():
    with serving(MisbehavingServer(lambda body, before: "ok")) as server:
        engine = _engine(server, api_key="secret-of-tests")
        assert _texts(engine, ["p", Chat("be terse", "q")]) == ["answer to p (greedy)", "answer to q (greedy)"]
    assert server.paths == {"/v1/completions", "/v1/chat/completions"}
    assert server.keys == {"Bearer secret-of-tests"}


def test_draws_have_seeds_of_their_own():
    with serving(MisbehavingServer(lambda body, before: "ok")) as server:
        drawn = _texts(_engine(server), ["p"] * 4, Sampling(16, temperature=0.8))
        again = _texts(_engine(server), ["p"] * 4, Sampling(16, temperature=0.8))
        other = _texts(_engine(server), ["p"] * 4, Sampling(16, temperature=0.8, seed=1))
    assert len(set(drawn)) == 4
    assert drawn == again
    assert not set(drawn) & set(other)


@pytest.mark.parametrize("concurrency", [1, 3, 8])
def test_the_batch_is_kept_full_and_no_fuller(concurrency: int):
    def manners(body, before):
        deadline = time.monotonic() + 20
        while server.most_open < concurrency and time.monotonic() < deadline:
            time.sleep(0.005)  # answers nothing before it is as busy as it should be
        return "ok"

    server = MisbehavingServer(manners)
    with serving(server):
        assert _texts(_engine(server, concurrency=concurrency, timeout_s=60.0)) == EXPECTED
    assert server.most_open == concurrency


def test_retry_after_holds_back_every_request():
    def manners(body, before):
        return "status 429" if len(server.times) == 1 else "ok"

    server = MisbehavingServer(manners, lambda action: {"Retry-After": "1"} if action == "status 429" else {})
    with serving(server):
        assert _texts(_engine(server, concurrency=1), PROMPTS[:3]) == EXPECTED[:3]
    assert server.times[1] - server.times[0] >= 1.0


@pytest.mark.parametrize(("kind", "left"), [("requests", "9"), ("tokens", "900")])
def test_an_exhausted_allowance_is_waited_out_without_an_error(kind: str, left: str):
    def headers(action):
        first = len(server.times) == 1
        return {f"x-ratelimit-remaining-{kind}": "0" if first else left, f"x-ratelimit-reset-{kind}": "700ms"}

    server = MisbehavingServer(lambda body, before: "ok", headers)
    with serving(server):
        assert _texts(_engine(server, concurrency=1), PROMPTS[:4]) == EXPECTED[:4]
    assert server.times[1] - server.times[0] >= 0.7
    assert sum(server.asked.values()) == 4


def test_an_answer_at_the_last_attempt_is_taken():
    # three refusals with a wait each, one attempt left
    server = MisbehavingServer(lambda body, before: "status 429" if before < 3 else "ok", lambda action: {"Retry-After": "0.05"})
    with serving(server):
        assert _texts(_engine(server), PROMPTS[:1]) == EXPECTED[:1]
    assert sum(server.asked.values()) == 4


@pytest.mark.parametrize(
    ("status", "told"),
    [("400", "refuses a request"), ("401", "refuses a request"), ("404", "as told"), ("429 insufficient_quota", "insufficient_quota")],
)
def test_a_refusal_is_told_at_once(status: str, told: str):
    with serving(MisbehavingServer(lambda body, before: f"status {status}")) as server, pytest.raises(EngineError, match=told):
        _texts(_engine(server, concurrency=1))
    assert sum(server.asked.values()) == 1


def test_what_was_answered_is_handed_on_before_the_error():
    bad = PROMPTS[5]
    with serving(MisbehavingServer(lambda body, before: "status 500" if body["prompt"] == bad else "ok", work_s=0.01)) as server:
        got: list[tuple[int, Completion]] = []
        with pytest.raises(EngineError, match=r"no answer to a request in 4 attempts \(the last: status 500"):
            got.extend(_engine(server).complete(PROMPTS, SAMPLING, [0] * len(PROMPTS)))
    assert all(completion.text == EXPECTED[index] for index, completion in got)
    assert len(got) == sum(server.answered.values()) >= 5


@pytest.mark.parametrize("limit", [60, 200])
def test_the_spend_limit_holds_while_many_are_open(limit: int):
    # 12 tokens each by the server's count; 8 + 64 + 16 at most by ours
    with serving(MisbehavingServer(lambda body, before: "ok")) as server:
        got = []
        with pytest.raises(EngineError, match=f"the limit is {limit}.*raise engine.max_spend_tokens"):
            got.extend(_engine(server, limit, concurrency=8).complete(PROMPTS, SAMPLING, [0] * len(PROMPTS)))
        assert len(got) * 12 <= limit
        assert len(got) == (0 if limit < 88 else (limit - 88) // 12 + 1)
        assert sum(server.asked.values()) == len(got)
        assert _texts(_engine(server, 20 * 12 + 100)) == EXPECTED


def test_what_failed_is_charged_to_the_spend_limit_too():
    # an attempt that fails may have been worked on: 88 tokens at most each, and a server that always fails ends the spending
    with serving(MisbehavingServer(lambda body, before: "status 500")) as server:
        with pytest.raises(EngineError, match="the limit is 200"):
            _texts(_engine(server, 200, concurrency=1, attempts=9), PROMPTS[:1])
        assert sum(server.asked.values()) == 2


@pytest.mark.parametrize("fault", ["list", "infinite", "deep"])
@pytest.mark.parametrize("prompt", ["p", Chat("", "p")])
def test_an_answer_of_another_shape_enters_no_store_and_the_next_run_asks_again(tmp_path: Path, fault: str, prompt: str | Chat):
    path, manners = tmp_path / "responses.jsonl", [fault]
    with serving(MisbehavingServer(lambda body, before: manners[0])) as server:
        with ResponseStore(path) as store, pytest.raises(EngineError, match=r"no answer to a request in 2 attempts \(the last: "):
            StoredEngine(lambda: _engine(server, attempts=2), store, "m", "v").generate([prompt], SAMPLING)
        assert path.read_bytes() == b""
        manners[0] = "ok"
        with ResponseStore(path) as store:
            [completion] = StoredEngine(lambda: _engine(server), store, "m", "v").generate([prompt], SAMPLING)
    assert completion.text == "answer to p (greedy)"


ENDS = ["echo 401", "echo 403", "echo 429", "echo 500", "echo 200", "nonsense", "close"]


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("place", ["key", "address"])
def test_no_error_shows_a_key_or_a_password(end: str, place: str, capsys: pytest.CaptureFixture[str]):
    planted = 'planted/"secret"&<x>'
    server = MisbehavingServer(lambda body, before: end)
    url = server.url if place == "key" else server.url.replace("//", f"//user:{quote(planted, safe='')}@")
    engine = OpenAIEngine(Endpoint(url, planted if place == "key" else "", attempts=2), "m")
    with serving(server), pytest.raises(EngineError) as caught:
        engine.generate(["p"], SAMPLING)
    assert len(server.keys) == 1
    told = "".join(traceback.format_exception(caught.value)) + "".join(capsys.readouterr()) + repr(vars(engine))
    assert "planted" not in told
    assert not any(key.partition(" ")[2] in told for key in server.keys)
    assert server.url in str(caught.value)


def test_an_answer_that_holds_the_key_is_kept_as_it_is():
    with serving(MisbehavingServer(lambda body, before: "ok")) as server:
        assert _texts(_engine(server, api_key="EMPTY"), ["is EMPTY a word?"]) == ["answer to is EMPTY a word? (greedy)"]


def test_an_address_to_which_nobody_can_be_asked_ends_the_run_at_once():
    server = MisbehavingServer(lambda body, before: "status 302", lambda action: {"Location": "http://no port:x/"})
    with serving(server), pytest.raises(EngineError, match="is no address that can be asked"):
        _texts(_engine(server), ["p"])
    assert sum(server.asked.values()) == 1


def test_a_dead_server_is_named():
    engine = OpenAIEngine(Endpoint("http://127.0.0.1:9/v1", attempts=2), "m")
    with pytest.raises(EngineError, match=r"127\.0\.0\.1:9/v1: no answer .*Connect.*fix the server and run again"):
        engine.generate(["p"], SAMPLING)


def test_a_server_that_dies_in_the_middle_is_asked_nothing_twice_by_the_next_run(tmp_path: Path):
    path = tmp_path / "responses.jsonl"
    alive = 9
    dying = MisbehavingServer(lambda body, before: "ok" if len(dying.times) <= alive else "close")
    with serving(dying), ResponseStore(path) as store, pytest.raises(EngineError, match="no answer"):
        StoredEngine(lambda: _engine(dying), store, "m", "v").generate(PROMPTS, SAMPLING)
    before = path.read_bytes()
    answered = {json.loads(key)["prompt"] for key in dying.answered}
    assert len(answered) >= 5
    with serving(MisbehavingServer(lambda body, before: "ok")) as healthy, ResponseStore(path) as store:
        engine = StoredEngine(lambda: _engine(healthy), store, "m", "v")
        assert [completion.text for completion in engine.generate(PROMPTS, SAMPLING)] == EXPECTED
        assert {json.loads(key)["prompt"] for key in healthy.asked} == set(PROMPTS) - answered
        assert (engine.asked, engine.reused) == (len(PROMPTS) - len(answered), len(answered))
    assert path.read_bytes().startswith(before)


KILLED = """
import sys
from pathlib import Path
from snowcoder.inference.engine import Sampling
from snowcoder.inference.engines.endpoint import Endpoint
from snowcoder.inference.engines.openai_engine import OpenAIEngine
from snowcoder.inference.engines.response_store import ResponseStore, StoredEngine
url, path = sys.argv[1:]
with ResponseStore(Path(path)) as store:
    engine = StoredEngine(lambda: OpenAIEngine(Endpoint(url, concurrency=2), "m"), store, "m", "v")
    engine.generate([f"prompt {number}" for number in range(20)], Sampling(16))
"""


def test_kill_9_in_the_middle_loses_no_answer_that_was_there(tmp_path: Path):
    path = tmp_path / "responses.jsonl"
    with serving(MisbehavingServer(lambda body, before: "ok", work_s=0.05)) as server:
        process = subprocess.Popen([sys.executable, "-c", KILLED, server.url, str(path)])
        deadline = time.monotonic() + 60
        while (not path.exists() or path.read_bytes().count(b"\n") < 5) and time.monotonic() < deadline:
            time.sleep(0.01)
        process.kill()
        process.wait()
        before = path.read_bytes()
        stored = before[: before.rfind(b"\n") + 1]
        kept = {json.loads(line)["prompt"] for line in stored.splitlines()}
        assert 5 <= len(kept) < 20
        server.asked.clear()
        subprocess.run([sys.executable, "-c", KILLED, server.url, str(path)], check=True)
        asked = {json.loads(key)["prompt"] for key in server.asked}
    assert asked == set(PROMPTS) - kept
    assert path.read_bytes().startswith(stored)
    assert sorted(json.loads(line)["prompt"] for line in path.read_text().splitlines()) == sorted(PROMPTS)
