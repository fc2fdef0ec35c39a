import { describe, expect, test } from "vitest";
import { formatChart } from "./chart.ts";
import { createStyle } from "./style.ts";

const plain = createStyle(false);

describe("a chart", () => {
  test("names each line where it ends", () => {
    const lines = formatChart({
      title: "Held-out accuracy",
      horizontalAxis: "iteration",
      series: [
        { name: "spin", values: [0.4, 0.5, 0.8] },
        { name: "control", values: [0.4, 0.45, 0.4] },
      ],
      maximumWidth: 70,
      style: plain,
    });
    expect(lines[0]).toBe("Held-out accuracy");
    expect(lines[1]).toMatch(/^0\.800.* spin$/u);
    expect(lines.at(-2)).toMatch(/^0\.400.* control$/u);
    expect(lines.at(-1)?.trim()).toBe("iteration →");
  });

  test("numbers its horizontal axis below the points, where it is told what they are", () => {
    const numbered = (values: readonly number[], horizontalValues: readonly number[]): string[] =>
      formatChart({
        title: "Accuracy",
        horizontalAxis: "iterations",
        horizontalValues,
        series: [{ name: "x", values }],
        maximumWidth: 70,
        style: plain,
      });
    const lines = numbered([0, 0, 1, 0, 0], [0, 10, 20, 30, 40]);
    const axis = lines.at(-1) ?? "";
    expect(axis.trim()).toMatch(/^0 +10 +20 +30 +40 {2}iterations →$/u);
    // The peak is where its number is.
    const peak = [...(lines[1] ?? "")].findIndex((character) => character === "╭");
    expect(Math.abs(axis.indexOf("20") - peak)).toBeLessThanOrEqual(2);
    const many = Array.from({ length: 500 }, (_value, index) => index);
    const crowded = numbered(many, many).at(-1) ?? "";
    expect(crowded.split(/ +/u).length).toBeLessThan(16);
    expect(crowded.length).toBeLessThanOrEqual(70);
    expect(numbered([1], [0]).at(-1)?.trim()).toBe("iterations →");
  });

  test("fits the terminal", () => {
    const values = Array.from({ length: 500 }, (_value, index) => Math.sin(index / 20));
    const lines = formatChart({
      title: "Loss",
      horizontalAxis: "update",
      series: [{ name: "loss", values }],
      maximumWidth: 60,
      style: plain,
    });
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(60);
  });

  test("one value, equal values and values that are not finite are drawn, never thrown", () => {
    for (const values of [[1], [0, 0, 0], [1, Number.NaN, 2], [Number.POSITIVE_INFINITY]]) {
      const lines = formatChart({
        title: "Edge",
        horizontalAxis: "step",
        series: [{ name: "x", values }],
        maximumWidth: 60,
        style: plain,
      });
      expect(lines.length).toBeGreaterThan(1);
      expect(lines.join("\n")).not.toMatch(/NaN|Infinity|undefined/u);
    }
  });

  test("different values draw different lines", () => {
    const draw = (values: readonly number[]): string =>
      formatChart({
        title: "",
        horizontalAxis: "",
        series: [{ name: "x", values }],
        maximumWidth: 60,
        style: plain,
      }).join("\n");
    expect(draw([1, 2, 3])).not.toBe(draw([1, 3, 3]));
  });
});
