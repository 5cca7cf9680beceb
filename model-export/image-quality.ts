/** Bound once: these loops are hot, and a test runner's realm looks globals up slowly. */
const { log10, min } = Math

/** Mean squared error of two images of equal size. */
export function meanSquaredError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2
  return sum / a.length
}

/** PSNR of 8-bit images in decibels, 10·log₁₀(255² / MSE); 100 where the images are equal. */
export function peakSignalToNoise(mse: number): number {
  return min(100, 10 * log10((255 * 255) / mse))
}

/**
 * Structural similarity (Wang, Bovik, Sheikh, Simoncelli 2004) of two images of values 0…255, with 8×8
 * uniform windows at every position, K₁ = 0.01, K₂ = 0.03; the mean over windows and channels. Images
 * smaller than a window are one window.
 *
 * @param a - row-major height × width × channels
 * @param b - the same size
 */
export function structuralSimilarity(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  height: number,
  width: number,
  channels: number,
): number {
  const windowHeight = min(8, height)
  const windowWidth = min(8, width)
  const pixels = windowHeight * windowWidth
  const c1 = (0.01 * 255) ** 2
  const c2 = (0.03 * 255) ** 2
  let total = 0
  let windows = 0
  for (let channel = 0; channel < channels; channel++) {
    const at = (image: ArrayLike<number>) => (y: number, x: number) =>
      image[(y * width + x) * channels + channel]!
    const first = at(a)
    const second = at(b)
    const sums = [
      first,
      second,
      (y: number, x: number) => first(y, x) ** 2,
      (y: number, x: number) => second(y, x) ** 2,
      (y: number, x: number) => first(y, x) * second(y, x),
    ].map((value) => summedArea(height, width, value))
    for (let y = 0; y + windowHeight <= height; y++)
      for (let x = 0; x + windowWidth <= width; x++) {
        const [ma, mb, aa, bb, ab] = sums.map(
          (sum) => sum(y, x, y + windowHeight, x + windowWidth) / pixels,
        ) as [number, number, number, number, number]
        const variances = aa - ma * ma + (bb - mb * mb)
        const covariance = ab - ma * mb
        total +=
          ((2 * ma * mb + c1) * (2 * covariance + c2)) /
          ((ma * ma + mb * mb + c1) * (variances + c2))
        windows++
      }
  }
  return total / windows
}

/** Sums over rectangles [top, bottom) × [left, right) in constant time. */
function summedArea(
  height: number,
  width: number,
  value: (y: number, x: number) => number,
): (top: number, left: number, bottom: number, right: number) => number {
  const stride = width + 1
  const sums = new Float64Array((height + 1) * stride)
  for (let y = 0; y < height; y++)
    for (let x = 0, row = 0; x < width; x++) {
      row += value(y, x)
      sums[(y + 1) * stride + x + 1] = sums[y * stride + x + 1]! + row
    }
  return (top, left, bottom, right) =>
    sums[bottom * stride + right]! -
    sums[top * stride + right]! -
    sums[bottom * stride + left]! +
    sums[top * stride + left]!
}
