import { defineConfig } from "vitest/config";

export default defineConfig({
  ssr: { resolve: { conditions: ["source", "node", "import", "default"] } },
  resolve: { conditions: ["source", "node", "import", "default"] },
  test: {
    include: ["src/**/*.test.ts", "recipes/**/*.test.ts", "test/**/*.test.ts"],
    testTimeout: 20_000,
    maxWorkers: 2,
    execArgv: ["--conditions=source"],
  },
});
