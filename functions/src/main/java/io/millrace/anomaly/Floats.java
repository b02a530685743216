package io.millrace.anomaly;

import java.io.IOException;
import java.util.Arrays;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/** Arrays of which much is zero, in state: pairs of position and value. */
final class Floats {
  private Floats() {}

  static void write(float[] values, DataOutputView out) throws IOException {
    int filled = 0;
    for (float value : values) {
      filled += value == 0 ? 0 : 1;
    }
    out.writeShort(filled);
    for (int i = 0; i < values.length; i++) {
      if (values[i] != 0) {
        out.writeShort(i);
        out.writeFloat(values[i]);
      }
    }
  }

  /** Fills the array; positions beyond its end are refused. */
  static void read(float[] values, DataInputView in) throws IOException {
    Arrays.fill(values, 0);
    int filled = in.readUnsignedShort();
    for (int i = 0; i < filled; i++) {
      int position = in.readUnsignedShort();
      if (position >= values.length) {
        throw new IOException(
            "position " + position + " in a state of " + values.length + " values");
      }
      values[position] = in.readFloat();
    }
  }
}
