package io.millrace.codec.arrow;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import javax.annotation.Nullable;
import org.apache.flink.table.data.ArrayData;
import org.apache.flink.table.data.DecimalData;
import org.apache.flink.table.data.MapData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.types.logical.ArrayType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.MapType;
import org.apache.flink.table.types.logical.RowType;

/**
 * Rows as nested lists of texts, in the form of {@code read_arrow.value_of}: comparable, whatever
 * class a row has, and between languages.
 */
final class RowText {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSSSSSSSS", Locale.ROOT);

  private RowText() {}

  static List<Object> of(RowData row, RowType type) {
    List<Object> values = new ArrayList<>();
    for (int i = 0; i < type.getFieldCount(); i++) {
      LogicalType field = type.getTypeAt(i);
      values.add(of(RowData.createFieldGetter(field, i).getFieldOrNull(row), field));
    }
    return values;
  }

  static List<List<Object>> of(Iterable<? extends RowData> rows, RowType type) {
    List<List<Object>> all = new ArrayList<>();
    rows.forEach(row -> all.add(of(row, type)));
    return all;
  }

  /** What {@code read_arrow.py} printed. */
  @Nullable
  static Object of(JsonNode node) {
    if (node.isNull()) {
      return null;
    }
    if (!node.isArray()) {
      return node.asText();
    }
    List<Object> values = new ArrayList<>();
    node.forEach(child -> values.add(of(child)));
    return values;
  }

  @Nullable
  private static Object of(@Nullable Object value, LogicalType type) {
    if (value == null) {
      return null;
    }
    if (value instanceof byte[] bytes) {
      return HexFormat.of().formatHex(bytes);
    }
    if (value instanceof Double number) {
      return HexFormat.of().toHexDigits(Double.doubleToRawLongBits(number));
    }
    if (value instanceof Float number) {
      return HexFormat.of().toHexDigits(Double.doubleToRawLongBits(number));
    }
    if (value instanceof DecimalData decimal) {
      return decimal.toBigDecimal().toPlainString();
    }
    if (value instanceof TimestampData time) {
      return TIME.format(time.toLocalDateTime());
    }
    if (value instanceof RowData row) {
      return of(row, (RowType) type);
    }
    if (value instanceof ArrayData array) {
      return elements(array, ((ArrayType) type).getElementType());
    }
    if (value instanceof MapData map) {
      List<Object> keys = elements(map.keyArray(), ((MapType) type).getKeyType());
      List<Object> mapped = elements(map.valueArray(), ((MapType) type).getValueType());
      List<Object> entries = new ArrayList<>();
      for (int i = 0; i < keys.size(); i++) {
        List<Object> entry = new ArrayList<>();
        entry.add(keys.get(i));
        entry.add(mapped.get(i));
        entries.add(entry);
      }
      return entries;
    }
    return value.toString();
  }

  private static List<Object> elements(ArrayData array, LogicalType type) {
    ArrayData.ElementGetter getter = ArrayData.createElementGetter(type);
    List<Object> values = new ArrayList<>();
    for (int i = 0; i < array.size(); i++) {
      values.add(of(getter.getElementOrNull(array, i), type));
    }
    return values;
  }
}
