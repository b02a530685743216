package io.millrace.transform.quality;

import org.apache.commons.codec.digest.MurmurHash3;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.functions.RichMapFunction;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.binary.BinaryRowData;
import org.apache.flink.table.runtime.typeutils.RowDataSerializer;
import org.apache.flink.table.types.logical.BigIntType;
import org.apache.flink.table.types.logical.RowType;

/**
 * Makes 128 bits of each row, the same for equal rows; that two other rows share them is not to be
 * expected in any number of rows that can be stored. Equal rows are found by them without moving
 * rows about.
 */
public final class FingerprintRows extends RichMapFunction<RowData, RowData> {
  private static final long serialVersionUID = 1L;

  /** The type of what comes out. */
  static final RowType TYPE = RowType.of(false, new BigIntType(false), new BigIntType(false));

  private static final int SEED = 0;

  private final RowType rowType;
  private transient RowDataSerializer serializer;
  private transient RowData.FieldGetter[] getters;
  private transient GenericRowData fields;

  /** For rows of that type, whose fields have one binary form for each value. */
  public FingerprintRows(RowType rowType) {
    this.rowType = rowType;
  }

  @Override
  public void open(OpenContext context) {
    serializer = new RowDataSerializer(rowType);
    fields = new GenericRowData(rowType.getFieldCount());
    getters = new RowData.FieldGetter[rowType.getFieldCount()];
    for (int i = 0; i < getters.length; i++) {
      getters[i] = RowData.createFieldGetter(rowType.getTypeAt(i), i);
    }
  }

  @Override
  public RowData map(RowData row) {
    // A binary row may have its texts in any sequence; one that is made of fields has them in
    // theirs.
    for (int i = 0; i < getters.length; i++) {
      fields.setField(i, getters[i].getFieldOrNull(row));
    }
    BinaryRowData binary = serializer.toBinaryRow(fields);
    long[] hash =
        MurmurHash3.hash128x64(
            binary.getSegments()[0].getArray(), binary.getOffset(), binary.getSizeInBytes(), SEED);
    return GenericRowData.of(hash[0], hash[1]);
  }
}
