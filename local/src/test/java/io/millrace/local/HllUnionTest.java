package io.millrace.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Files;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.apache.datasketches.hll.HllSketch;
import org.apache.datasketches.hll.TgtHllType;
import org.apache.datasketches.hll.Union;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The shipped macros of {@code sql/ddl/hll.sql} over sketches that the library itself wrote. */
class HllUnionTest {
  private static final int LG_K = 12;
  private static final int REGISTERS = 1 << LG_K;

  /** The documented standard error. */
  private static final double ERROR = 1.04 / Math.sqrt(REGISTERS);

  private Connection duckdb;

  @BeforeEach
  void open() throws Exception {
    duckdb = DriverManager.getConnection("jdbc:duckdb:");
    try (Statement sql = duckdb.createStatement()) {
      sql.execute(Files.readString(BuildFiles.sql("ddl/hll.sql")));
      sql.execute("CREATE TABLE sketches (sketch BLOB)");
    }
  }

  @AfterEach
  void close() throws SQLException {
    duckdb.close();
  }

  /** The users {@code from} (inclusive) to {@code to} of an endless list, written as cells are. */
  private static byte[] sketch(long seed, int from, int to) {
    HllSketch sketch = new HllSketch(LG_K, TgtHllType.HLL_8);
    for (int i = from; i < to; i++) {
      sketch.update("user-" + seed + "-" + i);
    }
    return sketch.toCompactByteArray();
  }

  private static Union union(List<byte[]> sketches) {
    Union union = new Union(LG_K);
    sketches.forEach(s -> union.update(HllSketch.heapify(s)));
    return union;
  }

  private <T> T read(List<byte[]> sketches, String query, Class<T> type) throws SQLException {
    try (Statement sql = duckdb.createStatement();
        PreparedStatement insert = duckdb.prepareStatement("INSERT INTO sketches VALUES (?)")) {
      sql.execute("DELETE FROM sketches");
      for (byte[] sketch : sketches) {
        insert.setBytes(1, sketch);
        insert.execute();
      }
      try (ResultSet result = sql.executeQuery(query)) {
        result.next();
        return type.cast(result.getObject(1));
      }
    }
  }

  private long estimate(List<byte[]> sketches) throws SQLException {
    return read(sketches, "SELECT hll_union_estimate(sketch) FROM sketches", Long.class);
  }

  private long estimate(byte[]... sketches) throws SQLException {
    return estimate(Arrays.asList(sketches));
  }

  @Test
  void countsFewUsersExactly() throws SQLException {
    assertThat(estimate()).isZero();
    assertThat(estimate(sketch(1, 0, 0))).isZero();
    for (int users : new int[] {1, 2, 7, 8, 9, 10, 32, 100, 200, 384}) {
      assertThat(estimate(sketch(1, 0, users))).isEqualTo(users);
    }
    byte[] none = null;
    assertThat(estimate(sketch(1, 0, 5), none, sketch(1, 3, 9))).isEqualTo(9);
  }

  /** Coupons are counted however many there are, as long as no sketch in the union is large. */
  @Test
  void countsAUnionOfManySmallSketchesAllButExactly() throws SQLException {
    List<byte[]> hours = new ArrayList<>();
    for (int from = 0; from < 20_000; from += 200) {
      hours.add(sketch(2, from, from + 300));
    }
    assertThat((double) estimate(hours)).isEqualTo(20_100, within(20.0));
  }

  @Test
  void staysWithinThreeStandardErrorsUpTo200000Users() throws SQLException {
    for (int users : new int[] {385, 400, 1_000, 4_096, 10_000, 20_000, 50_000, 200_000}) {
      for (int seed = 0; seed < 4; seed++) {
        assertError(users, estimate(sketch(seed, 0, users)), "one sketch, seed " + seed);
        List<byte[]> hours = overlapping(seed, users, 6);
        assertError(users, estimate(hours), "6 that overlap, seed " + seed);
        hours.add(sketch(seed, 0, 3));
        hours.add(sketch(seed, users - 40, users));
        Collections.shuffle(hours, new Random(seed));
        assertError(users, estimate(hours), "large and small ones, seed " + seed);
      }
    }
  }

  /** Sketches of a third of the users each, which have all of them together. */
  private static List<byte[]> overlapping(long seed, int users, int sketches) {
    List<byte[]> all = new ArrayList<>();
    int each = users / 3;
    for (int i = 0; i < sketches; i++) {
      int from = (int) ((long) (users - each) * i / (sketches - 1));
      all.add(sketch(seed, from, from + each));
    }
    return all;
  }

