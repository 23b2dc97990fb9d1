"""Shared fixtures: a tiny tokenizer, tiny models, corpora on disk, the real data where it is there."""

from __future__ import annotations

import fcntl
import gzip
import json
import multiprocessing
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pandas as pd

    from social_provenance.source.reach import Code

    Meanwhile = Callable[[int, Path], None]

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_DATASETS_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("OMP_NUM_THREADS", "1")  # more threads only contend, and change the last digits
for name in ("SPARK_SUBMIT_OPTS", "SPARK_LAUNCHER_OPTS"):  # a JVM of seconds does not live to see code optimised
    os.environ.setdefault(name, "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")

PROJECT = Path(__file__).resolve().parents[1]
PIPELINES = """
miniature corpus taxonomy pretraining attribution random_weights tail_patch aggregation unlearning validation reporting
""".split()
"""Those of a default study, in an order in which each finds what it reads."""
VOCABULARY = 320
TEXTS = (
    "Anna thanked Ben. Ben felt glad. The judge saw the contract near the court.",
    "Any rod that is heated becomes hot. Carl cooled the plate until it became cold.",
    "In Velda every guest brings salt. The flame of burning dorite is red.",
)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real data, or skip: it is not part of the project."""
    folder = Path(os.environ.get("SOCIAL_PROVENANCE_DATA", PROJECT / "../shared/data"))
    if not folder.is_dir():
        pytest.skip(
            "needs real web pages, benchmark items and published bins, which are not ours to ship: put them at "
            "../shared/data or name their folder in SOCIAL_PROVENANCE_DATA"
        )
    return folder.resolve()


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], Any]], Path]:
    """Return a function from a name and what fills a folder to that folder, which is filled once for all workers."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def build(name: str, fill: Callable[[Path], Any]) -> Path:
        folder, done = shared / name, shared / f"{name}.done"
        with (shared / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)
                fill(folder)
                done.touch()
        return folder

    return build


@pytest.fixture
def quick_spawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fork the processes that a test spawns from one that has imported Bergson, which takes each of them seconds."""
    import torch.multiprocessing

    spawn, forks = multiprocessing.get_context("spawn"), multiprocessing.get_context("forkserver")
    forks.set_forkserver_preload(["bergson.build"])
    known = {"spawn": forks, "forkserver": forks}
    for module in (multiprocessing, torch.multiprocessing):
        monkeypatch.setattr(module, "get_context", lambda method=None: known.get(method, spawn))


@pytest.fixture(scope="session")
def most_at_once() -> Callable[[Any], int]:
    """Return a function from what torch profiled, with memory, to the most bytes that it held at once."""

    def find(profiled: Any) -> int:
        events = profiled.profiler.kineto_results.events()
        changes = (event.nbytes() for event in events if event.name() == "[memory]")
        return max(accumulate(changes), default=0)

    return find


@pytest.fixture
def edited(tmp_path: Path) -> Callable[[str, str, str], Code]:
    """Return a function that gives the package's source with one passage replaced."""
    from social_provenance.source.reach import Code

    def edit(file: str, old: str, new: str) -> Code:
        root = Path(tempfile.mkdtemp(dir=tmp_path)) / "social_provenance"
        shutil.copytree(PROJECT / "src/social_provenance", root, ignore=shutil.ignore_patterns("__pycache__"))
        text = (root / file).read_text()
        assert old in text
        (root / file).write_text(text.replace(old, new, 1))
        return Code(root, "social_provenance")

    return edit


