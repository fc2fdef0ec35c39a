#!/usr/bin/env node
/**
 * The `spar` command. CommonJS in words that Node 12 already understands, so that a Node that is too old can
 * say so instead of failing on syntax. In a clone it runs the TypeScript sources, with the Node that `npm install` brings
 * where this one is older; in an installed package, where Node strips no types, it runs what the build emitted.
 */
"use strict";

var fs = require("fs");
var path = require("path");

/** The oldest Node that will do: "24.15.0". */
var floor = require("../package.json").engines.node.replace(">=", "");
/** The exit code `environment` of src/cli/exit-codes.ts: something that is needed is not there. */
var exitEnvironment = 4;

var root = path.resolve(fs.realpathSync(__dirname), "..");
var sourceEntry = path.join(root, "src", "cli", "main.ts");
var builtEntry = path.join(root, "dist", "src", "cli", "main.js");
var isClone =
  root.split(path.sep).indexOf("node_modules") === -1 && fs.existsSync(path.join(root, "tsconfig.json"));

start();

function start() {
  var runtime = findRuntime();
  if (runtime === null) return refuse(tooOldMessage());
  if (isClone) return hand(runtime, ["--conditions=source", sourceEntry]);
  if (!fs.existsSync(builtEntry))
    return refuse("this copy of spar has no built files: install the package again");
  return import("../dist/src/cli/main.js");
}

/** This Node where it is new enough, else the repository's own, else null. */
function findRuntime() {
  if (isAtLeast(process.versions.node, floor)) return process.execPath;
  var own = path.join(
    root,
    "node_modules",
    "node",
    "bin",
    process.platform === "win32" ? "node.exe" : "node",
  );
  return isClone && fs.existsSync(own) ? own : null;
}

function isAtLeast(version, floorVersion) {
  var have = version.split(".").map(Number);
  var need = floorVersion.split(".").map(Number);
  return have[0] !== need[0] ? have[0] > need[0] : have[1] >= need[1];
}

function tooOldMessage() {
  var needed = "Node " + floor.replace(/\.0$/, "");
  var way = isClone
    ? "run `npm install` here, which brings one, or install it yourself"
    : "install it from nodejs.org or with your version manager";
  return "spar needs " + needed + " or later, and this is Node " + process.versions.node + ": " + way;
}

function refuse(message) {
  process.stderr.write("spar: " + message + "\n");
  process.exitCode = exitEnvironment;
}

/** Hands over to another Node: by becoming it where the system and this Node can, else as its parent. */
function hand(runtime, argumentsOfNode) {
  var all = argumentsOfNode.concat(process.argv.slice(2));
  if (typeof process.execve === "function" && process.platform !== "win32") {
    process.execve(runtime, [runtime].concat(all), process.env);
  }
  superviseChild(require("child_process").spawn(runtime, all, { stdio: "inherit" }));
}

function superviseChild(child) {
  ["SIGINT", "SIGTERM", "SIGHUP"].forEach(function (signal) {
    process.on(signal, function () {
      // From a terminal, ctrl-C has reached the child already: a second one would mean "at once".
      var isFromTerminal = signal === "SIGINT" && (process.stdin.isTTY || process.stderr.isTTY);
      if (!isFromTerminal) child.kill(signal);
    });
  });
  child.on("error", function (error) {
    refuse("could not start " + child.spawnfile + ": " + error.message);
  });
  child.on("exit", function (code, signal) {
    if (signal === null) return process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
