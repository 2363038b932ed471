"""The result store: an SQLite index in WAL mode, and a Parquet file with the counters of every node beside it.

A result's file is complete before its row is there, and a row is there or not (SQLite's journal): so whatever is killed
at whatever moment, a finished result is never lost and never half there. Several processes may write at once.
"""

import errno
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import pandas as pd

from fuseflow.errors import StoreError

STORE_VERSION = 1
WAIT_SECONDS = 60.0
"""How long a writer waits for another one."""

DEFAULT_FOLDER = "fuseflow-results"
INDEX = "results.sqlite"


class Status(Enum):
    """How a candidate ended."""

    DONE = "done"
    FAILED = "failed"
    TOO_LONG = "time limit"
    TOO_LARGE = "memory limit"
    PRUNED = "pruned"
    LEFT = "not simulated"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one candidate. ``limit`` is the time or memory limit it failed under, 0 otherwise."""

    key: str
    status: Status
    reason: str = ""
    cycles: int | None = None
    flops: int | None = None
    bytes: int | None = None
    nodes: int | None = None
    max_rel_error: float | None = None
    seconds: float = 0.0
    limit: float = 0.0


KNOWN = frozenset(item.value for item in Status)

COLUMNS = {
    "key": "TEXT PRIMARY KEY",
    "status": "TEXT NOT NULL",
    "reason": "TEXT NOT NULL",
    "cycles": "INTEGER",
    "flops": "INTEGER",
    "bytes": "INTEGER",
    "nodes": "INTEGER",
    "max_rel_error": "REAL",
    "seconds": "REAL NOT NULL",
    "limit_": "REAL NOT NULL",
    "model": "TEXT NOT NULL",
    "dataset": "TEXT NOT NULL",
    "schedule": "TEXT NOT NULL",
    "schedule_json": "TEXT NOT NULL",
    "machine": "TEXT NOT NULL",
    "version": "TEXT NOT NULL",
    "finished": "REAL NOT NULL",
}


@dataclass(frozen=True, slots=True)
class Store:
    """A folder of results. Made when first written to; StoreError where that fails or what is there is no store."""

    folder: Path

    def __post_init__(self) -> None:
        object.__setattr__(self, "folder", Path(self.folder))  # text is a path too
        if self.folder.exists() and not self.folder.is_dir():
            raise StoreError(f"{self.folder} is no folder, so no results can be in it; give the path of a folder")

    @classmethod
    def at(cls, folder: "str | Path | Store | None") -> "Store":
        """The store in ``folder``; by default the folder that FUSEFLOW_RESULTS names, or ``fuseflow-results``."""
        if isinstance(folder, Store):
            return folder
        given: Any = folder
        if given is not None and (given == "" or not isinstance(given, str | os.PathLike)):
            raise StoreError(f"store must be a folder or a Store, not {folder!r}; '.' is the folder you are in")
        chosen = folder if folder is not None else os.environ.get("FUSEFLOW_RESULTS") or DEFAULT_FOLDER
        return cls(Path(chosen))

    @property
    def index(self) -> Path:
        return self.folder / INDEX

    def node_file(self, key: str) -> Path:
        """Where the counters of the nodes of result ``key`` are."""
        return self.folder / "nodes" / key[:2] / f"{key}.parquet"

    def find(self, keys: list[str]) -> dict[str, Outcome]:
        """The outcomes that are known of ``keys``; rows without a known status, their numbers or their counters are as
        if not there, so that they are made again."""
        if not self.index.exists():
            return {}
        found: dict[str, Outcome] = {}
        with self._open() as connection:
            for start in range(0, len(keys), 500):
                part = keys[start : start + 500]
                marks = ",".join("?" * len(part))
                names = "key,status,reason,cycles,flops,bytes,nodes,max_rel_error,seconds,limit_"
                for row in connection.execute(f"SELECT {names} FROM results WHERE key IN ({marks})", part):
                    key, status, *rest = row
                    if status in KNOWN and (status != Status.DONE.value or _counted(rest[1:4])):
                        found[key] = Outcome(key, Status(status), *rest)
        return {key: item for key, item in found.items() if not item.nodes or self.node_file(key).exists()}

    def write(self, outcome: Outcome, about: Mapping[str, str], nodes: pd.DataFrame | None = None) -> None:
        """Keep ``outcome``; ``about`` says what it is of (the text columns). A finished result is never replaced,
        but for one without its numbers."""
        with self._space():
            if nodes is not None:
                self._write_nodes(outcome.key, nodes)
            values: dict[str, Any] = {
                "key": outcome.key,
                "status": outcome.status.value,
                "reason": outcome.reason,
                "cycles": outcome.cycles,
                "flops": outcome.flops,
                "bytes": outcome.bytes,
                "nodes": outcome.nodes,
                "max_rel_error": outcome.max_rel_error,
                "seconds": outcome.seconds,
                "limit_": outcome.limit,
                "finished": time.time(),
                **{name: about.get(name, "") for name in ("model", "dataset", "schedule", "schedule_json", "machine")},
                "version": about.get("version", ""),
            }
            names = ",".join(values)
            marks = ",".join("?" * len(values))
            updates = ",".join(f"{name}=excluded.{name}" for name in values if name != "key")
            with self._open() as connection, connection:
                connection.execute(
                    f"INSERT INTO results ({names}) VALUES ({marks}) ON CONFLICT(key) DO UPDATE SET {updates} "
                    f"WHERE results.status != '{Status.DONE.value}' OR typeof(results.cycles) != 'integer' "
                    "OR typeof(results.flops) != 'integer' OR typeof(results.bytes) != 'integer'",
                    list(values.values()),
                )

    def _write_nodes(self, key: str, nodes: pd.DataFrame) -> None:
        target = self.node_file(key)
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f"{target.name}.{os.getpid()}.tmp")
        try:
            nodes.to_parquet(temporary, compression="zstd", index=False)
            os.replace(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)

    def nodes(self, key: str) -> pd.DataFrame:
        """Counters of every node of a finished result; StoreError if its file is missing or damaged."""
        path = self.node_file(key)
        try:
            return pd.read_parquet(path).rename(columns={"name": "node"})  # what the column was called at first
        except (OSError, ValueError) as error:
            raise StoreError(
                f"the counters of result {key[:12]} in {path} cannot be read: {error}. Delete this file: the result is "
                "then computed again"
            ) from None

    def table(self) -> pd.DataFrame:
        """All results, oldest first."""
        columns = [name.rstrip("_") for name in COLUMNS]
        if not self.index.exists():
            return pd.DataFrame(columns=columns)
        with self._open() as connection:
            rows = connection.execute(f"SELECT {','.join(COLUMNS)} FROM results ORDER BY finished, key").fetchall()
        return pd.DataFrame(rows, columns=columns)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self.index, timeout=WAIT_SECONDS)) as connection:
                self._prepare(connection)
                yield connection
        except sqlite3.OperationalError as error:
            code = error.sqlite_errorname
            if code == "SQLITE_FULL":
                raise OSError(errno.ENOSPC, str(error)) from None
            if code.startswith("SQLITE_IOERR"):
                advice = "the disk may be full or damaged, or a limit on the size of files reached (ulimit -f)"
            elif code == "SQLITE_ERROR":  # the statement does not fit the tables
                advice = f"{self.index.name} is no index of results of fuseflow; move it away, or give another folder"
            elif code in ("SQLITE_BUSY", "SQLITE_LOCKED"):
                advice = "another process holds it; try again when that is done"
            else:
                advice = "check its permissions"
            raise StoreError(f"the store in {self.folder} cannot be used: {error}; {advice}") from None
        except sqlite3.DatabaseError as error:
            raise StoreError(
                f"the store in {self.folder} is damaged: {self.index.name}: {error}. Move the folder away, or give "
                "another one; results that were finished are also in its Parquet files"
            ) from None

    def _prepare(self, connection: sqlite3.Connection) -> None:
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        if version > STORE_VERSION:
            raise StoreError(
                f"the store in {self.folder} is of version {version}, this fuseflow reads up to {STORE_VERSION}; "
                "update fuseflow, or give another folder"
            )
        if version == STORE_VERSION:
            return
        connection.execute("PRAGMA journal_mode=WAL")
        columns = ",".join(f"{name} {kind}" for name, kind in COLUMNS.items())
        with connection:
            connection.execute(f"CREATE TABLE IF NOT EXISTS results ({columns})")
            connection.execute(f"PRAGMA user_version = {STORE_VERSION}")

    @contextmanager
    def _space(self) -> Iterator[None]:
        """Turns the errors of a full or read-only disk into StoreError."""
        try:
            yield
        except StoreError:
            raise
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise StoreError(
                    f"no space left for results in {self.folder}; free some, or give another folder. What was finished "
                    "before is safe, and the sweep goes on from there"
                ) from None
            raise StoreError(f"cannot write results to {self.folder}: {error.strerror or error}") from None


def _counted(numbers: Sequence[Any]) -> bool:
    """Whether a finished result has its cycles, FLOPs and bytes."""
    return all(isinstance(number, int) for number in numbers)
