/** The backends that can be tried on this machine; where one cannot, the tests are skipped and say why. */
import { nativeBackend, pyodideBackend, type PythonBackend } from "../../src/verifiers/python/index.ts";
import { messageOf } from "../../src/base/index.ts";

export interface TriedBackend {
  readonly name: string;
  readonly backend: PythonBackend;
  /** Null where it works. */
  readonly refusal: string | null;
}

export async function triedBackends(): Promise<TriedBackend[]> {
  return [
    { name: "pyodide", backend: pyodideBackend(), refusal: null },
    await tried(nativeBackend({ environment: process.env })),
  ];
}

async function tried(backend: PythonBackend): Promise<TriedBackend> {
  try {
    const worker = await backend.start();
    await worker.close();
    return { name: backend.id, backend, refusal: null };
  } catch (thrown) {
    return { name: `${backend.id} (skipped: ${messageOf(thrown)})`, backend, refusal: messageOf(thrown) };
  }
}
