"""Walk through a lesson: play, lab, run, explain."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import click

from ..layout import NOTEBOOKS, ROOT, LessonError, find_folder, find_notebook, notebooks
from .group import Number, WholeNumber, main, wait_for


@main.command()
@click.argument("lesson", required=False)
def play(lesson):
    """Walk through a lesson's notebook in the terminal.

    `play compare` puts all lessons side by side. Without a number they come one after the other.
    """
    from .story import play_notebook

    chosen = [find_notebook(lesson)] if lesson else notebooks()
    for notebook in chosen:
        if not play_notebook(notebook):
            break


@main.command(context_settings={"ignore_unknown_options": True})
@click.argument("lesson", required=False)
@click.argument("more", nargs=-1, type=click.UNPROCESSED)
def lab(lesson, more):
    """Open a lesson's notebook in JupyterLab, or with `lab compare` the one that compares them.

    It serves 127.0.0.1 only, to whoever has the token that it prints. Whatever comes after the
    lesson is for JupyterLab: lab 02 --no-browser.
    """
    own = ROOT / ".learn" / "jupyter"  # nothing is written outside the repository
    answered = own / "config" / "lab" / "user-settings" / "@jupyterlab" / "apputils-extension"
    answered.mkdir(parents=True, exist_ok=True)
    settings = answered / "notification.jupyterlab-settings"
    if not settings.exists():  # else JupyterLab asks at its first start whether it may fetch news
        settings.write_text('{"fetchNews": "false", "checkForUpdates": false}\n', "utf-8")
    names = {"JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data"}
    names |= {"JUPYTER_RUNTIME_DIR": "runtime", "IPYTHONDIR": "ipython"}
    environment = {**os.environ, **{name: str(own / folder) for name, folder in names.items()}}
    where = find_notebook(lesson) if lesson else NOTEBOOKS
    command = [sys.executable, "-m", "jupyterlab", str(where), "--ServerApp.ip=127.0.0.1"]
    command += [f"--ServerApp.root_dir={ROOT}", "--LabApp.extension_manager=readonly"]
    command += ["--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    command += ["--LabApp.news_url=None"]  # it asks nobody on the network, and npm nothing
    command += ["--ServerApp.jpserver_extensions={'jupyter_lsp': False}"]
    if getattr(os, "geteuid", lambda: 1)() == 0:
        command.append("--allow-root")  # as in a container; it listens on 127.0.0.1 only
    if lesson:  # the printed address leads to the notebook too
        command.append(f"--LabApp.default_url=/lab/tree/notebooks/{where.name}")
    sys.exit(wait_for(subprocess.Popen([*command, *more], env=environment)))


@main.command()
@click.argument("lesson")
@click.option("--naive", "file", flag_value="naive", help="Serve naive.py.")
@click.option("--exercise", "file", flag_value="exercise", help="Serve your exercise.py.")
@click.option("--port", type=WholeNumber(0, 65535), help="Instead of the lesson's own.")
def run(lesson, file, port):
    """Serve a lesson and print what to try. Ctrl-C ends it."""
    from ..running.ending import port_is_free
    from ..running.lesson import PASSWORDS, Lesson

    folder = find_folder(lesson)
    usual = _port(folder)
    if port is None:
        port = usual if port_is_free(usual) else 0
        if not port:
            click.echo(f"Port {usual} is taken, so this one gets another.")
    elif port and not port_is_free(port):
        raise LessonError(f"Port {port} is taken. Choose another, or 0 for any free one.")
    try:
        with Lesson(folder.name, file or "app", port=port) as server:
            things = things_to_try(folder, server.path)
            # Passkeys, and what a provider sends a browser back to, belong to a name.
            host = "localhost" if f"http://localhost:{usual}" in things else "127.0.0.1"
            address = f"http://{host}:{server.port}"
            click.echo(f"{folder.name}/{server.path.name} is at {address}/ with a fresh database.")
            if server.provider:
                whom = " and ".join(f"{name} ({word})" for name, word in PASSWORDS.items())
                where = server.settings["ISSUER"]
                click.echo(f"Its provider, which knows {whom}, is at {where}.")
            click.echo("Ctrl-C ends it.")
            things = things.replace(f"http://{host}:{usual}", address)
            if server.provider:  # 5018 for 5008
                things = things.replace(f"http://localhost:{usual + 10}", server.settings["ISSUER"])
            if things:
                click.echo(f"\nTry in another terminal:\n\n{things}\n")
            server.echo(lambda text: click.echo(text, nl=False))
            while server.alive:
                time.sleep(0.2)
            raise LessonError("The server stopped. What it said stands above.")
    except KeyboardInterrupt:
        click.echo("\nEnded.")


def things_to_try(folder: Path, served: Path) -> str:
    """Return the curl commands of the lesson's README, so that they stand in one place only.

    Those that set a shell's variable are among them. What the served file doesn't answer isn't,
    nor what comes after the README has put another file in the place of app.py.
    """
    readme = (folder / "README.md").read_text("utf-8")
    blocks = re.findall(r"^```(?:sh|bash|console|shell)\n(.*?)^```", readme, re.M | re.S)
    lines = [line.removeprefix("$ ") for block in blocks for line in block.split("\n")]
    source, others = (
        served.read_text("utf-8", "replace"),
        rf"python lessons/{folder.name}/(?!app\.py)",
    )
    kept, known = [], set()
    for line in lines:
        if re.search(others, line):
            break
        command = re.match(r"(?:(\w+)=\$\()?curl .*(?<!\\)$", line)
        if not command or not known.issuperset(re.findall(r"\$(\w+)", line)):
            continue
        path = re.search(rf"://[\w.]+:{_port(folder)}(/[^\s?\"]*)", line)
        if path and path[1] != "/" and not re.search(rf"[\"']{re.escape(path[1])}[\"']", source):
            continue
        known.add(command[1])
        kept.append(f"    {line}")
    return "\n".join(kept)


def _port(folder: Path) -> int:
    return 5000 + int(folder.name[:2])


class Explain(click.Command):
    """A command after which a whole curl command may follow, with options of its own."""

    def parse_args(self, ctx, args):
        options = [one for one in self.params if isinstance(one, click.Option)]
        takes = {name for one in options if not one.is_flag for name in one.opts}
        before = [None, *args]
        for at, word in enumerate(args):
            if word in ("curl", "http", "https", "wget") and before[at] not in takes:
                args = [*args[:at], "--", *args[at:]]
                break
        return super().parse_args(ctx, args)


@main.command(cls=Explain)
@click.argument("text", nargs=-1)
@click.option(
    "-H", "--header", "headers", multiple=True, metavar="HEADER", help="A header, as curl takes it."
)
@click.option("--file", metavar="PATH", help="Read a file instead; - is standard input.")
@click.option(
    "--password",
    "passwords",
    multiple=True,
    metavar="USER:PASSWORD",
    help="Recompute a Digest response with it.",
)
@click.option(
    "--key",
    "keys",
    multiple=True,
    help="Check a signature with it: a text, base64:…, hex:…, or a file with PEM, a JWK or a JWKS.",
)
@click.option(
    "--salt", "salts", multiple=True, help="Of your itsdangerous serializer, or Django's."
)
@click.option(
    "--method", help="Of the request (Digest). The default is what the text says, or GET."
)
@click.option("--target", help="The request's path and query (Digest).")
@click.option(
    "--words",
    type=click.Path(exists=True, dir_okay=False),
    help="Try each line of this list as the key of your own token or session.",
)
@click.option(
    "--seconds", type=Number(1, 86400), default=60, show_default=True, help="For --words."
)
@click.option("--json", "as_json", is_flag=True, help="The same notes, for a program.")
def explain(text, headers, file, passwords, keys, salts, method, target, words, seconds, as_json):
    """Read any paste that has to do with authentication, and say what is wrong with it.

    A header, many lines of curl -v, a token, a cookie, JSON, HAR, a curl command; from the
    arguments, a file (@FILE) or a pipe. Nothing leaves this machine. Exit status 0: nothing wrong
    was seen; 1: something is wrong; 2: nothing to read.

    For example: explain "Authorization: Basic dXNlcjE6cGFzczE="
    """
    from ..explain import Context
    from . import explaining

    try:
        if wrong := [pair for pair in passwords if ":" not in pair]:
            raise ValueError(f"--password wants USER:PASSWORD, and {wrong[0]!r} has no colon.")
        known = dict(pair.partition(":")[::2] for pair in passwords)
        context = Context(
            method=method,
            target=target,
            passwords=known,
            keys=explaining.known_keys(keys),
            salts=salts,
        )
        reading = explaining.answer(explaining.source(text, headers, file), context)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    sys.exit(explaining.show(reading, context, as_json, words, seconds))
