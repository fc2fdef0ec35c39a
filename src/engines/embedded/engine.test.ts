/** The conformance suite that every engine passes. */
import { describeEngine } from "../../testing/describe-engine.ts";
import { createEngine } from "./engine.ts";

describeEngine({ name: "the embedded engine", createEngine: () => createEngine({ threadCount: 2 }) });
