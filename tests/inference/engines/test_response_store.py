import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowcoder.errors import EngineError, ShardError
from snowcoder.inference.engine import Chat, Completion, Sampling
from snowcoder.inference.engines.response_store import Request, ResponseStore, StoredEngine
from snowcoder.inference.engines.scripted_engine import ScriptedEngine

WHOLE = {"text": "a", "finish_reason": "stop", "n_tokens": 1, "n_prompt_tokens": None}
REQUEST = Request("m", "v1", "p", Sampling(8, ("\n",), 0.7, 0.9, 3), 0)


class CountingEngine(ScriptedEngine):
    """Counts what it is asked."""

    def __init__(self, script: dict[str, str]) -> None:
        super().__init__(script)
        self.prompts: list[object] = []

    def complete(self, prompts, sampling, draws):
        self.prompts += list(prompts)
        return super().complete(prompts, sampling, draws)


def test_every_part_of_a_request_is_part_of_its_id():
    others = [
        replace(REQUEST, model="n"),
        replace(REQUEST, prompt_version="v2"),
        replace(REQUEST, prompt="q"),
        replace(REQUEST, prompt=Chat("", "p")),
        replace(REQUEST, prompt=Chat("s", "p")),
        replace(REQUEST, draw=1),
        *(replace(REQUEST, sampling=replace(REQUEST.sampling, **change)) for change in (
            {"max_new_tokens": 9}, {"stop": ()}, {"temperature": 0.8}, {"top_p": 0.8}, {"seed": 4}, {"temperature": 0.0},
        )),
    ]  # fmt: skip
    assert len({request.request_id for request in [REQUEST, *others]}) == 1 + len(others)
    assert replace(REQUEST).request_id == REQUEST.request_id


def test_seed_and_top_p_of_greedy_decoding_do_not_matter():
    greedy = replace(REQUEST, sampling=Sampling(8))
    assert greedy.request_id == replace(REQUEST, sampling=Sampling(8, seed=9, top_p=0.1)).request_id


@given(st.text(), st.text())
def test_what_is_stored_comes_back(tmp_path_factory: pytest.TempPathFactory, prompt: str, text: str):
    path = tmp_path_factory.mktemp("store") / "r.jsonl"
    request, completion = replace(REQUEST, prompt=Chat("s", prompt)), Completion(text, "length", 3, 4)
    with ResponseStore(path) as store:
        store.append(request, "seed-1", completion)
    with ResponseStore(path) as store:
        assert store.get(request.request_id) == completion
        [line] = store.lines()
    assert line["origin"] == "seed-1"
    assert line["prompt"] == {"system": "s", "user": prompt}
    assert line["sampling"] == {"max_new_tokens": 8, "stop": ["\n"], "temperature": 0.7, "top_p": 0.9, "seed": 3}


def test_a_stored_response_cannot_change(tmp_path: Path):
    with ResponseStore(tmp_path / "r.jsonl") as store:
        store.append(REQUEST, "", Completion("a", "stop", 1))
        with pytest.raises(EngineError, match="already answered"):
            store.append(REQUEST, "", Completion("b", "stop", 1))


@pytest.mark.parametrize("cut", [1, 5, 40])
def test_a_torn_last_line_is_taken_off_and_the_rest_kept(tmp_path: Path, cut: int):
    path = tmp_path / "r.jsonl"
    with ResponseStore(path) as store:
        StoredEngine(lambda: ScriptedEngine({"a": "1", "b": "2"}), store, "m", "v").generate(["a", "b"], Sampling(9))
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    engine = CountingEngine({"a": "other", "b": "2"})
    with ResponseStore(path) as store:
        assert len(store) == 1
        answers = StoredEngine(lambda: engine, store, "m", "v").generate(["a", "b"], Sampling(9))
    assert [answer.text for answer in answers] == ["1", "2"]
    assert engine.prompts == ["b"]
    assert path.read_bytes() == whole


