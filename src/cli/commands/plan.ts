/** `spar plan RECIPE`: what a run would do, in numbers, without starting anything. */
import type { Command } from "commander";
import { makePlanReport } from "../plan/make-report.ts";
import { planLines } from "../plan/text.ts";
import { prepareRecipe } from "../prepare.ts";
import type { Shell } from "../shell.ts";
import { addCommonOptions, addRecipeOptions, type RecipeOptions } from "./recipe-options.ts";

export function addPlanCommand(program: Command, shell: Shell): void {
  const command = program
    .command("plan <recipe>")
    .description("print what a run would do: steps, tokens, updates, memory, engines, inputs, options");
  addRecipeOptions(command)
    .option("--json", "print one JSON object")
    .action(async (recipe: string, options: RecipeOptions) => {
      const prepared = await prepareRecipe({ recipe, ...options }, shell);
      const report = await makePlanReport(prepared, options.seed, shell);
      const { style, maximumWidth } = shell.screen;
      shell.screen.print(
        ...(options.json === true ? [JSON.stringify(report)] : planLines(report, { style, maximumWidth })),
      );
    });
  addCommonOptions(command);
}
