/**
 * Where the `spar` command begins. Node keeps what it made of the modules (in its own cache in the folder for
 * temporary files; NODE_DISABLE_COMPILE_CACHE=1 turns it off), which halves the time of every later start.
 */
import { enableCompileCache } from "node:module";

enableCompileCache();
await import("./command.ts");
