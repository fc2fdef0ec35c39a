/** What is said when a command is asked to stop. */
import type { InterruptName } from "./interrupts.ts";

export function interruptNotice(name: InterruptName): string[] {
  switch (name) {
    case "interrupted":
      return ["", "stopping: every finished turn is kept; press ctrl-C again to end at once"];
    case "terminated":
    case "hangUp":
      return ["stopping: every finished turn is kept"];
    case "closedPipe":
    case "storage":
      return [];
  }
}