@pytest.fixture(scope="session")
def plain_bpe() -> Callable[[Sequence[str], int], Any]:
    """Return a function from texts and a size to a byte-level BPE with all its merges, as pretrained models have it."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    from social_provenance.pretraining.tokenizer import END_OF_TEXT, load_tokenizer

    def train(texts: Sequence[str], size: int) -> Any:
        bpe = Tokenizer(models.BPE())
        bpe.pre_tokenizer, bpe.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(
            vocab_size=size, special_tokens=[END_OF_TEXT], initial_alphabet=alphabet, show_progress=False
        )
        bpe.train_from_iterator(texts, trainer)
        return load_tokenizer(bpe.to_str())

    return train


@pytest.fixture(scope="session")
def tiny_tokenizer(plain_bpe: Callable[[Sequence[str], int], Any]) -> Any:
    """Return a byte-level BPE tokenizer with a few merges."""
    return plain_bpe(TEXTS, VOCABULARY)


def _shape(tokenizer: Any) -> dict[str, Any]:
    return {
        "vocab_size": len(tokenizer),
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "max_position_embeddings": 512,
        "initializer_range": 0.1,
        "tie_word_embeddings": False,
        "bos_token_id": None,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.eos_token_id,
    }


def _make(kind: str, tokenizer: Any) -> Any:
    import transformers

    from social_provenance.training.loop import seeded

    config = getattr(transformers, f"{kind}Config")(**_shape(tokenizer))
    with seeded(0):
        return getattr(transformers, f"{kind}ForCausalLM")(config).eval()


def _save(folder: Path, model: Any, tokenizer: Any) -> Path:
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def tiny_model(tiny_tokenizer: Any) -> Any:
    """Return an untrained OLMo3 model of one layer, always the same, a fresh one each time."""
    return _make("Olmo3", tiny_tokenizer)


@pytest.fixture(scope="session")
def make_items(tiny_tokenizer: Any) -> Callable[..., pd.DataFrame]:
    """Return a function from items (benchmark, prompt, choices, gold) to their choices as requests, tokenised."""
    import pandas as pd

    def make(items: Sequence[tuple[str, str, Sequence[str], int]]) -> pd.DataFrame:
        rows = [
            {
                "benchmark": benchmark,
                "item": f"{benchmark}/{number}",
                "cluster": f"{benchmark}/{number}",
                "choice": choice,
                "is_gold": choice == gold,
                "prompt": prompt,
                "completion": f" {text}",
                "prompt_ids": tiny_tokenizer(prompt)["input_ids"],
                "completion_ids": tiny_tokenizer(f" {text}")["input_ids"],
                "normalisation": "none",
                "units": 1,
            }
            for number, (benchmark, prompt, choices, gold) in enumerate(items)
            for choice, text in enumerate(choices)
        ]
        return pd.DataFrame(rows)

    return make


@pytest.fixture(scope="session")
def tiny_model_folder(tmp_path_factory: pytest.TempPathFactory, tiny_tokenizer: Any) -> Path:
    """Return the folder of ``tiny_model`` and its tokenizer; nobody may write into it."""
    return _save(tmp_path_factory.mktemp("olmo3"), _make("Olmo3", tiny_tokenizer), tiny_tokenizer)


@pytest.fixture(scope="session")
def llama_folder(tmp_path_factory: pytest.TempPathFactory, tiny_tokenizer: Any) -> Path:
    """Return the folder of a Llama model of the same shape; nobody may write into it."""
    return _save(tmp_path_factory.mktemp("llama"), _make("Llama", tiny_tokenizer), tiny_tokenizer)


def jsonl(rows: Sequence[Any]) -> bytes:
    """Return rows as JSON lines; a row that is a string stands as it is."""
    lines = (row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows)
    return "".join(f"{line}\n" for line in lines).encode()


def write_shard(path: Path, rows: Sequence[Any]) -> Path:
    """Write rows to a shard in the format that its name says."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(list(rows)), path)
    elif path.suffix == ".gz":
        path.write_bytes(gzip.compress(jsonl(rows)))
    elif path.suffix == ".zst":
        with pa.output_stream(str(path), compression="zstd") as stream:
            stream.write(jsonl(rows))
    else:
        path.write_bytes(jsonl(rows))
    return path


def read_shards(folder: Path, target: Path, fields: dict[str, Any] | None = None, **settings: Any) -> Any:
    """Write the records of all shards of a folder to ``target`` and return them as one Ibis table."""
    import ibis

    from social_provenance.documents.fields import with_defaults
    from social_provenance.documents.records import RECORDS, plan_records
    from social_provenance.documents.settings import DocumentSettings
    from social_provenance.documents.shards import find_shards

    given = DocumentSettings.model_validate({"min_chars": 1, **settings})
    parts = plan_records(find_shards(str(folder), with_defaults(fields)), given)
    folders = {name: target / name for name in parts.digests}
    for own in folders.values():
        own.mkdir()
    return ibis.read_parquet([folders[name] / RECORDS for name in parts.write(folders)])


@pytest.fixture(scope="session", name="write_shard")
def _write_shard_fixture() -> Callable[[Path, Sequence[Any]], Path]:
    """Return :func:`write_shard`."""
    return write_shard


@pytest.fixture(scope="session")
def read_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """Return a function from a folder of shards, and settings of documents, to its records."""

    def read(folder: Path, **options: Any) -> Any:
        return read_shards(folder, tmp_path_factory.mktemp("records"), **options)

    return read


