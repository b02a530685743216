package io.millrace.lake.parquet;

import static org.apache.parquet.schema.LogicalTypeAnnotation.listType;
import static org.apache.parquet.schema.LogicalTypeAnnotation.mapType;
import static org.apache.parquet.schema.LogicalTypeAnnotation.stringType;
import static org.apache.parquet.schema.LogicalTypeAnnotation.timestampType;

import io.millrace.lake.catalog.Column;
import io.millrace.lake.catalog.LakeType;
import io.millrace.lake.catalog.TableSchema;
import java.util.List;
import org.apache.parquet.schema.GroupType;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.TimeUnit;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.apache.parquet.schema.Type;
import org.apache.parquet.schema.Type.Repetition;
import org.apache.parquet.schema.Types;

/**
 * Turns a table's schema into Parquet's: three-level lists and maps, UTC milliseconds, annotated
 * strings.
 */
public final class ParquetSchema {
  private ParquetSchema() {}

  /** The Parquet schema of a table's files; partition columns are not in the files. */
  public static MessageType of(TableSchema table) {
    return new MessageType(table.name(), fields(table.columns()));
  }

  private static List<Type> fields(List<Column> columns) {
    return columns.stream().map(c -> field(c, c.name())).toList();
  }

  private static Type field(Column column, String name) {
    Repetition repetition = column.required() ? Repetition.REQUIRED : Repetition.OPTIONAL;
    LakeType type = column.type();
    return switch (type.kind()) {
      case STRING ->
          Types.primitive(PrimitiveTypeName.BINARY, repetition).as(stringType()).named(name);
      case BINARY -> Types.primitive(PrimitiveTypeName.BINARY, repetition).named(name);
      case LONG -> Types.primitive(PrimitiveTypeName.INT64, repetition).named(name);
      case INT -> Types.primitive(PrimitiveTypeName.INT32, repetition).named(name);
      case DOUBLE -> Types.primitive(PrimitiveTypeName.DOUBLE, repetition).named(name);
      case BOOLEAN -> Types.primitive(PrimitiveTypeName.BOOLEAN, repetition).named(name);
      case TIMESTAMP ->
          Types.primitive(PrimitiveTypeName.INT64, repetition)
              .as(timestampType(true, TimeUnit.MILLIS))
              .named(name);
      case MAP ->
          group(
              repetition,
              name,
              mapType(),
              "key_value",
              List.of(
                  field(type.children().get(0), "key"), field(type.children().get(1), "value")));
      case ARRAY ->
          group(
              repetition,
              name,
              listType(),
              "list",
              List.of(field(type.children().get(0), "element")));
      case STRUCT -> new GroupType(repetition, name, fields(type.children()));
    };
  }

  private static Type group(
      Repetition repetition,
      String name,
      LogicalTypeAnnotation annotation,
      String repeated,
      List<Type> fields) {
    return Types.buildGroup(repetition)
        .as(annotation)
        .addField(new GroupType(Repetition.REPEATED, repeated, fields))
        .named(name);
  }
}
