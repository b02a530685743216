package io.millrace.transform.connector;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.transform.LocalTables;
import io.millrace.transform.Problem;
import io.millrace.transform.Rows;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.apache.flink.test.junit5.MiniClusterExtension;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ExtractExcelTest {
  /** Written by openpyxl; what pandas reads from it is beside the assertions. */
  private static final Path TYPES = Path.of("src/test/resources/excel/types.xlsx");

  @RegisterExtension
  static final MiniClusterExtension CLUSTER = new MiniClusterExtension(LocalTables.cluster());

  @TempDir Path root;
  private LocalTables local;

  @BeforeEach
  void tables() {
    local = new LocalTables(root);
  }

  @Test
  void readsWhatOpenpyxlWrites() throws Exception {
    Files.copy(TYPES, root.resolve("types.xlsx"));

    Rows rows =
        extract(Map.of("file_path", "types.xlsx", "sheet", "Größe & \"Typ\"", "header_row", 3));

    assertThat(local.problems).isEmpty();
    // As pandas names them; integers and booleans with nulls keep their types.
    assertThat(types(rows))
        .containsExactly(
            "id BIGINT",
            "price DOUBLE",
            "flag BOOLEAN",
            "name STRING",
            "CO(GT) STRING",
            "day DATE",
            "at TIMESTAMP(3)",
            "time TIME(3)",
            "mixed STRING",
            "empty DOUBLE",
            "id.1 BIGINT",
            "Unnamed: 11 STRING",
            "7 DOUBLE",
            "Unnamed: 13 STRING");
    assertThat(LocalTables.collect(rows))
        .containsExactly(
            Arrays.asList(
                1L,
                1.5,
                true,
                " Ann ",
                "x",
                LocalDate.of(2024, 1, 31),
                LocalDateTime.of(2024, 1, 31, 10, 0, 0, 500_000_000),
                LocalTime.of(10, 30),
                "1",
                null,
                10L,
                "u",
                1.0,
                null),
            Arrays.asList(
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                "beyond the header"),
            Arrays.asList(
                null,
                2.0,
                null,
                null,
                "<&>\"'",
                LocalDate.of(1999, 12, 31),
                LocalDateTime.of(2024, 2, 1, 0, 0),
                null,
                "x",
                null,
                20L,
                null,
                0.5,
                null),
            Arrays.asList(
                3L,
                -0.1,
                false,
                "line\nbreak",
                "007",
                null,
                null,
                LocalTime.of(23, 59, 59, 250_000_000),
                "True",
                null,
                30L,
                null,
                null,
                null),
            Arrays.asList(
                4L,
                1e300,
                true,
                null,
                null,
                LocalDate.of(2024, 12, 31),
                LocalDateTime.of(2024, 12, 31, 23, 59, 59),
                null,
                "2.5",
                null,
                40L,
                null,
                null,
                null));
  }

  @Test
  void formulasHaveTheirStoredValues() throws Exception {
    new Workbook()
        .sheet(
            "S",
            row(1, text("A1", "n"), text("B1", "t"), text("C1", "b"), text("D1", "d"))
                + row(
                    2,
                    "<c r=\"A2\"><f>1+1</f><v>2</v></c>",
                    "<c r=\"B2\" t=\"str\"><f>\"a\"&amp;\"b\"</f><v>ab</v></c>",
                    "<c r=\"C2\" t=\"b\"><f>TRUE()</f><v>1</v></c>",
                    "<c r=\"D2\" s=\"1\"><f>TODAY()</f><v>45322</v></c>")
                + row(
                    3,
                    "<c r=\"A3\"><f t=\"shared\" ref=\"A3:A4\" si=\"0\">A2*2</f><v>4</v></c>",
                    "<c r=\"B3\" t=\"str\"><f>\"\"</f><v></v></c>",
                    "<c r=\"C3\"><f>NOW()</f></c>",
                    "<c r=\"D3\" t=\"e\"><f>1/0</f><v>#DIV/0!</v></c>")
                + row(
                    4,
                    "<c r=\"A4\"><f t=\"shared\" si=\"0\"/><v>8</v></c>",
                    "<c r=\"B4\" t=\"e\"><v>#REF!</v></c>"))
        .write(root.resolve("f.xlsx"));

    Rows rows = extract(Map.of("file_path", "f.xlsx"));

    assertThat(types(rows)).containsExactly("n BIGINT", "t STRING", "b BOOLEAN", "d DATE");
    assertThat(LocalTables.collect(rows))
        .containsExactly(
            Arrays.asList(2L, "ab", true, LocalDate.of(2024, 1, 31)),
            Arrays.asList(4L, null, null, null),
            Arrays.asList(8L, null, null, null));
    assertThat(local.problems.stream().map(Problem::toString))
        .containsExactly(
            "step 'step': f.xlsx has 2 cells with an error such as #DIV/0!, the first at D3; they"
                + " are null",
            "step 'step': f.xlsx has 1 formulas without a stored value, the first at C3; they are"
                + " null until a spreadsheet program has saved the file");
  }

  @Test
  void readsSharedTextsOtherEpochsAndRowsWithoutNumbers() throws Exception {
    new Workbook()
        .date1904()
        .shared("<si><t>day</t></si>", "<si><r><t>ri</t></r><r><t>ch</t></r></si>")
        .sheet("first", row(1, text("A1", "other")))
        .sheet(
            "2024",
            "<row><c t=\"s\"><v>0</v></c><c t=\"s\"><v>1</v></c></row>"
                + "<row><c s=\"1\"><v>43860</v></c><c><v>9007199254740993</v></c></row>")
        .write(root.resolve("s.xlsx"));

    Rows rows = extract(Map.of("file_path", "s.xlsx", "sheet", "2024"));

    assertThat(types(rows)).containsExactly("day DATE", "rich BIGINT");
    assertThat(LocalTables.collect(rows))
        .containsExactly(List.of(LocalDate.of(2024, 1, 31), 9007199254740993L));
    assertThat(LocalTables.collect(extract(Map.of("file_path", "s.xlsx", "sheet", 1))))
        .containsExactly(List.of(LocalDate.of(2024, 1, 31), 9007199254740993L));
  }

  /**
   * Kinds that meet in a column; {@code @} before a number makes it a date, {@code !} a boolean.
   */
  @ParameterizedTest
  @CsvSource({
    "1|2, BIGINT",
    "1|2.5, DOUBLE",
    "1e3|-2E0, BIGINT",
    "1|9223372036854775808, DOUBLE",
    "!1|!0, BOOLEAN",
    "!1|1, STRING",
    "@45322|@45323, DATE",
    "@45322|@45323.5, TIMESTAMP(3)",
    "@0.5|@0.25, TIME(3)",
    "@0.5|@45322, STRING",
    "@45322|1, STRING",
    "@-1|@99999999, BIGINT",
    "|, DOUBLE",
  })
  void widensAColumn(String values, String type) throws Exception {
    StringBuilder rows = new StringBuilder(row(1, text("A1", "c"), text("B1", "d")));
    int number = 2;
    for (String value : values.split("\\|", -1)) {
      String tag =
          value.startsWith("@") ? "s=\"1\"" : value.startsWith("!") ? "t=\"b\"" : "t=\"n\"";
      String plain = value.replaceAll("[@!]", "");
      rows.append(
          row(
              number,
              plain.isEmpty()
                  ? ""
                  : "<c r=\"A" + number + "\" " + tag + "><v>" + plain + "</v></c>",
              text("B" + number, "x")));
      number++;
    }
    new Workbook().sheet("S", rows.toString()).write(root.resolve("w.xlsx"));

    assertThat(types(extract(Map.of("file_path", "w.xlsx")))).startsWith("c " + type);
  }

  /** What is a date by its format, as its placeholders say. */
  @ParameterizedTest
  @CsvSource({
    "yyyy\\-mm\\-dd, DATE",
    "'[$-409]d\\-mmm\\-yy;@', DATE",
    "mmm, DATE",
    "'[Red]0.00', DOUBLE",
    "'0.0 \"days\"', DOUBLE",
    "General, DOUBLE",
    "'[h]:mm:ss', DOUBLE",
    "'#,##0_d', DOUBLE",
    "'0;\"d\"-0', DOUBLE",
  })
  void tellsDatesByTheirFormat(String format, String type) throws Exception {
    String value = type.equals("DATE") ? "45322" : "1.5";
    new Workbook()
        .format(format)
        .sheet(
            "S", row(1, text("A1", "c")) + row(2, "<c r=\"A2\" s=\"1\"><v>" + value + "</v></c>"))
        .write(root.resolve("d.xlsx"));

    assertThat(types(extract(Map.of("file_path", "d.xlsx")))).containsExactly("c " + type);
  }

  @Test
  void readsTheWorkbooksOfAFolderInTheirOrder() throws Exception {
    Files.createDirectories(root.resolve("in"));
    new Workbook()
        .sheet(
            "S",
            row(1, text("A1", "a"), text("B1", "b")) + row(2, number("A2", 1), number("B2", 2)))
        .write(root.resolve("in/1.xlsx"));
    new Workbook()
        .sheet(
            "S",
            row(1, text("A1", "b"), text("B1", "a")) + row(2, number("A2", 4), number("B2", 3)))
        .write(root.resolve("in/2.xlsm"));
    Files.writeString(root.resolve("in/notes.txt"), "x");

    assertThat(LocalTables.collect(extract(Map.of("file_path", "in"))))
        .containsExactly(List.of(1L, 2L), List.of(3L, 4L));
  }

  @Test
  void aHeaderAloneIsNoRowsAndAWarning() throws Exception {
    new Workbook()
        .sheet("S", row(1, text("A1", "a"), number("B1", 7)))
        .write(root.resolve("h.xlsx"));

    Rows rows = extract(Map.of("file_path", "h.xlsx"));

    assertThat(types(rows)).containsExactly("a STRING", "7 STRING");
    assertThat(LocalTables.collect(rows)).isEmpty();
    assertThat(local.problems)
        .singleElement()
        .hasToString("step 'step': h.xlsx has a header and no rows");
  }

  @Test
  void otherNullTokensReplaceThoseOfPandas() throws Exception {
    new Workbook()
        .sheet("S", row(1, text("A1", "t")) + row(2, text("A2", "-")) + row(3, text("A3", "NA")))
        .write(root.resolve("n.xlsx"));

    assertThat(
            LocalTables.collect(
                extract(Map.of("file_path", "n.xlsx", "null_values", List.of("-")))))
        .containsExactly(Arrays.asList((Object) null), List.of("NA"));
  }

  @Test
  void aProblemIsOneLine() throws Exception {
    new Workbook()
        .sheet("One", row(1, text("A1", "a")))
        .sheet("Two", row(3, text("A3", "a")))
        .write(root.resolve("w.xlsx"));
    Files.createDirectories(root.resolve("in"));
    Files.copy(root.resolve("w.xlsx"), root.resolve("in/1.xlsx"));
    new Workbook().sheet("One", row(1, text("A1", "z"))).write(root.resolve("in/2.xlsx"));
    Files.write(
        root.resolve("old.xls"),
        new byte[] {
          (byte) 0xD0,
          (byte) 0xCF,
          0x11,
          (byte) 0xE0,
          (byte) 0xA1,
          (byte) 0xB1,
          0x1A,
          (byte) 0xE1,
          0
        });
    Files.writeString(root.resolve("a.csv"), "a,b\n1,2,3,4\n");
    Files.writeString(root.resolve("empty.xlsx"), "");
    byte[] whole = Files.readAllBytes(root.resolve("w.xlsx"));
    Files.write(root.resolve("cut.xlsx"), Arrays.copyOf(whole, whole.length / 2));
    new Workbook()
        .sheet("S", row(1, text("A1", "a")) + "<row r=\"2\"><c r=\"A2\"><v>1</row>")
        .write(root.resolve("xml.xlsx"));
    new Workbook()
        .sheet("S", row(1, text("A1", "a")) + row(1_048_577, number("A1048577", 1)))
        .write(root.resolve("long.xlsx"));

    assertRefused(Map.of("file_path", "none.xlsx"), "there is no file 'none.xlsx'");
    assertRefused(
        Map.of("file_path", "../x.xlsx"),
        "'../x.xlsx' lies outside the data root " + root.toRealPath());
    assertRefused(
        Map.of("file_path", "old.xls"),
        "old.xls is an Excel 97-2003 workbook or has a password; save it as .xlsx without a"
            + " password");
    assertRefused(Map.of("file_path", "a.csv"), "a.csv is not an Excel workbook (.xlsx)");
    assertRefused(Map.of("file_path", "empty.xlsx"), "empty.xlsx is not an Excel workbook (.xlsx)");
    assertRefused(
        Map.of("file_path", "w.xlsx", "sheet", "Three"),
        "w.xlsx has no sheet 'Three'; its sheets are 'One', 'Two'");
    assertRefused(
        Map.of("file_path", "w.xlsx", "sheet", 2),
        "w.xlsx has no sheet number 2; its sheets are 'One', 'Two'");
    assertRefused(
        Map.of("file_path", "w.xlsx", "sheet", true),
        "sheet is true, but must be a sheet's name or its number from 0");
    assertRefused(
        Map.of("file_path", "w.xlsx", "sheet", 1.5),
        "sheet is 1.5, but must be a sheet's name or its number from 0");
    assertRefused(
        Map.of("file_path", "w.xlsx", "header_row", 9),
        "w.xlsx has no row 9, which is to hold the columns' names");
    assertRefused(
        Map.of("file_path", "w.xlsx", "sheet", "Two", "header_row", 2),
        "w.xlsx has nothing in row 2, which is to hold the columns' names");
    assertRefused(
        Map.of("file_path", "in"), "2.xlsx has a column 'z', but the first file has only a");
    assertRefused(
        Map.of("file_path", "long.xlsx"),
        "long.xlsx has a row 1048577; a sheet ends at row 1048576");
    assertThat(refusal(Map.of("file_path", "cut.xlsx")))
        .startsWith("step 'step': cut.xlsx is not an Excel workbook that can be read: ")
        .doesNotContain("\n");
    assertThat(refusal(Map.of("file_path", "xml.xlsx")))
        .startsWith(
            "step 'step': xml.xlsx is not an Excel workbook that can be read, after row 1: ")
        .doesNotContain("\n");
  }

  private void assertRefused(Map<String, ?> arguments, String message) {
    assertThat(refusal(arguments)).isEqualTo("step 'step': " + message);
  }

  private String refusal(Map<String, ?> arguments) {
    local.problems.clear();
    assertThat(extract(arguments)).isNull();
    assertThat(local.problems).hasSize(1);
    return local.problems.get(0).toString();
  }

  private Rows extract(Map<String, ?> arguments) {
    return local.lower(new ExtractExcel(), arguments);
  }

  private static List<String> types(Rows rows) {
    return rows.columns().stream()
        .map(c -> c + " " + rows.type(c).getLogicalType().copy(true).asSummaryString())
        .toList();
  }

  private static String row(int number, String... cells) {
    return "<row r=\"" + number + "\">" + String.join("", cells) + "</row>";
  }

  private static String text(String cell, String text) {
    return "<c r=\"" + cell + "\" t=\"inlineStr\"><is><t>" + text + "</t></is></c>";
  }

  private static String number(String cell, int number) {
    return "<c r=\"" + cell + "\"><v>" + number + "</v></c>";
  }

  /** A workbook written by hand; style 1 is a date unless told otherwise. */
  private static final class Workbook {
    private static final String MAIN =
        "xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"";
    private static final String OFFICE =
        "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    private static final String TYPE =
        "application/vnd.openxmlformats-officedocument.spreadsheetml.";

    private final Map<String, String> sheets = new LinkedHashMap<>();
    private String shared = "";
    private String format = "yyyy-mm-dd";
    private boolean date1904;

    Workbook sheet(String name, String rows) {
      sheets.put(name, rows);
      return this;
    }

    Workbook shared(String... items) {
      shared = String.join("", items);
      return this;
    }

    Workbook format(String code) {
      format = code;
      return this;
    }

    Workbook date1904() {
      date1904 = true;
      return this;
    }

    void write(Path file) throws IOException {
      StringBuilder types = new StringBuilder();
      StringBuilder relations = new StringBuilder();
      StringBuilder list = new StringBuilder();
      Map<String, String> parts = new LinkedHashMap<>();
      int i = 0;
      for (Map.Entry<String, String> sheet : sheets.entrySet()) {
        i++;
        String part = "worksheets/sheet" + i + ".xml";
        types.append(type("/xl/" + part, "worksheet"));
        relations.append(relation("rId" + i, part, "worksheet"));
        list.append(
            "<sheet name=\"%s\" sheetId=\"%d\" r:id=\"rId%d\"/>".formatted(sheet.getKey(), i, i));
        parts.put(
            "xl/" + part,
            "<worksheet %s><sheetData>%s</sheetData></worksheet>"
                .formatted(MAIN, sheet.getValue()));
      }
      parts.put(
          "[Content_Types].xml",
          "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">"
              + type("/xl/workbook.xml", "sheet.main")
              + type("/xl/styles.xml", "styles")
              + type("/xl/sharedStrings.xml", "sharedStrings")
              + types
              + "</Types>");
      parts.put(
          "xl/_rels/workbook.xml.rels",
          "<Relationships>"
              + relations
              + relation("rIdS", "styles.xml", "styles")
              + relation("rIdT", "sharedStrings.xml", "sharedStrings")
              + "</Relationships>");
      parts.put(
          "xl/workbook.xml",
          "<workbook %s xmlns:r=\"%s\"><workbookPr date1904=\"%s\"/><sheets>%s</sheets></workbook>"
              .formatted(MAIN, OFFICE, date1904, list));
      parts.put("xl/sharedStrings.xml", "<sst %s>%s</sst>".formatted(MAIN, shared));
      parts.put(
          "xl/styles.xml",
          "<styleSheet %s><numFmts><numFmt numFmtId=\"164\" formatCode=\"%s\"/></numFmts><cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"164\"/></cellXfs></styleSheet>"
              .formatted(MAIN, format.replace("\"", "&quot;")));
      try (OutputStream out = Files.newOutputStream(file);
          ZipOutputStream zip = new ZipOutputStream(out)) {
        for (Map.Entry<String, String> part : parts.entrySet()) {
          zip.putNextEntry(new ZipEntry(part.getKey()));
          zip.write(part.getValue().getBytes(StandardCharsets.UTF_8));
        }
      }
    }

    private static String type(String part, String type) {
      return "<Override PartName=\"%s\" ContentType=\"%s%s+xml\"/>".formatted(part, TYPE, type);
    }

    private static String relation(String id, String target, String type) {
      return "<Relationship Id=\"%s\" Target=\"%s\" Type=\"%s/%s\"/>"
          .formatted(id, target, OFFICE, type);
    }
  }
}
