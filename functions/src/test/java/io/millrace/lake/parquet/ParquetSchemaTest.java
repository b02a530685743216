package io.millrace.lake.parquet;

import static io.millrace.lake.catalog.Column.optional;
import static io.millrace.lake.catalog.Column.required;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.lake.catalog.Column;
import io.millrace.lake.catalog.LakeType;
import io.millrace.lake.catalog.TableSchema;
import io.millrace.rollup.RollupSpec;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The Parquet and Hive types of a table, and that no released column changes. */
class ParquetSchemaTest {
  private static final List<String> DIMENSIONS = RollupSpec.DEFAULT_DIMENSIONS;

  static Stream<LakeTable<?>> tables() {
    return Stream.of(
        new AppEventTable(),
        new SessionTable(),
        RollupTable.hourly(DIMENSIONS, List.of()),
        RollupTable.daily(DIMENSIONS, List.of()),
        new RawEventTable(),
        new DeadLetterTable(),
        new LedgerTable(),
        new CrossCheckTable(),
        new AnomalyTable());
  }

  static Stream<Arguments> types() {
    return Stream.of(
        Arguments.of(LakeType.STRING, "optional binary c (STRING)", "string"),
        Arguments.of(LakeType.BINARY, "optional binary c", "binary"),
        Arguments.of(LakeType.LONG, "optional int64 c", "bigint"),
        Arguments.of(LakeType.INT, "optional int32 c", "int"),
        Arguments.of(LakeType.DOUBLE, "optional double c", "double"),
        Arguments.of(LakeType.BOOLEAN, "optional boolean c", "boolean"),
        Arguments.of(LakeType.TIMESTAMP, "optional int64 c (TIMESTAMP(MILLIS,true))", "timestamp"),
        Arguments.of(
            LakeType.map(LakeType.STRING, LakeType.STRING),
            "optional group c (MAP) { repeated group key_value {"
                + " required binary key (STRING); optional binary value (STRING); } }",
            "map<string,string>"),
        Arguments.of(
            LakeType.array(LakeType.STRING),
            "optional group c (LIST) { repeated group list {"
                + " required binary element (STRING); } }",
            "array<string>"),
        Arguments.of(
            LakeType.array(
                LakeType.struct(
                    required("k", LakeType.STRING, ""), optional("v", LakeType.BINARY, ""))),
            "optional group c (LIST) { repeated group list { required group element {"
                + " required binary k (STRING); optional binary v; } } }",
            "array<struct<k:string,v:binary>>"));
  }

  @ParameterizedTest
  @MethodSource("types")
  void eachTypeHasAParquetAndAHiveForm(LakeType type, String parquet, String hive) {
    TableSchema table = new TableSchema("t", "p/t", List.of(Column.optional("c", type, "")), "");
    String field = ParquetSchema.of(table).getType("c").toString();
    assertThat(field.replaceAll("\\s+", " ")).isEqualTo(parquet);
    assertThat(type.hive()).isEqualTo(hive);
  }

  @Test
  void aRequiredColumnIsRequired() {
    TableSchema table =
        new TableSchema("t", "p/t", List.of(Column.required("c", LakeType.LONG, "")), "");
    assertThat(ParquetSchema.of(table).toString())
        .isEqualTo("message t {\n  required int64 c;\n}\n");
  }

  @Test
  void theRollupsDefaultsAreThoseOfTheSpec() {
    assertThat(RollupTable.HOURLY).isEqualTo(RollupTable.hourly(DIMENSIONS, List.of()).schema());
    assertThat(RollupTable.DAILY).isEqualTo(RollupTable.daily(DIMENSIONS, List.of()).schema());
  }

  /**
   * A released table may only gain optional columns, at its end: then raise its schema version and
   * add a file of that version beside the others.
   */
  @ParameterizedTest
  @MethodSource("tables")
  void releasedSchemasAreFrozen(LakeTable<?> table) throws IOException {
    List<String> now =
        table.schema().columns().stream().map(ParquetSchemaTest::line).collect(Collectors.toList());
    for (int version = 1; version <= table.schemaVersion(); version++) {
      List<String> released = released(table.schema().name(), version);
      assertThat(now.subList(0, Math.min(released.size(), now.size())))
          .as("%s version %d", table.schema().path(), version)
          .isEqualTo(released);
      assertThat(now.subList(released.size(), now.size())).noneMatch(c -> c.endsWith("required"));
    }
    assertThat(now).isEqualTo(released(table.schema().name(), table.schemaVersion()));
  }

  private static String line(Column column) {
    return column.name()
        + " "
        + column.type().hive()
        + (column.required() ? " required" : " optional");
  }

  private static List<String> released(String table, int version) throws IOException {
    String name = "/schemas/" + table + "-v" + version + ".txt";
    try (InputStream in = ParquetSchemaTest.class.getResourceAsStream(name)) {
      assertThat(in).as(name).isNotNull();
      return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
    }
  }
}
