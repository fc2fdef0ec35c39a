/** Remembers executions by the content of their request, the most recently used ones. Knows nothing of either. */
import type { PythonExecution } from "./execution.ts";

/** Larger ones are executed again. @unit characters */
const longestKept = 20_000;

export class ExecutionCache {
  readonly #most: number;
  readonly #kept = new Map<string, PythonExecution>();

  constructor(most: number) {
    this.#most = most;
  }

  get(key: string): PythonExecution | undefined {
    const execution = this.#kept.get(key);
    if (execution !== undefined) {
      this.#kept.delete(key);
      this.#kept.set(key, execution);
    }
    return execution;
  }

  set(key: string, execution: PythonExecution): void {
    if (this.#most === 0 || JSON.stringify(execution).length > longestKept) return;
    this.#kept.set(key, execution);
    if (this.#kept.size <= this.#most) return;
    for (const oldest of this.#kept.keys()) {
      this.#kept.delete(oldest);
      break;
    }
  }
}
