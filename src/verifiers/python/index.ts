/** Python executed in isolation: requests, executions, verdicts. Public as `spar/verifiers/python`. */
export {
  explainExecution,
  type PythonExecution,
  type PythonLimit,
  type SandboxErrorKind,
} from "./execution.ts";
export { compareValues, incomparableIn, type Comparison } from "./equality.ts";
export { isPythonValue, type PythonType, type PythonValue, type TypedValue } from "./python-value.ts";
export { nativeBackend, type NativeOptions } from "./native/backend.ts";
export { pyodideBackend, type PyodideOptions } from "./pyodide/backend.ts";
export type { PythonLimits, PythonQuery, PythonRequest } from "./request.ts";
export { showValue } from "./show-value.ts";
export { openPythonSandbox, type PythonSandbox, type SandboxCounts, type SandboxOptions } from "./sandbox.ts";
export type { SandboxErrorCode } from "./errors.ts";
export type { PythonBackend, PythonWorker, WireRequest, WorkerOutcome } from "./worker.ts";
export { explainVerdict, judgeCompletion, judgeDeterminism, judgeValue } from "./verdict.ts";
