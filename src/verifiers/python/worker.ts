/** What the pool and the backends say to each other: a request on the wire, and what a worker made of it. */
import type { JsonObject } from "../../base/index.ts";
import type { PythonQuery } from "./request.ts";

export interface WireRequest {
  readonly program: string;
  readonly query: Exclude<PythonQuery, object> | Required<Exclude<PythonQuery, null | string>>;
  readonly seed: number;
  readonly hashSeed: 1 | 2;
  /** When the clock of the execution starts, since the epoch. */
  readonly startSeconds: number;
  readonly timeMs: number;
  readonly memoryBytes: number;
  readonly outputBytes: number;
}

export type WorkerOutcome =
  | { readonly kind: "answered"; readonly answer: JsonObject }
  /** It was ended, because the program would not end. */
  | { readonly kind: "overran" }
  /** It was ended, because the machine gave it no time on a processor. */
  | { readonly kind: "starved" }
  /** It ended while the program ran. */
  | { readonly kind: "lost"; readonly message: string }
  /** It ended before the program began. */
  | { readonly kind: "never-ran"; readonly message: string };

export interface PythonWorker {
  /** Requests that were given and not answered; they run one after another. */
  readonly openCount: number;
  readonly hasEnded: boolean;
  /** Of the request that was given last: another one costs a change of image. */
  readonly hashSeed: number;
  /** Never rejects. */
  run(request: WireRequest): Promise<WorkerOutcome>;
  /** Ends it at once. */
  close(): Promise<void>;
}

export interface PythonBackend {
  readonly id: "pyodide" | "native";
  /** What executes: `Pyodide 314.0.7`. */
  readonly software: string;
  /** Whether the same request gives the same execution, clock and chance included. */
  readonly isRepeatable: boolean;
  /** Ready to be given requests. @throws `backend-unavailable` */
  start(): Promise<PythonWorker>;
}
