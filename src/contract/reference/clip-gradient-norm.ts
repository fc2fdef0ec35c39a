/** Clipping by the global L2 norm, as PyTorch's `clip_grad_norm_` means it. */

/** Added to the norm before dividing, as PyTorch does. */
const normFloor = 1e-6;

/** The factor by which gradients of this norm are multiplied; 1 where there is nothing to clip. */
export function clippingFactor(gradientNorm: number, clipGradientNorm: number | undefined): number {
  if (clipGradientNorm === undefined || clipGradientNorm === 0) return 1;
  return Math.min(1, clipGradientNorm / (gradientNorm + normFloor));
}

/** The L2 norm over all entries. */
export function l2Norm(gradient: ArrayLike<number>): number {
  let squares = 0;
  for (let index = 0; index < gradient.length; index++) squares += (gradient[index] ?? 0) ** 2;
  return Math.sqrt(squares);
}
