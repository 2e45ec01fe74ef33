"""Explain authentication headers, part by part.

Strategy
--------
A header goes in as the name and value that stood on the wire; a flat list of notes comes out, in
the order of the header. Nothing is sent, stored or printed here, and no input raises: a header
that is broken gets a note that says how.

* `note` says what a note is and quotes values, so that none can talk to a terminal. `grammar` reads
  what all schemes share. Then comes one file a scheme or kind: `basic`, `digest`, `bearer`,
  `schemes`, `jose`, `signed`, `cookies` and so on; what a parameter or claim is for stands in
  tables there.
* `fields` knows which file explains which header field; `explain` is its function. It is what the
  notebooks use, and its notes are short.
* `paste` reads whatever people paste, with `lines`, `containers`, `curl`, `addresses` and `alone`,
  and explains each header in full. What is wrong with a part is kept in its note's `wrong`, and
  `command`, the body of `python3 -m learn explain`, says it first.
* `keys` and `guess` are for whoever has a key, or a list of words that may be one.

Libraries are imported where they are used, since most commands of the workbench never need them.
"""

from .fields import explain, is_auth_header
from .note import NOTHING, Context, Note, PublicKey, Wrong

__all__ = ["Context", "Note", "PublicKey", "Wrong", "explain", "explain_line", "is_auth_header"]


def explain_line(line: str, context: Context = NOTHING) -> list[Note]:
    """Return the notes for whatever a person pastes, one header or many, in the order they stand.

    Raises ValueError, with a sentence for that person, if there is nothing to explain.
    """
    from .paste import read  # which only those need who paste

    return [note for one in read(line, context).fields for note in one.notes]
