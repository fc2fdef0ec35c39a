/**
 * Threefry-2x32 with 20 rounds: numbers as a function of a key and a counter, without a state. For the many small
 * streams of a play, where a hash per stream costs more than all the rest of a move.
 *
 * Why it is good enough: it is the Threefish cipher at half its word size. Its authors (Salmon, Moraes, Dror, Shaw:
 * "Parallel random numbers: as easy as 1, 2, 3", 2011) found no failure in TestU01's BigCrush with 13 rounds, keys
 * and counters one apart included; JAX derives its keys and numbers with these 20.
 */

const parity = 0x1bd1_1bda;

/**
 * 53 of the 64 bits that belong to a key of two words and a counter of two words.
 *
 * @unit integer below 2^53
 */
export function threefryBits(key: number, subkey: number, counter: number, subcounter: number): number {
  const third = parity ^ key ^ subkey;
  let [a, b] = [(counter + key) | 0, (subcounter + subkey) | 0];
  for (let group = 1; group <= 5; group++) {
    // Written out: through a table of rotations it takes twice as long.
    const isOdd = group % 2 === 1;
    a = (a + b) | 0;
    b = rotated(b, isOdd ? 13 : 17) ^ a;
    a = (a + b) | 0;
    b = rotated(b, isOdd ? 15 : 29) ^ a;
    a = (a + b) | 0;
    b = rotated(b, isOdd ? 26 : 16) ^ a;
    a = (a + b) | 0;
    b = rotated(b, isOdd ? 6 : 24) ^ a;
    // The words of the key by turns.
    const turn = group % 3;
    a = (a + (turn === 0 ? key : turn === 1 ? subkey : third)) | 0;
    b = (b + (turn === 0 ? subkey : turn === 1 ? third : key) + group) | 0;
  }
  return (a >>> 0) * 2 ** 21 + (b >>> 11);
}

function rotated(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
