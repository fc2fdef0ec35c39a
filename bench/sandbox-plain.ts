/** What the sandbox is measured beside: Python that keeps nothing in. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { loadPyodide } from "pyodide";
import { mapBounded } from "spar/base";

export interface Snippet {
  readonly program: string;
  readonly query: string;
}

const execute = `
import json
def execute(text):
    snippet, names = json.loads(text), {}
    exec(compile(snippet["program"], "<program>", "exec"), names)
    return json.dumps(eval(compile(snippet["query"], "<query>", "eval"), names))
`;

/** Pyodide as its documentation starts it, in this process: one program after another, in one warm interpreter. */
export async function bareInterpreter(): Promise<(work: readonly Snippet[]) => Promise<void>> {
  const python = await loadPyodide();
  python.runPython(execute);
  const run = python.runPython("execute") as (text: string) => string;
  return async (work) => {
    for (const snippet of work) run(JSON.stringify(snippet));
  };
}

export function hasPython(python: string): boolean {
  const has = spawnSync(python, ["--version"]).status === 0;
  if (!has) console.log(`without plain Python: ${python} does not start`);
  return has;
}

const poolProgram = `${execute}
import multiprocessing, sys
if __name__ == "__main__":
    with multiprocessing.Pool(int(sys.argv[1])) as pool:
        for line in sys.stdin:
            pool.map(execute, json.loads(line), chunksize=1)
            print("done", flush=True)
`;

/** Python's own pool of processes; a program can do to its process what it likes. */
export class PlainPool {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(python: string, processCount: number) {
    this.#child = spawn(python, ["-c", poolProgram, String(processCount)], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    if (this.#child.stdout === null) throw new Error("expected the output of the pool");
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  async run(work: readonly Snippet[]): Promise<void> {
    this.#child.stdin?.write(`${JSON.stringify(work.map((snippet) => JSON.stringify(snippet)))}\n`);
    if ((await this.#lines.next()).done === true) throw new Error("the pool has ended");
  }

  async close(): Promise<void> {
    const end = new Promise((resolve) => void this.#child.once("close", resolve));
    this.#child.stdin?.end();
    await end;
  }
}

/** A new process for each. */
export async function onePerProgram(python: string, work: readonly Snippet[], atOnce: number): Promise<void> {
  await mapBounded(work, atOnce, async ({ program, query }) => {
    const child = spawn(python, ["-I", "-c", `${program}\nprint(${query})`], { stdio: "ignore" });
    const code = await new Promise((resolve) => void child.once("close", resolve));
    if (code !== 0) throw new Error(`expected a value, got an end with code ${String(code)}`);
  });
}
