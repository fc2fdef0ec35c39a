/**
 * A program of its own, run before anything untrusted: starts Python, imports the runner and what programs use, and writes the image.
 * Arguments: the folder of Pyodide, the file to write, the hash seed.
 */
import { readFileSync } from "node:fs";
import { Gate } from "./gate.ts";
import { takeImage, writeImage } from "./image.ts";
import { instantiate, loadParts, type PythonModule } from "./module.ts";

/** What programs import most: in the image it costs nothing. */
const imported = `abc array bisect calendar cmath collections contextlib copy dataclasses datetime decimal enum fractions
functools hashlib heapq itertools json math numbers operator random re statistics string struct textwrap time typing
unicodedata`;

/** Parts of Python that reach below it, or test it. The gate refuses what they want; without them it is not asked. */
const withheld = `_ctypes ctypes _posixsubprocess _pyodide_core _remote_debugging _testbuffer _testcapi _testclinic
_testclinic_limited _testinternalcapi _testlimitedcapi _xxtestfuzz faulthandler`;

const [pyodideFolder = "", path = "", hashSeed = "1"] = process.argv.slice(2);
const module = await instantiate(await loadParts(pyodideFolder), {
  gate: new Gate(),
  hashSeed: Number(hashSeed),
});
module.FS.mkdirTree("/spar");
for (const name of ["values", "queries", "runner", "allow_list", "interpreter"])
  module.FS.writeFile(`/spar/${name}.py`, readFileSync(new URL(`../${name}.py`, import.meta.url)));
execute(
  module,
  `import gc, importlib, sys
sys.path.insert(0, "/spar")
for name in ${JSON.stringify(imported.split(/\s+/u))}: importlib.import_module(name)
for name in ${JSON.stringify(withheld.split(/\s+/u))}: sys.modules[name] = None
import interpreter
del sys.path[0]
sys.path_importer_cache.pop("/spar", None)
sys.argv = [""]
sys.modules["allow_list"].remember()
gc.collect()
gc.freeze()`,
);
module.HEAPU8[module._Py_EMSCRIPTEN_SIGNAL_HANDLING] = 1;
const handler = module._PyObject_GetAttrString(
  module._PyImport_AddModule(module.stringToNewUTF8("interpreter")),
  module.stringToNewUTF8("handle"),
);
if (handler === 0) throw new Error("expected a handler of requests, found none");
writeImage(path, takeImage(module, handler));
// Emscripten leaves something that would keep the process waiting.
process.exit(0);

function execute(python: PythonModule, text: string): void {
  const pointer = python.stringToNewUTF8(text);
  const code = python._PyRun_SimpleString(pointer);
  python._free(pointer);
  if (code !== 0) throw new Error("the modules of the image could not be imported");
}
