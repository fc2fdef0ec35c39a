/** Verifiers: what judges answers by executing or checking them. Each stands alone, as `spar/verifiers/<name>`. */
export * as python from "./python/index.ts";
