"""What a class hands in: how course systems lay it out, odd things in it, and copies."""

import os
import sys

import pytest

from learn.layout import LESSONS, LessonError
from learn.practice.alike import fingerprint, likenesses
from learn.practice.submissions import copy_in, find, gather

LESSON = LESSONS / "02_basic"
APP = (LESSON / "app.py").read_text("utf-8")
LAYOUTS = {  # the path of a file, and the name and the file that must come out
    "anna.py": ("anna", "anna.py"),
    "a name with spaces.py": ("a name with spaces", "a name with spaces.py"),
    "basic-anna/exercise.py": ("basic-anna", "exercise.py"),
    "basic-bert/lessons/02_basic/exercise.py": ("basic-bert", "exercise.py"),  # GitHub Classroom
    "Anna Test_12345_assignsubmission_file_/x.py": ("Anna Test", "x.py"),  # Moodle
    "Bert Test_12346_assignsubmission_file_02.py": (
        "Bert Test",
        "Bert Test_12346_assignsubmission_file_02.py",
    ),
    "user1/ps1/x.py": ("user1", "x.py"),  # nbgrader
    "carl/02_basic/x.py": ("carl", "x.py"),
}


@pytest.mark.parametrize("path", LAYOUTS)
def test_layouts_of_course_systems(path, tmp_path):
    """A file is found where GitHub Classroom, Moodle and nbgrader put it."""
    file = tmp_path / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(APP, "utf-8")
    name, main = LAYOUTS[path]
    [found] = find(tmp_path, LESSON)
    assert (found.name, found.path.name, found.problem) == (name, main, "")


def test_fork_of_this_repository(tmp_path):
    """Of several files and folders, the one that is named after the lesson is taken."""
    for name in ("lessons/01_hashing/exercise.py", "lessons/02_basic/exercise.py", "setup.py"):
        (tmp_path / "anna" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "anna" / name).write_text("x", "utf-8")
    (tmp_path / "anna" / "lessons" / "02_basic" / "app.py").write_text(APP, "utf-8")
    [found] = find(tmp_path, LESSON)
    assert found.path == tmp_path / "anna" / "lessons" / "02_basic" / "exercise.py"
    place = copy_in(found.path, tmp_path / "copy", found.whole, LESSON)
    assert [path.name for path in place.parent.iterdir()] == ["exercise.py"]  # and no solution


def odd_folder(place):
    """Fill a folder with what should not be there; return what must be said of each name."""
    (place / "empty").mkdir()
    for name in ("two/a.py", "two/b.py", "packed/x.zip", "notes.txt", "given/store.py"):
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_text("x", "utf-8")
    (place / "large.py").write_bytes(b"#" * (1 << 21))
    (place / ".DS_Store").write_text("x", "utf-8")
    said = {
        "empty": "The folder is empty.",
        "two": "2 files could be the answer: a.py, b.py.",
        "packed": "Unpack x.zip first.",
        "notes.txt": "It is no Python file.",
        "given": "There is no Python file in it.",
    }
    if hasattr(os, "mkfifo"):
        os.mkfifo(place / "pipe.py")
        (place / "link.py").symlink_to("/dev/zero")
        (place / "deep").mkdir()
        (place / "deep" / "exercise.py").symlink_to(place / "large.py")
        said |= {"pipe": "neither a file nor a folder", "link": "a link", "deep": "no Python file"}
    return said


def test_odd_things_get_a_sentence(tmp_path):
    """Whatever else is in the folder gets a row with a sentence, and nothing is waited for."""
    said = odd_folder(tmp_path)
    found = {one.name: one for one in find(tmp_path, LESSON)}
    assert set(found) == {*said, "large"}
    for name, sentence in said.items():
        assert sentence in found[name].problem, found[name]
    with pytest.raises(LessonError, match="larger than 1 MB"):
        found["large"].read()


def test_places_without_submissions(tmp_path):
    """An empty folder, and one that is not there, are told in a sentence."""
    with pytest.raises(LessonError, match="There is nothing in"):
        find(tmp_path, LESSON)
    with pytest.raises(LessonError, match="can't be read"):
        find(tmp_path / "nowhere", LESSON)


@pytest.mark.skipif(sys.platform == "win32", reason="links and pipes are POSIX's")
def test_folder_is_taken_with_its_plain_files_alone(tmp_path):
    """Links and pipes beside the answer stay behind, and so does what is hidden."""
    for name in ("exercise.py", "helper.py", ".git/config", "templates/index.html"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x", "utf-8")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "passwd").symlink_to("/etc/passwd")
    files = gather(tmp_path / "exercise.py", whole=True)
    assert set(files) == {"exercise.py", "helper.py", "templates/index.html"}
    for number in range(300):
        (tmp_path / f"{number}.txt").write_text("x", "utf-8")
    with pytest.raises(LessonError, match="more than 200 files"):
        gather(tmp_path / "exercise.py", whole=True)


def test_copies_are_told():
    """Copies of another and of app.py are told, whatever their names and comments are."""
    own = (LESSON / "naive.py").read_text("utf-8") + "\n\nclass Mine:\n    answer = [1, 2, 3]\n"
    renamed = APP.replace("def index", "def start").replace("# ", "# so ")
    texts = {"anna": own, "bert": own.replace("Mine", "Yours") + "# bye\n", "carl": renamed}
    texts |= {"dora": "x = (", "emil": "x = (", "fred": (LESSON / "naive.py").read_text("utf-8")}
    texts |= {"hans": APP, "ina": texts["fred"].replace("def index", "def start")}
    texts |= {"gina": APP + "\n\n@app.get('/more')\ndef more():\n    return 'more'\n"}
    prints = {name: fingerprint(text.encode()) for name, text in texts.items()}
    alike = likenesses(prints, LESSON)
    assert "the same as bert" in alike["anna"] and "the same as anna" in alike["bert"]
    assert alike["carl"] == "app.py, but for names and comments"
    assert "the same as emil" in alike["dora"]
    assert alike["hans"] == "app.py, unchanged"
    assert alike["fred"] == "naive.py, unchanged"
    assert alike["ina"] == "naive.py, but for names and comments"
    assert "like app.py" in alike["gina"]


def test_answers_of_different_styles_are_not_alike():
    """The right answers that we have, each in a style of its own, are like nobody."""
    answers = LESSONS.parent / "tests" / "project" / "answers" / "02_basic"
    files = [path for path in answers.glob("*.py") if path.stem != "mistakes"]
    assert not likenesses({p.name: fingerprint(p.read_bytes()) for p in files}, LESSON)


@pytest.mark.parametrize(
    "path", sorted((LESSONS.parent / "tests").glob("test_*.py")), ids=lambda path: path.stem
)
def test_checks_start_nothing_beside_the_box(path):
    """A check starts processes with Lesson alone, which knows the box; never by itself."""
    text = path.read_text("utf-8")
    for start in ("subprocess.run", "subprocess.Popen", "subprocess.call", "os.system", "os.fork"):
        assert start not in text
