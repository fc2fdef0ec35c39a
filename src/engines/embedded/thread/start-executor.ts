/** Starts what computes in the engine's thread. Each executor is loaded only where it is chosen. */
import type { ProgramExecutor } from "../executor/program-executor.ts";
import type { EngineThreadData } from "./protocol.ts";

/** @throws `package-missing` where the native executor's package does not load */
export async function startExecutor({
  executor,
  threadCount,
  memoryLimitBytes,
}: EngineThreadData): Promise<ProgramExecutor> {
  switch (executor) {
    case "wasm": {
      const { Executor } = await import("../executor/executor.ts");
      return new Executor({ threads: threadCount, memoryLimitBytes });
    }
    case "native": {
      const { loadOnnxRuntime } = await import("../native/onnx-runtime.ts");
      const { NativeExecutor } = await import("../native/native-executor.ts");
      return new NativeExecutor(await loadOnnxRuntime(), { threads: threadCount, memoryLimitBytes });
    }
  }
}
