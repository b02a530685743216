package io.millrace.lake.catalog;

import java.io.Serializable;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A column's type, from which the Parquet type, the catalog's type and the docs are derived.
 *
 * @param children the element of an array; key and value of a map; the fields of a struct
 */
public record LakeType(Kind kind, List<Column> children) implements Serializable {
  /** UTF-8 text. */
  public static final LakeType STRING = new LakeType(Kind.STRING, List.of());

  /** 64-bit integer. */
  public static final LakeType LONG = new LakeType(Kind.LONG, List.of());

  /** 32-bit integer. */
  public static final LakeType INT = new LakeType(Kind.INT, List.of());

  /** 64-bit floating point. */
  public static final LakeType DOUBLE = new LakeType(Kind.DOUBLE, List.of());

  /** True or false. */
  public static final LakeType BOOLEAN = new LakeType(Kind.BOOLEAN, List.of());

  /** Milliseconds since the epoch, UTC. */
  public static final LakeType TIMESTAMP = new LakeType(Kind.TIMESTAMP, List.of());

  /** Bytes. */
  public static final LakeType BINARY = new LakeType(Kind.BINARY, List.of());

  /** What a type is at its top level. */
  public enum Kind {
    STRING,
    LONG,
    INT,
    DOUBLE,
    BOOLEAN,
    TIMESTAMP,
    BINARY,
    MAP,
    ARRAY,
    STRUCT
  }

  public LakeType {
    children = List.copyOf(children);
  }

  /** A map whose keys are never null. */
  public static LakeType map(LakeType key, LakeType value) {
    return new LakeType(
        Kind.MAP, List.of(Column.required("key", key, ""), Column.optional("value", value, "")));
  }

  /** An array without null elements. */
  public static LakeType array(LakeType element) {
    return new LakeType(Kind.ARRAY, List.of(Column.required("element", element, "")));
  }

  /** A struct of named fields. */
  public static LakeType struct(Column... fields) {
    return new LakeType(Kind.STRUCT, List.of(fields));
  }

  /** The type's name in Hive, Glue, Athena and Trino's Hive connector. */
  public String hive() {
    return switch (kind) {
      case STRING -> "string";
      case LONG -> "bigint";
      case INT -> "int";
      case DOUBLE -> "double";
      case BOOLEAN -> "boolean";
      case TIMESTAMP -> "timestamp";
      case BINARY -> "binary";
      case MAP ->
          "map<" + children.get(0).type().hive() + "," + children.get(1).type().hive() + ">";
      case ARRAY -> "array<" + children.get(0).type().hive() + ">";
      case STRUCT ->
          children.stream()
              .map(c -> c.name() + ":" + c.type().hive())
              .collect(Collectors.joining(",", "struct<", ">"));
    };
  }
}
