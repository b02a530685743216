package io.millrace.datagen;

/**
 * SplitMix64: the same numbers on every JVM. Whatever is derived from them uses StrictMath, for the
 * same reason.
 */
final class Dice {
  private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;

  private long state;

  Dice(long seed) {
    this.state = mix(seed);
  }

  /** A bijection, so that different inputs never give the same output. */
  static long mix(long z) {
    long a = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    long b = (a ^ (a >>> 27)) * 0x94D049BB133111EBL;
    return b ^ (b >>> 31);
  }

  /** A number that belongs to an item of a seed, whatever was drawn before. */
  static long of(long seed, long item) {
    return mix(seed + (item + 1) * GOLDEN_GAMMA);
  }

  long next() {
    state += GOLDEN_GAMMA;
    return mix(state);
  }

  /** From 0 to {@code bound - 1}. */
  int below(int bound) {
    return (int) (((next() >>> 32) * bound) >>> 32);
  }

  /** In [0, 1). */
  double fraction() {
    return (next() >>> 11) * 0x1.0p-53;
  }

  /** From {@code min} to {@code max}, short ones more often: uniform in the logarithm. */
  long logUniform(long min, long max) {
    double value = min * StrictMath.exp(fraction() * StrictMath.log((double) max / min));
    return Math.min(max, Math.max(min, (long) value));
  }

  double gaussian() {
    double radius = StrictMath.sqrt(-2 * StrictMath.log(1 - fraction()));
    return radius * StrictMath.cos(2 * StrictMath.PI * fraction());
  }

  /** Draws of a log-normal distribution, to pick from at the cost of one number. */
  static long[] logNormal(double median, double sigma, long min, long max) {
    Dice dice = new Dice(Double.doubleToLongBits(median));
    long[] draws = new long[8192];
    for (int i = 0; i < draws.length; i++) {
      long draw = (long) (median * StrictMath.exp(sigma * dice.gaussian()));
      draws[i] = Math.min(max, Math.max(min, draw));
    }
    return draws;
  }

  long oneOf(long[] draws) {
    return draws[below(draws.length)];
  }
}
