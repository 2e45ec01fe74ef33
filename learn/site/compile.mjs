/* Compile Python's files in a folder with the Python that will run them, as no other can.
 *
 * Usage: node compile.mjs PYODIDE FOLDER [LIBRARIES], where PYODIDE is the npm package's folder.
 * Each x.py in FOLDER becomes an x.pyc in its place, without docstrings; with LIBRARIES, a folder,
 * only what those import, since what is compiled is larger. */
import { pathToFileURL } from "node:url";
import path from "node:path";

const [packageFolder, ...folders] = process.argv.slice(2).map((name) => path.resolve(name));
const { loadPyodide } = await import(pathToFileURL(path.join(packageFolder, "pyodide.mjs")));
const pyodide = await loadPyodide({ indexURL: packageFolder });
for (const [place, root] of Object.entries({ "/work": folders[0], "/libraries": folders[1] })) {
  if (!root) continue;
  pyodide.FS.mkdir(place);
  pyodide.FS.mount(pyodide.FS.filesystems.NODEFS, { root }, place);
}
pyodide.runPython(`
import contextlib, importlib, pathlib, py_compile, sys

work, libraries = pathlib.Path("/work"), pathlib.Path("/libraries")
wanted = None
if libraries.exists():
    import smtplib, sqlite3, ssl, statistics, tomllib
    sys.path.insert(0, str(libraries))
    for path in libraries.iterdir():
        with contextlib.suppress(ImportError):
            importlib.import_module(path.stem)
    wanted = {
        file.partition("python314.zip/")[2]
        for module in list(sys.modules.values())
        if (file := getattr(module, "__file__", None))
    }
for path in sorted(work.rglob("*.py")):
    name = str(path.relative_to(work))
    if wanted is None or name in wanted:
        py_compile.compile(
            str(path), str(path.with_suffix(".pyc")), name, doraise=True,
            optimize=1 if name.startswith("email/") else 2,  # its classes read their docstrings
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )
        path.unlink()
`);
