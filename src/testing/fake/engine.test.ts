import { describeEngine } from "../describe-engine.ts";
import { createFakeEngine } from "./engine.ts";

describeEngine({ name: "the fake engine", createEngine: () => createFakeEngine() });
