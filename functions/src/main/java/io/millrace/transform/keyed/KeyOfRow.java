package io.millrace.transform.keyed;

import org.apache.flink.api.java.functions.KeySelector;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.runtime.typeutils.RowDataSerializer;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.RowType;

/** Some columns of a row, in the binary form, whose hash is that of its bytes. */
public final class KeyOfRow implements KeySelector<RowData, RowData> {
  private static final long serialVersionUID = 1L;

  private final RowData.FieldGetter[] getters;
  private final LogicalType[] types;
  private transient RowDataSerializer serializer;

  public KeyOfRow(int[] positions, RowType row) {
    getters = new RowData.FieldGetter[positions.length];
    types = new LogicalType[positions.length];
    for (int i = 0; i < positions.length; i++) {
      types[i] = row.getTypeAt(positions[i]);
      getters[i] = RowData.createFieldGetter(types[i], positions[i]);
    }
  }

  @Override
  public RowData getKey(RowData row) {
    if (serializer == null) {
      serializer = new RowDataSerializer(types);
    }
    GenericRowData key = new GenericRowData(getters.length);
    for (int i = 0; i < getters.length; i++) {
      key.setField(i, getters[i].getFieldOrNull(row));
    }
    return serializer.toBinaryRow(key).copy();
  }
}
