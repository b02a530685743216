package io.millrace.transform.connector;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.transform.LocalTables;
import io.millrace.transform.Rows;
import io.millrace.transform.file.FileKind;
import io.millrace.transform.file.RowFile;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.zip.ZipFile;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.logical.BigIntType;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.logical.VarCharType;
import org.apache.flink.test.junit5.MiniClusterExtension;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** What load_data writes as xlsx, told by the bytes of the sheet and by what is read back. */
class LoadWorkbookTest {
  @RegisterExtension
  static final MiniClusterExtension CLUSTER = new MiniClusterExtension(LocalTables.cluster());

  @TempDir Path root;
  private LocalTables local;

  @BeforeEach
  void tables() {
    local = new LocalTables(root);
  }

  @Test
  void aCellHasTheKindOfItsColumn() throws Exception {
    Object[] first = {
      true,
      -1,
      Long.MAX_VALUE,
      0.1f,
      1e16,
      new BigDecimal("12.50"),
      " größe, \"x\"\n<&>",
      LocalDate.of(2024, 2, 29),
      LocalTime.of(10, 0, 0, 500_000_000),
      LocalDateTime.of(2024, 2, 11, 10, 0, 0, 123_000_000),
      Instant.parse("2024-02-11T10:00:00Z"),
      new byte[] {1, 2, (byte) 0xFF},
      "007"
    };
    Object[] last = {
      false,
      2,
      0L,
      -2.5f,
      1e-5,
      new BigDecimal("-0.01"),
      "=1+1",
      LocalDate.of(1900, 3, 1),
      LocalTime.MIDNIGHT,
      LocalDateTime.of(9999, 12, 31, 23, 59, 59),
      Instant.parse("1999-12-31T23:59:59Z"),
      new byte[] {0},
      "x"
    };

    Path file =
        load(
            Map.of("format", "xlsx"),
            local.rows(LoadRun.COLUMNS, LoadRun.TYPES, first, new Object[first.length], last));

    assertThat(root.toRealPath().relativize(file)).hasToString("test/processed/step.xlsx");
    String sheet = part(file, "xl/worksheets/sheet1.xml");
    assertThat(sheet)
        .contains("<c r=\"A2\" t=\"b\"><v>1</v></c>")
        .contains("<c r=\"B2\" t=\"n\"><v>-1</v></c>")
        .contains("<c r=\"C2\" t=\"n\"><v>9223372036854775807</v></c>")
        .contains("<c r=\"D2\" t=\"n\"><v>0.1</v></c>")
        .contains("<c r=\"F2\" t=\"n\"><v>12.50</v></c>")
        .contains("<t xml:space=\"preserve\"> gr&#xf6;&#xdf;e, &quot;x&quot;&#xa;&lt;&amp;&gt;</t>")
        .contains("t=\"inlineStr\"><is><t>=1+1</t></is></c>")
        .doesNotContain("<row r=\"3\"")
        .doesNotContain("<f>");
    assertThat(part(file, "xl/workbook.xml")).contains("<sheet name=\"Sheet1\"");

    tables();
    Rows read = extract(file);
    assertThat(read.columns()).isEqualTo(LoadRun.COLUMNS);
    assertThat(LocalTables.collect(read))
        .containsExactly(
            List.of(
                true,
                -1L,
                Long.MAX_VALUE,
                0.1,
                1e16,
                12.5,
                " größe, \"x\"\n<&>",
                LocalDate.of(2024, 2, 29),
                LocalTime.of(10, 0, 0, 500_000_000),
                LocalDateTime.of(2024, 2, 11, 10, 0, 0, 123_000_000),
                LocalDateTime.of(2024, 2, 11, 10, 0),
                "AQL/",
                "007"),
            Arrays.asList(new Object[first.length]),
            List.of(
                false,
                2L,
                0L,
                -2.5,
                1e-5,
                -0.01,
                "=1+1",
                LocalDate.of(1900, 3, 1),
                LocalTime.MIDNIGHT,
                LocalDateTime.of(9999, 12, 31, 23, 59, 59),
                LocalDateTime.of(1999, 12, 31, 23, 59, 59),
                "AA==",
                "x"));
  }

  @Test
  void whatExcelHasNotIsText() throws Exception {
    Path file =
        load(
            Map.of("format", "XLS", "path", "out.xlsx"),
            local.rows(
                List.of("d", "day", "at"),
                List.of(DataTypes.DOUBLE(), DataTypes.DATE(), DataTypes.TIMESTAMP(3)),
                new Object[] {
                  Double.POSITIVE_INFINITY,
                  LocalDate.of(1899, 12, 31),
                  LocalDateTime.of(1850, 1, 2, 3, 4, 5, 6_000_000)
                },
                new Object[] {Double.NaN, LocalDate.of(1900, 2, 28), null},
                new Object[] {-0.5, LocalDate.of(10000, 1, 1), null}));

    tables();
    assertThat(LocalTables.collect(extract(file)))
        .containsExactly(
            List.of("inf", "1899-12-31", "1850-01-02 03:04:05.006"),
            Arrays.asList(null, "1900-02-28", null),
            Arrays.asList("-0.5", "+10000-01-01", null));
  }

