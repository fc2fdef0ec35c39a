import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createTable, formatTable, type TableCell } from "./table.ts";
import { widthOf } from "./text.ts";

const columns = [{ name: "iteration" }, { name: "greedy", digits: 3 }, { name: "note" }];
const heading = (text: string): string => text;

describe("a table that grows", () => {
  test("prints its header with the first row and keeps the columns aligned", () => {
    const table = createTable({ title: "Held out", columns, maximumWidth: 80, styleHeading: heading });
    expect(table.rows([[0, 0.4851, "warm-up"]])).toEqual([
      "Held out",
      "iteration  greedy  note",
      "        0   0.485  warm-up",
    ]);
    expect(table.rows([[10, 0.5, "ok"]])).toEqual(["       10   0.500  ok"]);
  });

  test("a missing value is a dash, on the side of its column", () => {
    const table = createTable({ title: "", columns, maximumWidth: 80, styleHeading: heading });
    expect(table.rows([[1, null, null]])).toEqual(["iteration  greedy  note", "        1       -     -"]);
  });

  test("rows that come together are laid out together", () => {
    const table = createTable({
      title: "",
      columns: [{ name: "model" }, { name: "n" }],
      maximumWidth: 80,
      styleHeading: heading,
    });
    const rows = [
      ["spin", null],
      ["fine-tuning", 12],
    ];
    expect(table.rows(rows)).toEqual(["model         n", "spin          -", "fine-tuning  12"]);
  });

  test("numbers that are not finite are shown as such", () => {
    const table = createTable({ title: "", columns, maximumWidth: 80, styleHeading: heading });
    expect(table.rows([[1, Number.NaN, "x"]]).at(-1)).toBe("        1     NaN  x");
  });

  test("fits the terminal by cutting text, never numbers", () => {
    const table = createTable({ title: "", columns, maximumWidth: 30, styleHeading: heading });
    const row = table.rows([[123456789, 0.5, "a long remark that goes on and on"]]).at(-1) ?? "";
    expect(row).toBe("123456789   0.500  a long rem…");
  });

  test("a whole table makes every column as wide as its widest cell", () => {
    expect(
      formatTable(
        [{ name: "id" }, { name: "summary" }],
        [
          ["a", "one"],
          ["spin", "two"],
        ],
      ),
    ).toEqual(["id    summary", "a     one", "spin  two"]);
  });

  test("no line is wider than the terminal where the numbers leave room, whatever the text", () => {
    const cell = fc.oneof(fc.string({ unit: "grapheme" }), fc.constant(null));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 8 }),
        (rows: [TableCell, TableCell][]) => {
          const lines = formatTable([{ name: "a" }, { name: "b" }], rows, 24);
          for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(24);
        },
      ),
    );
  });
});
