/** The part of asciichart that we use; the package brings no types. */
declare module "asciichart" {
  export interface PlotOptions {
    readonly min?: number;
    readonly max?: number;
    readonly height?: number;
    readonly offset?: number;
    readonly padding?: string;
    readonly colors?: readonly (string | undefined)[];
    readonly format?: (value: number) => string;
  }
  export function plot(series: readonly (readonly number[])[], options?: PlotOptions): string;
}
