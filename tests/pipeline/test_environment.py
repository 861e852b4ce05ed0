"""The table of environment variables: what is refused, and the document that prints it."""

from pathlib import Path

import pytest

from snowcoder.errors import ParameterError
from snowcoder.pipeline import environment

ROOT = Path(__file__).resolve().parents[2]


def test_the_document_holds_the_table_of_the_code() -> None:
    document = (ROOT / "docs" / "environment.md").read_text()
    assert environment.table() in document, "put the output of `python -m snowcoder.pipeline.environment` into docs/environment.md"


@pytest.mark.parametrize("name", [name for name, variable in environment.VARIABLES.items() if variable.allowed])
def test_a_value_that_is_not_allowed_is_refused_by_name(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "maybe")
    with pytest.raises(ParameterError, match=rf"environment: {name}: found 'maybe'; allowed: \w+, "):
        environment.text(name)


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "two", "²", " 3", "4097", "9" * 5000])
def test_what_is_no_count_is_refused(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNOWCODER_WORKERS", value)
    with pytest.raises(ParameterError, match=r"SNOWCODER_WORKERS: found .*; allowed: a whole number from 1 to 4096$"):
        environment.positive_int("SNOWCODER_WORKERS", 2)


@pytest.mark.parametrize("value", ["-1", "nan", "inf", "1e400", "soon"])
def test_what_is_no_number_of_seconds_is_refused(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNOWCODER_CHECKPOINT_INTERVAL_S", value)
    with pytest.raises(ParameterError, match="allowed: seconds, 0 or more"):
        environment.seconds("SNOWCODER_CHECKPOINT_INTERVAL_S")


def test_an_empty_value_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in environment.VARIABLES:
        monkeypatch.setenv(name, "")
    assert environment.text("SNOWCODER_WORK_DIR") == ".work"
    assert environment.positive_int("SNOWCODER_WORKERS", 3) == 3
    assert environment.seconds("SNOWCODER_CHECKPOINT_INTERVAL_S") == 60.0
    assert not environment.flag("SNOWCODER_UNSAFE_NO_SANDBOX")


def test_the_code_reads_no_variable_of_the_project_by_itself() -> None:
    """Parsed in one place, each has one default and one message."""
    reads = ('environ.get("SNOWCODER', 'environ["SNOWCODER', 'getenv("SNOWCODER')
    for path in [*(ROOT / "src").rglob("*.py"), *(ROOT / "stages").glob("*.py"), *(ROOT / "tools").glob("*.py")]:
        if path.parts[-2] != "tracking":
            assert not any(read in path.read_text() for read in reads), path


def test_all_values_can_be_checked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in environment.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    assert environment.faults() == []
    values = {"SNOWCODER_WORKERS": "0", "SNOWCODER_DEVICE": "gpu", "SNOWCODER_CHECKPOINT_INTERVAL_S": "soon", "SNOWCODER_SHARDING": "full"}
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    assert environment.faults() == [
        "environment: SNOWCODER_WORKERS: found '0'; allowed: a whole number from 1 to 4096",
        "environment: SNOWCODER_DEVICE: found 'gpu'; allowed: auto, cpu, cuda",
        "environment: SNOWCODER_CHECKPOINT_INTERVAL_S: found 'soon'; allowed: seconds, 0 or more",
    ]
