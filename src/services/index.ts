/** Services of a table: what games may call besides seats. */
export type { PythonBridgeOptions } from "./python-bridge/bridge.ts";
export type { BridgeErrorCode } from "./python-bridge/bridge-errors.ts";
export {
  pythonLibraries,
  startPythonGames,
  type PythonGames,
  type PythonLibrary,
  type PythonProbe,
  type PythonService,
} from "./python-bridge/python-games.ts";
