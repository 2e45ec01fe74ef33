/* Compile Python's files in a folder with the Python that will run them, as no other can.
 *
 * Usage: node compile.mjs PYODIDE FOLDER, where PYODIDE is the npm package's folder. Each x.py in
 * FOLDER becomes an x.pyc in its place. */
import { pathToFileURL } from "node:url";
import path from "node:path";

const [packageFolder, folder] = process.argv.slice(2).map((name) => path.resolve(name));
const { loadPyodide } = await import(pathToFileURL(path.join(packageFolder, "pyodide.mjs")));
const pyodide = await loadPyodide({ indexURL: packageFolder });
pyodide.FS.mkdir("/work");
pyodide.FS.mount(pyodide.FS.filesystems.NODEFS, { root: folder }, "/work");
pyodide.runPython(`
import pathlib, py_compile
for path in sorted(pathlib.Path("/work").rglob("*.py")):
    py_compile.compile(
        str(path), str(path.with_suffix(".pyc")), str(path.relative_to("/work")), doraise=True,
        optimize=0, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
    path.unlink()
`);