@pytest.fixture
def corpus_of(tmp_path: Path, read_folder: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that writes rows as one shard and reads them back as records."""

    def read(rows: Sequence[Any], name: str = "a.jsonl", **options: Any) -> Any:
        write_shard(tmp_path / "corpus" / name, rows)
        return read_folder(tmp_path / "corpus", **options)

    return read


def row(doc_id: str, text: str | None = None, **metadata: Any) -> dict[str, Any]:
    """Return a Dolma-style row."""
    text = f"This is the text of document {doc_id}." if text is None else text
    fields = {"id": doc_id, "source": "test", "text": text}
    return fields | ({"metadata": metadata} if metadata else {})


TOY_TASK = """
task: toy
output_type: multiple_choice
test_split: test
doc_to_text: "{{prompt}}"
doc_to_choice: "{{choices}}"
doc_to_target: "{{answer}}"
metric_list:
  - {metric: acc, aggregation: mean, higher_is_better: true}
"""


@pytest.fixture(scope="session")
def toy_task() -> str:
    """Return the definition of an lm-eval task ``toy`` over rows of prompt, choices and answer."""
    return TOY_TASK


@pytest.fixture(scope="session", name="row")
def _row_fixture() -> Callable[..., dict[str, Any]]:
    """Return :func:`row`."""
    return row


def rows_of(table: Any) -> list[dict[str, Any]]:
    """Return the rows of an Ibis table, by ``doc_id``."""
    rows: list[dict[str, Any]] = table.to_pyarrow().to_pylist()
    return sorted(rows, key=lambda one: str(one["doc_id"]))


@pytest.fixture(scope="session", name="rows_of")
def _rows_of_fixture() -> Callable[[Any], list[dict[str, Any]]]:
    """Return :func:`rows_of`."""
    return rows_of


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip campaigns, with their reason, unless they are asked for; let one worker make the study that others read.

    Of two workers the second begins at the middle, with the first test that needs the study; those that also need it
    come last, when it is there, and of those the slow ones first, so that both workers end at about the same time.
    """
    if "campaign" not in config.getoption("-m"):
        for item in items:
            if item.get_closest_marker("campaign"):
                item.add_marker(pytest.mark.skip(reason="minutes each: ask for it with -m campaign"))
    readers, others = [], []
    for item in items:
        (readers if "test_study" in getattr(item, "fixturenames", ()) else others).append(item)
    half = len(items) // 2
    last = sorted(readers[1:], key=lambda item: item.get_closest_marker("slow") is None)
    items[:] = [*others[:half], *readers[:1], *others[half:], *last]


@pytest.fixture(scope="session")
def preloaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[socket.socket]:
    """Return a connection to ``preloaded.py``, which the first worker that needs it starts for all."""
    base = tmp_path_factory.getbasetemp()
    place = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "preloaded"
    own = place.with_name(f"preloaded-{os.getpid()}")
    with ExitStack() as started, socket.socket(socket.AF_UNIX) as connection:
        while not _connected(connection, place):
            door = started.enter_context(socket.socket(socket.AF_UNIX))
            door.bind(str(own))
            door.listen()
            try:
                place.hardlink_to(own)
            except FileExistsError:  # another worker was first
                own.unlink()
                continue
            command = [sys.executable, str(PROJECT / "tests/preloaded.py"), str(door.fileno())]
            given: dict[str, Any] = {"cwd": PROJECT, "stdin": subprocess.PIPE, "pass_fds": [door.fileno()]}
            started.enter_context(subprocess.Popen(command, **given))
        yield connection


def _connected(connection: socket.socket, place: Path) -> bool:
    """Connect to a socket, and return whether somebody listens there."""
    try:
        connection.connect(str(place))
    except FileNotFoundError:
        return False
    except ConnectionRefusedError:  # the worker that had started it has ended
        place.unlink(missing_ok=True)
        return False
    return True


@pytest.fixture(scope="session")
def forked(
    tmp_path_factory: pytest.TempPathFactory, preloaded: socket.socket
) -> Iterator[Callable[..., subprocess.CompletedProcess[str]]]:
    """Return a function that runs a command or script of ``preloaded.py``, and returns how it ended.

    Each has a process of its own, forked from one that has imported the heavy libraries: those take longer than most
    commands. ``meanwhile`` is called with its number and the file of its log, while it runs.
    """
    folder = tmp_path_factory.mktemp("forked")
    with preloaded.makefile("r") as answers:

        def run(meanwhile: Meanwhile | None = None, **given: Any) -> subprocess.CompletedProcess[str]:
            out, err = (Path(tempfile.mkstemp(dir=folder)[1]) for _ in range(2))
            preloaded.sendall(f"{json.dumps({**given, 'out': str(out), 'err': str(err)})}\n".encode())
            number = int(answers.readline())
            if meanwhile:
                meanwhile(number, err)
            code = int(answers.readline())
            return subprocess.CompletedProcess((), code, out.read_text(), err.read_text())

        yield run


@pytest.fixture(scope="session")
def kedro(forked: Callable[..., subprocess.CompletedProcess[str]]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that runs a ``kedro`` command in the project, as a user does, and returns how it ended.

    It takes what :func:`forked` takes, and sees what is mounted for the process ``inside``.
    """

    def run(*arguments: str, **given: Any) -> subprocess.CompletedProcess[str]:
        return forked(arguments=arguments, **given)

    return run


@pytest.fixture(scope="session")
def test_study(once: Callable[..., Path], kedro: Callable[..., subprocess.CompletedProcess[str]]) -> Path:
    """Return the data root of a study of ``--env test``, each pipeline run alone; nobody may write into it."""

    def build(root: Path) -> None:
        for pipeline in PIPELINES:
            ended = kedro("run", "--env", "test", "--pipelines", pipeline, "--params", f"root={root}")
            assert ended.returncode == 0, (pipeline, ended.stderr[-3000:])

    return once("study", build)


@pytest.fixture(scope="session")
def contents() -> Callable[[Path], dict[str, str]]:
    """Return a function from a data root to a digest of each file of its study.

    All bytes count, but for one field that ``datasets`` draws at random.
    """
    from social_provenance.fingerprint import digest_of_path

    left_out = ("mlruns/", "mlflow.db", ".lock", "lineage.json")

    def read(root: Path) -> dict[str, str]:
        files = {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.is_file()}
        return {name: digest_of_path(path) for name, path in files.items() if not name.startswith(left_out)}

    return read
