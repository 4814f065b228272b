"""Tables from files: every format gives the same rows, and whatever is wrong says so in one line."""

from __future__ import annotations

import bz2
import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pa = pytest.importorskip("pyarrow")
import pyarrow.csv as pacsv  # noqa: E402
import pyarrow.feather as feather  # noqa: E402
import pyarrow.parquet as parquet  # noqa: E402

from neglog.errors import DataError  # noqa: E402
from neglog.evaluation import readers, sources  # noqa: E402
from neglog.evaluation.sources import Options, Tables, Want  # noqa: E402

TABLE = pa.table({"y": ["a", "b", "c"], "p": [0.5, None, 1.0], "n": [1, 2, 3]})
JSON = b'{"y":"a","p":0.5,"n":1}\n{"y":"b","n":2}\n\n{"y":"c","p":1.0,"n":3}'
WANT = Want(("y", "p", "n"), numeric=frozenset({"p"}), text=frozenset({"y", "n"}))


def _csv(path: Path) -> None:
    pacsv.write_csv(TABLE, path)


def _stream(path: Path) -> None:
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, TABLE.schema) as writer:
        writer.write_table(TABLE)


WRITERS: dict[str, Callable[[Path], Any]] = {
    "a.csv": _csv,
    "a.CSV": _csv,
    "a.csv.gz": lambda path: path.write_bytes(gzip.compress(b"y,p,n\na,0.5,1\nb,,2\nc,1.0,3\n")),
    "packed": lambda path: path.write_bytes(gzip.compress(b"y,p,n\na,0.5,1\nb,,2\nc,1.0,3\n")),
    "not_packed.gz": lambda path: path.write_bytes(b"y,p,n\na,0.5,1\nb,,2\nc,1.0,3\n"),
    "a.csv.bz2": lambda path: path.write_bytes(bz2.compress(b"y,p,n\na,0.5,1\nb,NA,2\nc,1,3\n")),
    "a.tsv": lambda path: path.write_bytes(b"n\ty\tp\r\n1\ta\t0.5\r\n2\tb\t\r\n3\tc\t1\r\n"),
    "bom.csv": lambda path: path.write_bytes(b"\xef\xbb\xbfy,p,n\na,0.5,1\nb,nan,2\nc,1,3\n"),
    "quoted.csv": lambda path: path.write_bytes(b'"y","note","p","n"\na,"x,\ny",0.5,1\nb,,,2\nc,,1,3\n'),
    "a.parquet": lambda path: parquet.write_table(TABLE, path),
    "groups.parquet": lambda path: parquet.write_table(TABLE, path, row_group_size=1),
    "dictionary.parquet": lambda path: parquet.write_table(
        TABLE.set_column(0, "y", TABLE.column("y").dictionary_encode()), path
    ),
    "no_suffix": lambda path: parquet.write_table(TABLE, path),
    "a.feather": lambda path: feather.write_feather(TABLE, str(path)),
    "a.arrows": _stream,
    "a.jsonl": lambda path: path.write_bytes(JSON),
    "a.ndjson.gz": lambda path: path.write_bytes(gzip.compress(JSON)),
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_gives_the_same_rows(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    WRITERS[name](path)
    tables = Tables([str(path)])
    columns = tables.read(WANT).to_pydict()
    assert columns["y"] == ["a", "b", "c"] and columns["n"] == ["1", "2", "3"]
    assert columns["p"][0] == 0.5 and columns["p"][1] != columns["p"][1] and columns["p"][2] == 1.0
    assert tables.done == 1.0


def test_rows_are_numbered_within_each_file_and_stay_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "_BLOCK", 64)  # bytes: several batches from a small file
    monkeypatch.setattr(readers, "_BATCH_ROWS", 7)
    for index, rows in enumerate((range(20), range(20, 50))):
        text = "".join(f"{row},{row / 2}\n" for row in rows)
        (tmp_path / f"part{index}.csv").write_text("id,p\n" + text)
    parquet.write_table(
        pa.table({"p": [v / 2 for v in range(50, 60)], "id": list(range(50, 60))}), tmp_path / "part2.parquet"
    )
    tables = Tables([str(tmp_path / "part*.csv"), str(tmp_path / "part2.parquet")])
    ids: list[int] = []
    progress = [0.0]
    for batch in tables.batches(Want(("id", "p"), frozenset({"id", "p"}))):
        values = [int(value) for value in batch.table.column("id").to_pylist()]
        start = {"part0.csv": 0, "part1.csv": 20, "part2.parquet": 50}[Path(batch.source).name]
        assert values[0] == start + batch.first_row
        ids += values
        progress.append(tables.done or 0.0)
    assert ids == list(range(60))
    assert progress == sorted(progress) and progress[-1] == 1.0


def test_json_lines_are_read_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "_BLOCK", 50)
    path = tmp_path / "a.jsonl"
    path.write_text("".join(f'{{"id": {i}, "p": {i}.5}}\n' for i in range(40)))
    batches = list(Tables([str(path)]).batches(Want(("id",), frozenset({"id"}))))
    assert len(batches) > 5
    assert [value for batch in batches for value in batch.table.column("id").to_pylist()] == list(range(40))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.csv", b"", "is empty"),
        ("blank.csv", b" \n\n", "is empty"),
        ("head.csv", b"y,p\n", "has a header but no rows"),
        (
            "semicolon.csv",
            b"y;p\na;1\n",
            "one single column, 'y;p'; if ';' separates columns, give --delimiter ';'",
        ),
        ("tab.csv", b"y\tp\na\t1\n", "if tab separates columns, give --delimiter tab"),
        ("short.csv", b"y,p\na,1\nb\n", "line 3: Expected 2 columns, got 1"),
        ("word.csv", b"y,p\na,1\nb,high\n", "column 'p', line 3: invalid value 'high', expected a number"),
        ("latin.csv", "y,p\né,1\n".encode("latin-1"), "is not UTF-8 text; give --encoding"),
        ("latin_head.csv", "é,y,p\n1,a,1\n".encode("latin-1"), "is not UTF-8 text"),
        ("utf16.csv", "y,p\na,1\n".encode("utf-16"), "is not UTF-8 text"),
        ("case.csv", b"Y,p\na,1\n", "no column 'y'; did you mean 'Y'?"),
        ("twice.csv", b"y,p,p\na,1,1\n", "2 columns are named 'p'"),
        ("parquet.csv", b"PAR1" + bytes(20), "is parquet, not csv; use --input-format parquet"),
        ("text.parquet", b"y,p\na,1\n", "is not a complete Parquet file"),
        ("text.arrow", b"y,p\na,1\n", "is not a complete Arrow file"),
        ("broken.csv.gz", b"\x1f\x8b\x08\x00 no more gzip than this", "cannot be read: zlib inflate failed"),
        (
            "comma.csv",
            b'y,p\na,"0,395"\n',
            "invalid value '0,395', expected a number; numbers are written with a decimal point: 0.395",
        ),
        ("broken.jsonl", b'{"y":"a","p":1}\n{"y":"b","p":\n', "line 2, position"),
        ("list.jsonl", b"[1, 2]\n", "line 1 is not a JSON object"),
        (
            "text.jsonl",
            b'{"y":"a","p":"high"}\n',
            "column 'p' holds string, for instance 'high', not numbers",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_one_line_that_names_it(
    name: str, content: bytes, message: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        Tables([str(path)]).read(Want(("y", "p"), frozenset({"p"}), frozenset({"y"})))
    assert str(caught.value).startswith(str(path)) and "\n" not in str(caught.value)
    assert message in str(caught.value)


def test_a_column_of_decimal_commas_is_recognised(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("p\n0,395\n")
    with pytest.raises(DataError, match=r"a\.csv: line 2: .*written with a decimal point: 0\.395"):
        Tables([str(tmp_path / "a.csv")]).read(Want(("p",), frozenset({"p"})))


@pytest.mark.parametrize("name", ["a.parquet", "a.csv.gz", "a.feather", "a.arrows"])
def test_a_truncated_file_is_noticed(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    WRITERS[name](path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) - 9])
    with pytest.raises(DataError, match=name):
        Tables([str(path)]).read(WANT)


def test_inputs_that_are_no_files(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("y\n1\n")
    with pytest.raises(DataError, match=r"is a directory; name the files in it, for instance '.*\*\.parquet'"):
        Tables([str(tmp_path)])
    with pytest.raises(DataError, match=r"no file '.*dta.csv'; did you mean 'data.csv'\?"):
        Tables([str(tmp_path / "dta.csv")])
    with pytest.raises(DataError, match="no file matches"):
        Tables([str(tmp_path / "*.parquet")])
    with pytest.raises(DataError, match="only once"):
        Tables(["-", "-"])
    with pytest.raises(DataError, match="no input file"):
        Tables([])


def test_a_name_with_brackets_is_a_file_before_it_is_a_pattern(tmp_path: Path) -> None:
    (tmp_path / "a[1].csv").write_text("y\n7\n")
    assert Tables([str(tmp_path / "a[1].csv")]).read(Want(("y",))).to_pydict() == {"y": [7]}


def test_a_column_missing_from_a_later_file_names_that_file(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text("y,p\na,1\n")
    (tmp_path / "2.csv").write_text("y,q\na,1\n")
    with pytest.raises(DataError, match=r"2\.csv: no column 'p'"):
        Tables([str(tmp_path / "*.csv")]).read(Want(("p",)))


def test_whole_numbers_in_one_file_and_decimals_in_the_next(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text("x\n1\n")
    (tmp_path / "2.csv").write_text("x\n2.5\n")
    assert Tables([str(tmp_path / "*.csv")]).read(Want(("x",))).to_pydict() == {"x": [1.0, 2.5]}


def test_encoding_and_delimiter(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("y;p\né;1\n".encode("utf-16"))
    tables = Tables([str(tmp_path / "a.csv")], Options(delimiter=";", encoding="utf-16"))
    assert tables.read(Want(("y", "p"))).to_pydict() == {"y": ["é"], "p": [1]}


def test_globs_expand_in_the_order_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("y,p_b,p_a,w\n1,2,3,4\n")
    tables = Tables([str(tmp_path / "a.csv")])
    assert tables.expand(["p_*", "w"]) == ("p_b", "p_a", "w")
    assert tables.expand(["w", "*"]) == ("w", "y", "p_b", "p_a")
    with pytest.raises(DataError, match=r"no column matches 'q_\*'; it has 4 columns: y, p_b, p_a, w"):
        tables.expand(["q_*"])


def test_integers_stored_as_floats_are_whole_labels() -> None:
    assert sources._text(pa.array([1.0, None, 3.0])).to_pylist() == ["1", None, "3"]
    assert sources._text(pa.array([1.5, 3.0, float("inf"), 1e300])).to_pylist() == [
        "1.5",
        "3",
        "inf",
        "1e+300",
    ]
