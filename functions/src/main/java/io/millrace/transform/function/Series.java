package io.millrace.transform.function;

import io.millrace.anomaly.Detector;
import io.millrace.anomaly.DetectorOptions;
import io.millrace.anomaly.Floor;
import io.millrace.anomaly.Verdict;
import java.io.IOException;
import javax.annotation.Nullable;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;
import org.apache.flink.types.Row;

/** A series while it is judged: its detector, and what that said of the last value. */
public final class Series {
  private static final int FORMAT = 1;

  private int minSamples;
  private int patience;
  @Nullable private Detector detector;
  @Nullable private Double expected;
  @Nullable private Double score;
  @Nullable private String severity;

  /** Judges a value; one without a time or a number is passed over. */
  void observe(@Nullable Long epochMillis, @Nullable Double value, int minSamples, int patience) {
    expected = null;
    score = null;
    severity = null;
    if (epochMillis == null || value == null || value.isNaN() || value.isInfinite()) {
      return;
    }
    if (detector == null) {
      this.minSamples = minSamples;
      this.patience = patience;
      detector = new Detector(options());
    }
    Verdict verdict = detector.observe(epochMillis, value);
    expected = Double.isNaN(verdict.expected()) ? null : verdict.expected();
    score = verdict.score();
    severity = verdict.severity().code();
  }

  private DetectorOptions options() {
    return DetectorOptions.with(Floor.NEGLIGIBLE).with(minSamples, patience);
  }

  /** (expected, score, severity) of the last value, nulls where it was passed over. */
  Row verdict() {
    return Row.of(expected, score, severity);
  }

  void write(DataOutputView out) throws IOException {
    out.writeByte(FORMAT);
    out.writeBoolean(detector != null);
    if (detector != null) {
      out.writeInt(minSamples);
      out.writeInt(patience);
      detector.write(out);
    }
    out.writeBoolean(score != null);
    if (score != null) {
      out.writeDouble(expected == null ? Double.NaN : expected);
      out.writeDouble(score);
      out.writeUTF(severity);
    }
  }

  static Series read(DataInputView in) throws IOException {
    int format = in.readUnsignedByte();
    if (format != FORMAT) {
      throw new IOException("series of format " + format + ", this version reads 1");
    }
    Series series = new Series();
    if (in.readBoolean()) {
      series.minSamples = in.readInt();
      series.patience = in.readInt();
      series.detector = Detector.read(series.options(), in);
    }
    if (in.readBoolean()) {
      double expected = in.readDouble();
      series.expected = Double.isNaN(expected) ? null : expected;
      series.score = in.readDouble();
      series.severity = in.readUTF();
    }
    return series;
  }
}