  @Test
  void oneFileKeepsTheOrderAndSeveralHoldAll() throws Exception {
    Object[][] values =
        IntStream.range(0, 3000)
            .mapToObj(i -> new Object[] {i * 7919L % 3000, "t" + i})
            .toArray(Object[][]::new);
    List<String> columns = List.of("n", "t");
    List<DataType> types = List.of(DataTypes.BIGINT(), DataTypes.STRING());
    List<List<Object>> all = Stream.of(values).map(List::of).toList();

    Path one = load(Map.of("format", "xlsx"), local.rows(columns, types, values));
    tables();
    assertThat(LocalTables.collect(extract(one))).isEqualTo(all);

    tables();
    Path several =
        load(
            Map.of("format", "xlsx", "path", "several", "files", 2),
            local.rows(columns, types, values));
    tables();
    try (Stream<Path> parts = Files.list(several)) {
      assertThat(parts.map(p -> p.getFileName().toString()).sorted())
          .containsExactly("part-00000.xlsx", "part-00001.xlsx");
    }
    assertThat(LocalTables.collect(extract(several))).containsExactlyInAnyOrderElementsOf(all);
  }

  @Test
  void noRowsAreAHeader() throws Exception {
    Rows rows = local.rows(List.of("a"), List.of(DataTypes.STRING()), new Object[] {"x"});

    Path file = load(Map.of("format", "xlsx"), rows.with(rows.table().limit(0)));

    assertThat(part(file, "xl/worksheets/sheet1.xml"))
        .contains("<sheetData><row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>a</t></is></c></row>")
        .doesNotContain("<row r=\"2\"");
  }

  /** The limits of a sheet are said in one line, and nothing but the rows' count is needed. */
  @Test
  void theLimitsOfASheet() throws Exception {
    RowType rowType =
        RowType.of(
            new org.apache.flink.table.types.logical.LogicalType[] {
              new BigIntType(), new VarCharType(VarCharType.MAX_LENGTH)
            },
            new String[] {"n", "text"});
    GenericRowData empty = new GenericRowData(2);
    try (RowFile file = create(rowType)) {
      for (int i = 1; i < 1_048_576; i++) {
        file.write(empty);
      }
      assertThatThrownBy(() -> file.write(empty))
          .isInstanceOf(IOException.class)
          .hasMessage(
              "there are more rows than a sheet of Excel holds, which is 1048575 below the header;"
                  + " set files to 2 or more, or take another format");
    }
    try (RowFile file = create(rowType)) {
      file.write(GenericRowData.of(1L, StringData.fromString("x".repeat(32_767))));
      assertThatThrownBy(
              () -> file.write(GenericRowData.of(1L, StringData.fromString("x".repeat(32_768)))))
          .isInstanceOf(IOException.class)
          .hasMessage(
              "a text in column 'text' has 32768 characters, but a cell of Excel holds 32767; take"
                  + " another format");
    }
    List<String> names = IntStream.range(0, 16_385).mapToObj(i -> "c" + i).toList();
    List<RowType.RowField> fields = new ArrayList<>();
    names.forEach(name -> fields.add(new RowType.RowField(name, new BigIntType())));
    assertThat(FileKind.XLSX.refuses(new RowType(fields)))
        .isEqualTo("there are 16385 columns, but a sheet of Excel holds 16384");
    assertThat(FileKind.XLSX.refuses(new RowType(fields.subList(1, fields.size())))).isNull();
  }

  @Test
  void refusesNestedColumnsAndCompression() {
    Rows nested =
        local.rows(
            List.of("a"),
            List.of(DataTypes.ARRAY(DataTypes.INT())),
            new Object[] {new Integer[] {1}});
    assertThat(local.lower(new LoadData(), Map.of("format", "xlsx"), nested)).isNull();
    assertThat(local.problems)
        .singleElement()
        .hasToString("step 'step': the column 'a' is ARRAY<INT>, which xlsx cannot hold");

    local.problems.clear();
    Rows rows = local.rows(List.of("a"), List.of(DataTypes.INT()), new Object[] {1});
    assertThat(local.lower(new LoadData(), Map.of("format", "xlsx", "compression", "zstd"), rows))
        .isNull();
    assertThat(local.problems)
        .singleElement()
        .hasToString("step 'step': compression is 'zstd', but xlsx has none");
  }

  private RowFile create(RowType rowType) throws IOException {
    return FileKind.XLSX
        .files(rowType, new FileKind.Options(false, ""))
        .create(root.resolve("limits.xlsx"));
  }

  private Rows extract(Path file) throws IOException {
    return local.lower(
        new ExtractExcel(), Map.of("file_path", root.toRealPath().relativize(file).toString()));
  }

  private static String part(Path file, String name) throws IOException {
    try (ZipFile zip = new ZipFile(file.toFile())) {
      return new String(
          zip.getInputStream(zip.getEntry(name)).readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  private Path load(Map<String, ?> arguments, Rows rows) throws Exception {
    return LoadRun.of(local, arguments, rows);
  }
}
