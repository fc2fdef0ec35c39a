/** The threads of this process that are alive, as Node announces them: to end one from outside, and to see that none is left. */
import type { Worker } from "node:worker_threads";

const alive = new Set<Worker>();

process.on("worker", (thread) => {
  alive.add(thread);
  thread.once("exit", () => alive.delete(thread));
});

export function threadsAlive(): readonly Worker[] {
  return [...alive];
}