  private static void assertError(int users, long estimate, String what) {
    assertThat(estimate / (double) users)
        .as("%s: %d users, estimated as %d", what, users, estimate)
        .isEqualTo(1.0, within(3 * ERROR));
  }

  /** Single cases say little of a standard error. */
  @Test
  void hasTheDocumentedStandardError() throws SQLException {
    for (int users : new int[] {1_500, 6_000, 10_000, 14_000, 30_000}) {
      double squares = 0;
      double sum = 0;
      int sets = 150;
      for (int seed = 0; seed < sets; seed++) {
        double error = estimate(sketch(1_000 + seed, 0, users)) / (double) users - 1;
        squares += error * error;
        sum += error;
      }
      // The spread of the mean square of 150 errors is 12 %, its root's 6 %.
      assertThat(Math.sqrt(squares / sets)).as("%d users", users).isLessThan(1.18 * ERROR);
      assertThat(sum / sets).as("bias at %d users", users).isEqualTo(0, within(ERROR / 4));
    }
  }

  @Test
  void hasTheRegistersOfTheLibrarysUnion() throws Exception {
    for (int users : new int[] {600, 2_000, 30_000, 200_000}) {
      List<byte[]> sketches = overlapping(7, users, 5);
      sketches.add(sketch(8, 0, 9));
      byte[] united = union(sketches).getResult(TgtHllType.HLL_8).toUpdatableByteArray();
      List<Long> expected = new ArrayList<>();
      for (int register = 0; register < REGISTERS; register++) {
        long value = united[40 + register];
        if (value > 0) {
          expected.add(64L * register + value);
        }
      }
      Object[] found =
          (Object[])
              read(
                      sketches,
                      "SELECT hll_greatest(flatten(list(hll_registers(sketch)))) FROM sketches",
                      java.sql.Array.class)
                  .getArray();
      assertThat(Arrays.asList(found)).isEqualTo(new ArrayList<Object>(expected));
    }
  }

  /** The library counts registers in another way; from the same ones it is never far. */
  @Test
  void agreesWithTheLibrarysUnion() throws SQLException {
    for (int users : new int[] {1, 8, 9, 384}) {
      List<byte[]> sketches = List.of(sketch(3, 0, users), sketch(3, users / 2, users));
      assertThat(estimate(sketches)).isEqualTo(Math.round(union(sketches).getEstimate()));
    }
    for (int users : new int[] {500, 1_000, 3_000, 9_000, 12_000, 20_000, 80_000, 200_000}) {
      for (int seed = 0; seed < 4; seed++) {
        List<byte[]> sketches = overlapping(seed, users, 6);
        double library = union(sketches).getEstimate();
        assertThat(estimate(sketches) / library)
            .as("%d users, seed %d, the library says %f", users, seed, library)
            .isEqualTo(1.0, within(users < 10_000 ? 0.02 : 0.005));
      }
    }
  }

  @Test
  void isTheSameInAnyOrderAndForASketchTwice() throws SQLException {
    List<byte[]> sketches = overlapping(4, 30_000, 8);
    long once = estimate(sketches);
    List<byte[]> shuffled = new ArrayList<>(sketches);
    shuffled.addAll(sketches.subList(2, 6));
    Collections.shuffle(shuffled, new Random(5));
    assertThat(estimate(shuffled)).isEqualTo(once);
    byte[] united = union(sketches).getResult(TgtHllType.HLL_8).toCompactByteArray();
    assertThat(estimate(united)).isEqualTo(once);
    assertThat(estimate(union(sketches).getResult(TgtHllType.HLL_8).toUpdatableByteArray()))
        .isEqualTo(once);
  }

  @Test
  void refusesSketchesOfAnotherKind() {
    byte[] smaller = new HllSketch(11, TgtHllType.HLL_8).toCompactByteArray();
    assertThatThrownBy(() -> estimate(smaller))
        .hasMessageContaining("not an HLL_8 sketch of 4,096 registers: 0201070B");
    byte[] packed = new HllSketch(LG_K, TgtHllType.HLL_4).toCompactByteArray();
    assertThatThrownBy(() -> estimate(packed))
        .hasMessageContaining("not an HLL_8 sketch of 4,096 registers: 0201070C");
  }
}
