/**
 * Decides whether large kernels are shared with helper threads at the moment. On a machine with idle cores sharing
 * nearly halves a step; where other programs keep the cores busy, waiting for a helper that is not scheduled costs
 * more than it saves. So both ways are tried now and then, and the better one is used for a while.
 * Speed alone depends on this, never a result. Knows durations, not clocks.
 */

const trialLaunches = 48;
const useLaunches = 3000;

interface Trial {
  launches: number;
  /** Sum of duration over the duration that the kernel alone has at best. */
  slowness: number;
}

export class SharingPolicy {
  private phase: "trying-shared" | "trying-alone" | "using" = "trying-shared";
  private trial: Trial = { launches: 0, slowness: 0 };
  private sharedSlowness = 0;
  private isShared = true;

  /** Whether the next large kernel is to be shared. */
  get shallShare(): boolean {
    return this.isShared;
  }

  /** Takes the duration of a large kernel, and the shortest that it ever took on one thread. */
  record(durationMs: number, shortestMs: number): void {
    this.trial.launches += 1;
    this.trial.slowness += durationMs / Math.max(shortestMs, 1e-3);
    if (this.trial.launches < (this.phase === "using" ? useLaunches : trialLaunches)) return;
    this.turn(this.trial.slowness / this.trial.launches);
    this.trial = { launches: 0, slowness: 0 };
  }

  private turn(slowness: number): void {
    switch (this.phase) {
      case "trying-shared":
        this.sharedSlowness = slowness;
        this.phase = "trying-alone";
        this.isShared = false;
        return;
      case "trying-alone":
        this.phase = "using";
        this.isShared = this.sharedSlowness <= slowness;
        return;
      case "using":
        this.phase = "trying-shared";
        this.isShared = true;
        return;
    }
  }
}
