/** The part of glicko2 that we use; the package brings no types. */
declare module "glicko2" {
  export interface Glicko2Settings {
    readonly tau: number;
    readonly rating: number;
    readonly rd: number;
    readonly vol: number;
  }
  export interface Glicko2Player {
    getRating(): number;
    getRd(): number;
    getVol(): number;
  }
  export class Glicko2 {
    constructor(settings: Glicko2Settings);
    makePlayer(rating: number, deviation: number, volatility: number): Glicko2Player;
    /** One rating period: 1 where the first won, 0 where the second did, 0.5 for a draw. */
    updateRatings(matches: readonly (readonly [Glicko2Player, Glicko2Player, number])[]): void;
    predict(first: Glicko2Player, second: Glicko2Player): number;
  }
}
