/**
 * A thread beside the interpreter: ends the process when whoever started it has gone. A program that loops inside machine
 * code hears nothing else.
 */
const cell = new Int32Array(new SharedArrayBuffer(4));
const parent = process.ppid;
const lookMs = 1000;

for (;;) {
  Atomics.wait(cell, 0, 0, lookMs);
  if (process.ppid !== parent) process.kill(process.pid, "SIGKILL");
}
