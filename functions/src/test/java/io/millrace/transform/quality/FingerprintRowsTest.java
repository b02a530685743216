package io.millrace.transform.quality;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.flink.table.data.DecimalData;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.data.binary.BinaryRowData;
import org.apache.flink.table.data.writer.BinaryRowWriter;
import org.apache.flink.table.types.logical.BigIntType;
import org.apache.flink.table.types.logical.DecimalType;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.logical.TimestampType;
import org.apache.flink.table.types.logical.VarCharType;
import org.junit.jupiter.api.Test;

class FingerprintRowsTest {
  private static final RowType TYPE =
      RowType.of(
          new VarCharType(VarCharType.MAX_LENGTH),
          new VarCharType(VarCharType.MAX_LENGTH),
          new BigIntType(),
          new DecimalType(30, 2),
          new TimestampType(9));

  private static FingerprintRows opened() {
    FingerprintRows fingerprints = new FingerprintRows(TYPE);
    fingerprints.open(null);
    return fingerprints;
  }

  private static RowData row(String a, String b, Long n, String decimal, String time) {
    return GenericRowData.of(
        StringData.fromString(a),
        StringData.fromString(b),
        n,
        decimal == null ? null : DecimalData.fromBigDecimal(new BigDecimal(decimal), 30, 2),
        time == null ? null : TimestampData.fromLocalDateTime(java.time.LocalDateTime.parse(time)));
  }

  private static List<Long> hash(FingerprintRows fingerprints, RowData row) {
    RowData hash = fingerprints.map(row);
    return List.of(hash.getLong(0), hash.getLong(1));
  }

  /** Writers of binary rows put long texts down in the sequence in which they come to them. */
  @Test
  void isTheSameForEqualRowsHoweverTheyLie() {
    FingerprintRows fingerprints = opened();
    BinaryRowData binary = new BinaryRowData(5);
    BinaryRowWriter writer = new BinaryRowWriter(binary);
    writer.writeTimestamp(
        4, TimestampData.fromLocalDateTime(java.time.LocalDateTime.parse("2026-01-01T10:00")), 9);
    writer.writeDecimal(
        3, DecimalData.fromBigDecimal(new BigDecimal("12345678901234567890.50"), 30, 2), 30);
    writer.writeString(1, StringData.fromString("the second text"));
    writer.writeString(0, StringData.fromString("the first text, which is longer"));
    writer.writeLong(2, 7);
    writer.complete();
    assertThat(hash(fingerprints, binary))
        .isEqualTo(
            hash(
                opened(),
                row(
                    "the first text, which is longer",
                    "the second text",
                    7L,
                    "12345678901234567890.50",
                    "2026-01-01T10:00")));
  }

  @Test
  void differsWhereRowsDo() {
    FingerprintRows fingerprints = opened();
    List<RowData> rows =
        List.of(
            row("ab", "c", 1L, "1.00", "2026-01-01T10:00"),
            row("a", "bc", 1L, "1.00", "2026-01-01T10:00"),
            row("ab", "", 1L, "1.00", "2026-01-01T10:00"),
            row("ab", null, 1L, "1.00", "2026-01-01T10:00"),
            row("ab", "c", null, "1.00", "2026-01-01T10:00"),
            row("ab", "c", 0L, "1.00", "2026-01-01T10:00"),
            row("ab", "c", 1L, null, "2026-01-01T10:00"),
            row("ab", "c", 1L, "0.00", "2026-01-01T10:00"),
            row("ab", "c", 1L, "1.00", null),
            row("ab", "c", 1L, "1.00", "2026-01-01T10:00:00.000000001"),
            row(null, null, null, null, null));
    Set<List<Long>> hashes = new HashSet<>();
    rows.forEach(row -> hashes.add(hash(fingerprints, row)));
    assertThat(hashes).hasSize(rows.size());
  }
}
