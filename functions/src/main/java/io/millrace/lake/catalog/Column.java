package io.millrace.lake.catalog;

import java.io.Serializable;
import java.util.Objects;

/**
 * A column of a lake table.
 *
 * @param required never null; columns added after a table's first release are optional
 * @param doc meaning and unit, in one line: shown in the catalog and in docs/tables.md
 */
public record Column(String name, LakeType type, boolean required, String doc)
    implements Serializable {
  public Column {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(type, "type");
    Objects.requireNonNull(doc, "doc");
  }

  public static Column required(String name, LakeType type, String doc) {
    return new Column(name, type, true, doc);
  }

  public static Column optional(String name, LakeType type, String doc) {
    return new Column(name, type, false, doc);
  }
}
