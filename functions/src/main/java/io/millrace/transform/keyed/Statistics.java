package io.millrace.transform.keyed;

import io.millrace.transform.function.Moments;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.List;
import javax.annotation.Nullable;
import org.apache.datasketches.kll.KllDoublesSketch;
import org.apache.datasketches.memory.Memory;
import org.apache.datasketches.quantilescommon.QuantileSearchCriteria;

/** What is known of one column over a stretch of event time; kinds that are not kept are null. */
final class Statistics {
  /** The error of a rank is at most 1.33 % of the number of values, in 99 of 100 cases. */
  private static final int K = 200;

  private static final int FORMAT = 1;
  private static final Moments MOMENTS = new Moments();

  /** What is kept of a column's numbers. */
  enum Kind {
    /** Mean and deviation. */
    MOMENTS,
    /** About the quantiles. */
    QUANTILES
  }

  @Nullable private Moments.Sums sums;
  @Nullable private KllDoublesSketch quantiles;
  @Nullable private ValueCounts counts;

  void addNumber(double value, Kind kind) {
    if (kind == Kind.MOMENTS) {
      sums = sums == null ? MOMENTS.createAccumulator() : sums;
      MOMENTS.accumulate(sums, value);
    } else {
      quantiles = quantiles == null ? KllDoublesSketch.newHeapInstance(K) : quantiles;
      quantiles.update(value);
    }
  }

  void addValue(String value) {
    counts = counts == null ? new ValueCounts() : counts;
    counts.add(value);
  }

  void merge(Statistics other) {
    if (other.sums != null) {
      sums = sums == null ? MOMENTS.createAccumulator() : sums;
      MOMENTS.merge(sums, List.of(other.sums));
    }
    if (other.quantiles != null) {
      quantiles = quantiles == null ? KllDoublesSketch.newHeapInstance(K) : quantiles;
      quantiles.merge(other.quantiles);
    }
    if (other.counts != null) {
      counts = counts == null ? new ValueCounts() : counts;
      counts.merge(other.counts);
    }
  }

  @Nullable
  Double mean() {
    return sums == null ? null : Moments.mean(sums);
  }

  /** The sample deviation; null below two values. */
  @Nullable
  Double deviation() {
    return sums == null ? null : Moments.deviation(sums);
  }

  /** The value that the share of values does not exceed; null of nothing. */
  @Nullable
  Double quantile(double share) {
    return quantiles == null
        ? null
        : Double.valueOf(quantiles.getQuantile(share, QuantileSearchCriteria.INCLUSIVE));
  }

  /** The middle value, or half-way between the two in the middle; null of nothing. */
  @Nullable
  Double median() {
    if (quantiles == null) {
      return null;
    }
    long n = quantiles.getN();
    double low = quantiles.getQuantile(0.5, QuantileSearchCriteria.INCLUSIVE);
    return n % 2 == 1
        ? low
        : (low + quantiles.getQuantile(0.5, QuantileSearchCriteria.EXCLUSIVE)) / 2;
  }

  @Nullable
  ValueCounts counts() {
    return counts;
  }

  /** All columns of a pane as versioned bytes. */
  static byte[] toBytes(Statistics[] columns) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    out.writeByte(FORMAT);
    out.writeInt(columns.length);
    for (Statistics column : columns) {
      column.write(out);
    }
    return bytes.toByteArray();
  }

  static Statistics[] of(byte[] bytes) throws IOException {
    DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes));
    int format = in.readUnsignedByte();
    if (format != FORMAT) {
      throw new IOException("statistics of format " + format + ", this version reads " + FORMAT);
    }
    Statistics[] columns = new Statistics[in.readInt()];
    for (int i = 0; i < columns.length; i++) {
      columns[i] = read(in);
    }
    return columns;
  }

  private void write(DataOutputStream out) throws IOException {
    out.writeBoolean(sums != null);
    if (sums != null) {
      out.writeLong(sums.n);
      out.writeDouble(sums.sum);
      out.writeDouble(sums.error);
      out.writeDouble(sums.mean);
      out.writeDouble(sums.squares);
    }
    write(out, quantiles == null ? null : quantiles.toByteArray());
    write(out, counts == null ? null : counts.toBytes());
  }

  private static void write(DataOutputStream out, @Nullable byte[] sketch) throws IOException {
    out.writeInt(sketch == null ? 0 : sketch.length);
    if (sketch != null) {
      out.write(sketch);
    }
  }

  private static Statistics read(DataInputStream in) throws IOException {
    Statistics read = new Statistics();
    if (in.readBoolean()) {
      read.sums = MOMENTS.createAccumulator();
      read.sums.n = in.readLong();
      read.sums.sum = in.readDouble();
      read.sums.error = in.readDouble();
      read.sums.mean = in.readDouble();
      read.sums.squares = in.readDouble();
    }
    byte[] sketch = in.readNBytes(in.readInt());
    read.quantiles = sketch.length == 0 ? null : KllDoublesSketch.heapify(Memory.wrap(sketch));
    byte[] values = in.readNBytes(in.readInt());
    read.counts = values.length == 0 ? null : ValueCounts.of(values);
    return read;
  }
}
