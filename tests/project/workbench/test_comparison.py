"""What the notebook 99_compare takes from the workbench, and the shape of its cells."""

import json
import sqlite3

import pytest

from learn import Exchange, Lesson, LessonError, Table, digest_answer
from learn.layout import find_notebook
from learn.measure import bench
from learn.measure.hashes import Cost
from learn.measure.traffic import traffic

CELLS = json.loads(find_notebook("compare").read_text("utf-8"))["cells"]


@pytest.mark.parametrize(
    "cell", [cell for cell in CELLS if cell["cell_type"] == "code"], ids=lambda cell: cell["id"]
)
def test_cells_are_short(cell):
    """A cell of the comparison has fewer than ten lines and one output at most."""
    assert len("".join(cell["source"]).split("\n")) < 10
    assert len(cell["outputs"]) <= 1


def exchange(sent=(), body="", received=(), text=""):
    return Exchange("POST", "/", sent, body, 200, "OK", received, text)


def test_traffic_counts_what_authentication_adds():
    """Headers that authenticate and their line ends count, and bodies; plain answers do not."""
    form = exchange([("Host", "x")], "a=b", [("Date", "now")], "Hello")
    basic = exchange([("Authorization", "Basic eDp5")])
    kind = ("Content-Type", "application/json")
    token = exchange(received=[kind, ("WWW-Authenticate", "Bearer")], text='{"a": 1}')
    assert traffic(form) == (1, 3, 0)
    assert traffic(basic) == (1, len("Authorization: Basic eDp5\r\n"), 0)
    assert traffic(token) == (1, 0, len("WWW-Authenticate: Bearer\r\n") + len('{"a": 1}'))
    assert traffic(form, basic, token) == tuple(
        sum(values) for values in zip(traffic(form), traffic(basic), traffic(token), strict=True)
    )


def test_a_request_is_sent_again():
    """A replay has the same method, target, headers and body as what it repeats."""
    with Lesson("02") as app:
        form = {"password": "an öther"}
        first = app.post(
            "/password?a=%20b", basic=("user2", "pass2"), form=form, headers={"X-Own": "1"}
        )
        again = app.replay(first)
    assert (first.status, again.status) == (204, 401)  # the password has been changed meanwhile
    for name in ("method", "target", "request_body"):
        assert getattr(again, name) == getattr(first, name)
    assert sorted(again.request_headers) == sorted(first.request_headers)


def test_rows_of_a_database():
    """A lesson's database is read as rows by their columns' names; a wrong query is an error."""
    with Lesson("02") as app:
        (row,) = app.rows("SELECT name, admin FROM users WHERE name = 'user1'")
        assert row == {"name": "user1", "admin": 1}
        with pytest.raises(sqlite3.Error):
            app.rows("SELECT nothing FROM nowhere")


def test_an_answer_from_ha1_is_that_from_the_password():
    """What is kept of a password (RFC 7616 3.9.1: its own example) answers a challenge as well."""
    challenge = {
        "realm": "http-auth@example.org",
        "nonce": "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
        "opaque": "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS",
        "algorithm": "MD5",
    }
    more = {"nc": 1, "cnonce": "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"}
    ha1 = "3d78807defe7de2157e2b0b6573a855f"  # MD5("Mufasa:http-auth@example.org:Circle of Life")
    user, target = "Mufasa", "/dir/index.html"
    one = digest_answer(challenge, user, "Circle of Life", target, **more)
    assert 'response="8ca523f5e9506fed4657c9700eebdbec"' in one
    assert digest_answer(challenge, user, target=target, ha1=ha1, **more) == one


def test_a_table_of_some_columns():
    """Columns are taken in the order asked for; one that isn't there is an error."""
    table = Table(["a", "b", "c"], [[1, 2, 3], [4, 5, 6]])
    assert table.only("c", "a").columns == ["c", "a"]
    assert table.only("c", "a").rows == [["3", "1"], ["6", "4"]]
    with pytest.raises(ValueError):
        table.only("d")


def test_a_hash_says_what_makes_it_strong():
    """Time, memory and the telling parameters come in the units of the notebook's table."""
    one = Cost("argon2", {"type": "ID", "memory_cost": 19456, "rounds": 2}, 0.02, 19 * 2**20)
    assert (one.milliseconds, one.mebibytes) == (20, 19)
    assert one.strength == "memory_cost 19456, rounds 2"


def test_curves_of_growth():
    """Each application is one curve: the rows, the medians, and the reach of the middle half."""
    name = "02 app.py, {} users"
    found = {name.format(10): {}, name.format(1000): {"ratios": [0.8, 0.9, 1.0, 1.1, 1.2]}}
    ((label, (rows, medians, (below, above))),) = bench.curves({"growth": found}).items()
    assert (label, rows, medians) == ("02 app.py, users", [10, 1000], [1, 1.0])
    assert below == pytest.approx([0, 0.15]) and above == pytest.approx([0, 0.15])


def test_saved_results(tmp_path):
    """What was saved is read; what is missing or no result says how it is made."""
    assert bench.saved()["requests"]
    path = tmp_path / "performance.json"
    for text in (None, "{", "[]", "{}"):
        if text is not None:
            path.write_text(text)
        with pytest.raises(LessonError, match="bench"):
            bench.saved(path)