@pytest.mark.parametrize(
    ("line", "error", "message"),
    [("{broken", ShardError, r"r\.jsonl: the line at byte 120 is not JSON"), ('{"n": 1}', EngineError, "line at byte 120 is no response")],
)
def test_a_broken_line_in_the_middle_is_an_error(tmp_path: Path, line: str, error: type[Exception], message: str):
    path = tmp_path / "r.jsonl"
    first = json.dumps({"request_id": "x", "completion": WHOLE}).ljust(119)
    path.write_text(f"{first}\n{line}\n{first}\n")
    for _ in range(2):  # the lock was given back
        with pytest.raises(error, match=message), ResponseStore(path):
            pass


@pytest.mark.parametrize(
    ("completion", "message"),
    [
        ([], "completion: found list; allowed: a mapping with text, finish_reason, n_tokens, n_prompt_tokens"),
        ({"text": "a"}, "completion: found text; allowed: a mapping with"),
        (WHOLE | {"text": ["a"]}, r"completion.text: found list \['a'\]; allowed: text"),
        (WHOLE | {"finish_reason": "abort"}, "completion.finish_reason: found str 'abort'; allowed: stop, length, content_filter"),
        (WHOLE | {"n_tokens": True}, "completion.n_tokens: found bool True; allowed: a whole number from 0"),
        (WHOLE | {"n_prompt_tokens": 1.5}, "completion.n_prompt_tokens: found float 1.5"),
        (WHOLE | {"n_tokens": -1}, "completion.n_tokens: found int -1"),
    ],
)
def test_a_stored_answer_that_is_none_is_named_with_its_line(tmp_path: Path, completion: object, message: str):
    path = tmp_path / "r.jsonl"
    lines = [{"request_id": "x", "completion": WHOLE}, {"request_id": "y", "completion": completion}]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    place = rf"r\.jsonl: line 2 \(`sed -i 2d {re.escape(str(path))}` removes it, to ask again\)"
    with pytest.raises(EngineError, match=f"{place}: {message}"), ResponseStore(path):
        pass


def test_a_stored_answer_may_lack_what_has_a_default(tmp_path: Path):
    path = tmp_path / "r.jsonl"
    completion = {name: value for name, value in WHOLE.items() if name != "n_prompt_tokens"}
    path.write_text(json.dumps({"request_id": "x", "completion": completion}) + "\n")
    with ResponseStore(path) as store:
        assert store.get("x") == Completion("a", "stop", 1)


def test_an_answer_that_is_none_is_not_stored(tmp_path: Path):
    with ResponseStore(tmp_path / "r.jsonl") as store:
        with pytest.raises(EngineError, match=r"not stored: completion\.text: found list"):
            store.append(REQUEST, "", Completion(["a"], "stop", 1))  # type: ignore[arg-type]
        assert len(store) == 0
        store.append(REQUEST, "", Completion("a", "stop", 1))
    assert (tmp_path / "r.jsonl").read_bytes().count(b"\n") == 1


def test_the_same_request_is_asked_once_and_answers_every_place(tmp_path: Path):
    engine = CountingEngine({"a": "1", "b": "2"})
    with ResponseStore(tmp_path / "r.jsonl") as store:
        stored = StoredEngine(lambda: engine, store, "m", "v")
        found = dict(stored.complete(["a", "b", "a"], Sampling(9), [0, 0, 0], ["s1", "s2", "s3"]))
        assert [found[index].text for index in range(3)] == ["1", "2", "1"]
        assert engine.prompts == ["a", "b"]
        found = dict(stored.complete(["a", "b", "a"], Sampling(9), [0, 0, 1]))
        assert (stored.asked, stored.reused) == (3, 2)
    assert engine.prompts == ["a", "b", "a"]
    lines = [json.loads(line) for line in (tmp_path / "r.jsonl").read_text().splitlines()]
    assert [(line["prompt"], line["draw"], line["origin"]) for line in lines] == [("a", 0, "s1"), ("b", 0, "s2"), ("a", 1, "")]
