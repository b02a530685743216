package io.millrace.config;

import java.util.Collection;
import java.util.Optional;

/** Finds the key, or other name, that was probably meant. */
public final class NearestKey {
  private NearestKey() {}

  /** The known key most like {@code key}; empty when none is like it. */
  public static Optional<String> find(String key, Collection<String> known) {
    String best = null;
    int bestDistance = Math.max(2, key.length() / 3) + 1;
    for (String candidate : known) {
      // A key without its group is as good as one typing error.
      boolean withoutGroup = candidate.endsWith("." + key);
      if (!withoutGroup && Math.abs(candidate.length() - key.length()) >= bestDistance) {
        continue;
      }
      int distance = withoutGroup ? 1 : distance(key, candidate);
      if (distance < bestDistance) {
        best = candidate;
        bestDistance = distance;
      }
    }
    return Optional.ofNullable(best);
  }

  /** Insertions, deletions, replacements and swaps of neighbours that turn one into the other. */
  private static int distance(String from, String to) {
    int[][] cost = new int[from.length() + 1][to.length() + 1];
    for (int i = 0; i <= from.length(); i++) {
      for (int j = 0; j <= to.length(); j++) {
        if (i == 0 || j == 0) {
          cost[i][j] = i + j;
          continue;
        }
        int replaced = from.charAt(i - 1) == to.charAt(j - 1) ? 0 : 1;
        cost[i][j] =
            Math.min(Math.min(cost[i - 1][j], cost[i][j - 1]) + 1, cost[i - 1][j - 1] + replaced);
        if (i > 1
            && j > 1
            && from.charAt(i - 1) == to.charAt(j - 2)
            && from.charAt(i - 2) == to.charAt(j - 1)) {
          cost[i][j] = Math.min(cost[i][j], cost[i - 2][j - 2] + 1);
        }
      }
    }
    return cost[from.length()][to.length()];
  }
}
