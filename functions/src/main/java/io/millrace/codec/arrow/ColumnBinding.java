package io.millrace.codec.arrow;

import io.millrace.codec.arrow.ArrowField.Kind;
import io.millrace.codec.arrow.ArrowRejection.Reason;
import java.util.List;
import javax.annotation.Nullable;
import org.apache.flink.table.types.logical.ArrayType;
import org.apache.flink.table.types.logical.BinaryType;
import org.apache.flink.table.types.logical.DecimalType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.LogicalTypeRoot;
import org.apache.flink.table.types.logical.MapType;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.logical.utils.LogicalTypeChecks;

/**
 * A column of the data and the type that it is read as, which is known to hold all its values.
 *
 * @param path the name, with those of the columns around it
 * @param children one per child of the field, null for one that nobody wants
 * @param positions of a struct, per child its place in the row
 * @param arity of a struct, how many fields the row has
 */
record ColumnBinding(
    String path,
    ArrowField field,
    LogicalType wanted,
    ColumnBinding[] children,
    int[] positions,
    int arity) {
  private static final ColumnBinding[] NONE = {};
  private static final int[] NOWHERE = {};

  boolean nullable() {
    return wanted.isNullable();
  }

  /** The columns of a row among fields, by name. */
  static ColumnBinding ofRow(String path, ArrowField struct, RowType row) throws BadArrowException {
    List<ArrowField> fields = struct.children();
    ColumnBinding[] children = new ColumnBinding[fields.size()];
    int[] positions = new int[fields.size()];
    for (int position = 0; position < row.getFieldCount(); position++) {
      RowType.RowField wanted = row.getFields().get(position);
      String name = path.isEmpty() ? wanted.getName() : path + "." + wanted.getName();
      int found = -1;
      for (int i = 0; i < fields.size(); i++) {
        if (fields.get(i).name().equals(wanted.getName())) {
          if (found >= 0) {
            throw BadArrowException.of(
                Reason.BAD_TYPE, "column '%s' stands in the schema more than once", name);
          }
          found = i;
        }
      }
      if (found >= 0) {
        children[found] = of(name, fields.get(found), wanted.getType());
        positions[found] = position;
      } else if (!wanted.getType().isNullable()) {
        throw BadArrowException.of(
            Reason.BAD_TYPE, "column '%s' is NOT NULL, and the data have no such column", name);
      }
    }
    return new ColumnBinding(path, struct, row, children, positions, row.getFieldCount());
  }

  private static ColumnBinding of(String path, ArrowField field, LogicalType wanted)
      throws BadArrowException {
    if (!canRead(field, wanted)) {
      throw BadArrowException.of(
          field.kind() == Kind.OTHER ? Reason.UNSUPPORTED : Reason.BAD_TYPE,
          "column '%s' is %s, which cannot be read as %s%s",
          path,
          field.typeName(),
          wanted.copy(true).asSummaryString(),
          advice(field));
    }
    if (field.kind() == Kind.NULL) {
      if (!wanted.isNullable()) {
        throw BadArrowException.of(
            Reason.BAD_TYPE, "column '%s' is NOT NULL, and the data have only nulls", path);
      }
      return leaf(path, field, wanted);
    }
    return switch (field.kind()) {
      case LIST, LARGE_LIST, FIXED_LIST -> {
        ArrowField element = field.children().get(0);
        LogicalType type = ((ArrayType) wanted).getElementType();
        yield new ColumnBinding(
            path, field, wanted, new ColumnBinding[] {of(path + "[]", element, type)}, NOWHERE, 0);
      }
      case MAP -> {
        MapType map = (MapType) wanted;
        List<ArrowField> entry = field.children().get(0).children();
        // Flink's map keys are nullable by declaration, those of Arrow never null.
        yield new ColumnBinding(
            path,
            field,
            wanted,
            new ColumnBinding[] {
              of(path + "{key}", entry.get(0), map.getKeyType()),
              of(path + "{value}", entry.get(1), map.getValueType())
            },
            NOWHERE,
            0);
      }
      case STRUCT -> {
        ColumnBinding row = ofRow(path, field, (RowType) wanted);
        yield new ColumnBinding(path, field, wanted, row.children(), row.positions(), row.arity());
      }
      default -> leaf(path, field, wanted);
    };
  }

  private static ColumnBinding leaf(String path, ArrowField field, LogicalType wanted) {
    return new ColumnBinding(path, field, wanted, NONE, NOWHERE, 0);
  }

  /** The same column as it stands in its dictionary, which may hold nulls that nobody refers to. */
  ColumnBinding values() {
    return new ColumnBinding(path, field.values(), wanted.copy(true), children, positions, arity);
  }

  private static boolean canRead(ArrowField field, LogicalType wanted) {
    LogicalTypeRoot root = wanted.getTypeRoot();
    return switch (field.kind()) {
      case NULL -> true;
      case BOOL -> root == LogicalTypeRoot.BOOLEAN;
      case INT -> canReadInt(field, wanted);
      case FLOAT ->
          root == LogicalTypeRoot.DOUBLE || (root == LogicalTypeRoot.FLOAT && field.width() <= 32);
      case DECIMAL ->
          wanted instanceof DecimalType type
              && type.getScale() == field.scale()
              && type.getPrecision() >= field.precision();
      case DATE -> root == LogicalTypeRoot.DATE;
      case TIME -> root == LogicalTypeRoot.TIME_WITHOUT_TIME_ZONE;
      case TIMESTAMP ->
          root
                  == (field.zoned()
                      ? LogicalTypeRoot.TIMESTAMP_WITH_LOCAL_TIME_ZONE
                      : LogicalTypeRoot.TIMESTAMP_WITHOUT_TIME_ZONE)
              && LogicalTypeChecks.getPrecision(wanted) >= digits(field.unit());
      case TEXT, LARGE_TEXT -> root == LogicalTypeRoot.VARCHAR || root == LogicalTypeRoot.CHAR;
      case BINARY, LARGE_BINARY -> root == LogicalTypeRoot.VARBINARY;
      case FIXED_BINARY ->
          root == LogicalTypeRoot.VARBINARY
              || (wanted instanceof BinaryType type && type.getLength() == field.width());
      case LIST, LARGE_LIST, FIXED_LIST -> root == LogicalTypeRoot.ARRAY;
      case STRUCT -> root == LogicalTypeRoot.ROW;
      case MAP -> root == LogicalTypeRoot.MAP;
      case OTHER -> false;
    };
  }

  private static boolean canReadInt(ArrowField field, LogicalType wanted) {
    int needed = field.signed() ? field.width() : field.width() + 1;
    return switch (wanted.getTypeRoot()) {
      case TINYINT -> needed <= 8;
      case SMALLINT -> needed <= 16;
      case INTEGER -> needed <= 32;
      case BIGINT -> needed <= 64;
      case DECIMAL ->
          needed == 65
              && ((DecimalType) wanted).getScale() == 0
              && ((DecimalType) wanted).getPrecision() >= 20;
      default -> false;
    };
  }

  /** Digits of the fraction of a second. */
  static int digits(long unit) {
    return unit == ArrowField.SECOND
        ? 0
        : unit == ArrowField.MILLI ? 3 : unit == ArrowField.MICRO ? 6 : 9;
  }

  /** The narrowest type that would do. */
  private static String advice(ArrowField field) {
    @Nullable
    String type =
        switch (field.kind()) {
          case BOOL -> "BOOLEAN";
          case INT -> {
            int needed = field.signed() ? field.width() : field.width() + 1;
            yield needed <= 8
                ? "TINYINT"
                : needed <= 16
                    ? "SMALLINT"
                    : needed <= 32 ? "INT" : needed <= 64 ? "BIGINT" : "DECIMAL(20, 0)";
          }
          case FLOAT -> field.width() <= 32 ? "FLOAT" : "DOUBLE";
          case DECIMAL ->
              field.precision() <= DecimalType.MAX_PRECISION
                      && field.scale() >= 0
                      && field.scale() <= field.precision()
                  ? "DECIMAL(" + field.precision() + ", " + field.scale() + ")"
                  : null;
          case DATE -> "DATE";
          case TIME -> "TIME(3)";
          case TIMESTAMP ->
              (field.zoned() ? "TIMESTAMP_LTZ(" : "TIMESTAMP(") + digits(field.unit()) + ")";
          case TEXT, LARGE_TEXT -> "STRING";
          case BINARY, LARGE_BINARY -> "BYTES";
          case FIXED_BINARY -> field.width() > 0 ? "BINARY(" + field.width() + ")" : "BYTES";
          case LIST, LARGE_LIST, FIXED_LIST -> "ARRAY";
          case STRUCT -> "ROW";
          case MAP -> "MAP";
          case NULL, OTHER -> null;
        };
    return type == null ? "" : ", but as " + type;
  }
}
