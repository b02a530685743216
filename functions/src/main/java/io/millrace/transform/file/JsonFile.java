package io.millrace.transform.file;

import com.fasterxml.jackson.core.JsonEncoding;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.StreamWriteFeature;
import com.fasterxml.jackson.core.util.MinimalPrettyPrinter;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.annotation.Nullable;
import org.apache.flink.table.data.ArrayData;
import org.apache.flink.table.data.DecimalData;
import org.apache.flink.table.data.MapData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.types.logical.ArrayType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.MapType;
import org.apache.flink.table.types.logical.RowType;

/**
 * An array of objects, as pandas' {@code to_json(orient="records")} writes it, or one object per
 * line. Dates and timestamps are milliseconds since the epoch in UTC, times are text, bytes are
 * base64; NaN and infinities are null, for JSON has none. Numbers keep all their digits.
 */
final class JsonFile implements RowFile {
  private static final int BUFFER = 1 << 16;

  private final JsonGenerator json;
  private final RowValue value;
  private final boolean lines;

  JsonFile(Path file, RowType rowType, boolean lines) throws IOException {
    JsonFactory factory =
        JsonFactory.builder().enable(StreamWriteFeature.USE_FAST_DOUBLE_WRITER).build();
    this.json =
        factory.createGenerator(
            new BufferedOutputStream(Files.newOutputStream(file), BUFFER), JsonEncoding.UTF8);
    this.value = new RowValue(rowType);
    this.lines = lines;
    if (lines) {
      json.setPrettyPrinter(new MinimalPrettyPrinter("\n"));
    } else {
      json.writeStartArray();
    }
  }

  @Override
  public void write(RowData row) throws IOException {
    value.write(row, json);
  }

  @Override
  public void finish() throws IOException {
    if (lines) {
      json.writeRaw('\n');
    } else {
      json.writeEndArray();
    }
    json.flush();
  }

  @Override
  public void close() throws IOException {
    json.configure(JsonGenerator.Feature.AUTO_CLOSE_JSON_CONTENT, false);
    json.close();
  }

  /** Writes a value that is in Flink's internal form and not null. */
  private interface Value {
    void write(Object value, JsonGenerator json) throws IOException;
  }

  private static final class RowValue implements Value {
    private final String[] names;
    private final RowData.FieldGetter[] getters;
    private final Value[] values;

    RowValue(RowType type) {
      List<String> fields = type.getFieldNames();
      names = fields.toArray(new String[0]);
      getters = new RowData.FieldGetter[names.length];
      values = new Value[names.length];
      for (int i = 0; i < names.length; i++) {
        getters[i] = RowData.createFieldGetter(type.getTypeAt(i), i);
        values[i] = value(type.getTypeAt(i));
      }
    }

    @Override
    public void write(Object value, JsonGenerator json) throws IOException {
      RowData row = (RowData) value;
      json.writeStartObject();
      for (int i = 0; i < names.length; i++) {
        json.writeFieldName(names[i]);
        writeOrNull(values[i], row.isNullAt(i) ? null : getters[i].getFieldOrNull(row), json);
      }
      json.writeEndObject();
    }
  }

  private static void writeOrNull(Value writer, @Nullable Object value, JsonGenerator json)
      throws IOException {
    if (value == null) {
      json.writeNull();
    } else {
      writer.write(value, json);
    }
  }

  private static Value value(LogicalType type) {
    return switch (type.getTypeRoot()) {
      case CHAR, VARCHAR -> (value, json) -> json.writeString(value.toString());
      case BOOLEAN -> (value, json) -> json.writeBoolean((Boolean) value);
      case TINYINT, SMALLINT, INTEGER, BIGINT ->
          (value, json) -> json.writeNumber(((Number) value).longValue());
      case FLOAT ->
          (value, json) -> {
            float number = (Float) value;
            if (Float.isFinite(number)) {
              json.writeNumber(number);
            } else {
              json.writeNull();
            }
          };
      case DOUBLE ->
          (value, json) -> {
            double number = (Double) value;
            if (Double.isFinite(number)) {
              json.writeNumber(number);
            } else {
              json.writeNull();
            }
          };
      case DECIMAL -> (value, json) -> json.writeNumber(((DecimalData) value).toBigDecimal());
      case DATE -> (value, json) -> json.writeNumber(TimeUnit.DAYS.toMillis((Integer) value));
      case TIMESTAMP_WITHOUT_TIME_ZONE, TIMESTAMP_WITH_LOCAL_TIME_ZONE ->
          (value, json) -> json.writeNumber(((TimestampData) value).getMillisecond());
      case BINARY, VARBINARY -> (value, json) -> json.writeBinary((byte[]) value);
      case ROW -> new RowValue((RowType) type);
      case ARRAY -> array(((ArrayType) type).getElementType());
      case MAP -> map((MapType) type);
      default -> (value, json) -> json.writeString(TemporalText.of(value, type));
    };
  }

  private static Value array(LogicalType elements) {
    ArrayData.ElementGetter getter = ArrayData.createElementGetter(elements);
    Value element = value(elements);
    return (value, json) -> {
      ArrayData array = (ArrayData) value;
      json.writeStartArray();
      for (int i = 0; i < array.size(); i++) {
        writeOrNull(element, getter.getElementOrNull(array, i), json);
      }
      json.writeEndArray();
    };
  }

  private static Value map(MapType type) {
    ArrayData.ElementGetter keys = ArrayData.createElementGetter(type.getKeyType());
    ArrayData.ElementGetter values = ArrayData.createElementGetter(type.getValueType());
    Value element = value(type.getValueType());
    return (value, json) -> {
      MapData map = (MapData) value;
      json.writeStartObject();
      for (int i = 0; i < map.size(); i++) {
        Object key = keys.getElementOrNull(map.keyArray(), i);
        json.writeFieldName(key instanceof StringData ? key.toString() : String.valueOf(key));
        writeOrNull(element, values.getElementOrNull(map.valueArray(), i), json);
      }
      json.writeEndObject();
    };
  }
}
