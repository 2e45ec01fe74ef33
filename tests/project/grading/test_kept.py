"""What a stranger's app has left in its folder is looked at, and harms nobody who looks."""

import os
import sqlite3
from contextlib import closing
from types import SimpleNamespace

import pytest

from learn.practice import kept


@pytest.fixture
def lesson(tmp_path):
    """A lesson that has written into its scratch folder, as far as kept.py asks for one."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    return SimpleNamespace(scratch=scratch, at=scratch / "lesson.db")


@pytest.mark.skipif(os.name == "nt", reason="links and pipes are POSIX's")
def test_links_are_not_followed_nor_pipes_waited_for(lesson, tmp_path):
    """A link to a file or folder elsewhere shows nothing of it; a pipe or device is passed over."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "secret").write_text("a secret of the judge")
    (lesson.scratch / "link").symlink_to(tmp_path / "elsewhere" / "secret")
    (lesson.scratch / "folder").symlink_to(tmp_path / "elsewhere")
    (lesson.scratch / "zero").symlink_to("/dev/zero")
    (lesson.scratch / "nothing").symlink_to("nowhere")
    os.mkfifo(lesson.scratch / "pipe")
    (lesson.scratch / "own").write_text("its own")
    assert kept.files(lesson) == {"own": b"its own"} == kept.values(lesson)
    lesson.at.symlink_to(tmp_path / "elsewhere" / "secret")
    assert not kept.place_of("a secret of the judge", kept.values(lesson))


def test_a_file_without_end_is_read_in_part(lesson, monkeypatch):
    """No more of a file is read than a box lets anybody write."""
    monkeypatch.setattr(kept, "MOST", 1000)
    with (lesson.scratch / "large").open("wb") as file:
        file.truncate(1 << 40)  # a terabyte of nothing
    assert len(kept.files(lesson)["large"]) == 1000


def test_tables_are_read_from_a_copy(lesson):
    """Rows are found that are still in the write-ahead log, and the database stays as it was."""
    with closing(sqlite3.connect(lesson.at)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute('CREATE TABLE "odd ""name" (a, b)')
        database.execute('INSERT INTO "odd ""name" VALUES (?, ?)', ["a text", b"\0bytes"])
        database.commit()
        before = {path.name for path in lesson.scratch.iterdir()}
        assert kept.values(lesson) == {'the table odd "name': b"a text\n\0bytes"}
        assert {path.name for path in lesson.scratch.iterdir()} == before


def test_tables_of_one_name_in_several_files_are_all_read(lesson):
    """Who keeps a database for each user hides nothing by it, and misses nothing."""
    for name in ("one", "two"):
        with closing(sqlite3.connect(lesson.scratch / f"{name}.db")) as database:
            database.execute("CREATE TABLE me (hash)")
            database.execute("INSERT INTO me VALUES (?)", [f"the hash of {name}"])
            database.commit()
    assert kept.values(lesson) == {"the table me": b"the hash of one\nthe hash of two"}


def test_what_was_deleted_is_no_row(lesson):
    """The file may still have what was deleted, and a query does not."""
    with closing(sqlite3.connect(lesson.at)) as database:
        database.execute("CREATE TABLE pins (pin)")
        database.execute("INSERT INTO pins VALUES ('keep me'), ('482913 was mailed')")
        database.commit()
        database.execute("DELETE FROM pins WHERE pin LIKE '4%'")
        database.commit()
    assert not kept.place_of("482913", kept.values(lesson))
    assert kept.place_of("keep me", kept.values(lesson)) == "as it is in the table pins"


@pytest.mark.parametrize("damage", [b"", b"\xff" * 4000, b"not a page"])
def test_a_damaged_database_is_looked_through_as_it_is(lesson, damage):
    """What only looks like a database is a file like any other."""
    lesson.at.write_bytes(b"SQLite format 3\0" + damage + b"pass1 in clear")
    assert kept.place_of("pass1 in clear", kept.values(lesson)) == "as it is in lesson.db"


def test_a_table_that_is_meant_to_harm(lesson, monkeypatch):
    """SQLite refuses to compute a column of a gigabyte, and the file is looked at as it is."""
    monkeypatch.setattr(kept, "MOST", 1 << 20)
    with closing(sqlite3.connect(lesson.at)) as database:
        database.execute("CREATE TABLE large (a, b AS (zeroblob(900000000)))")
        database.execute("INSERT INTO large VALUES ('pass1 in clear')")
        database.commit()
    assert kept.place_of("pass1 in clear", kept.values(lesson)) == "as it is in lesson.db"
