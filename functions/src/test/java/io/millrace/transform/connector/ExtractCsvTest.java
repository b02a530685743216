package io.millrace.transform.connector;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.transform.LocalTables;
import io.millrace.transform.Rows;
import java.io.IOException;
import java.io.OutputStream;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import org.apache.flink.table.types.DataType;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ExtractCsvTest {
  @TempDir Path root;
  private LocalTables local;

  @BeforeEach
  void tables() {
    local = new LocalTables(root);
  }

  @Test
  void findsTheTypesOfTheWholeFile() throws Exception {
    write(
        "a.csv",
        "id,price,flag,name,late,when,empty,huge\n"
            + "1,1,True,ann,1,2024-01-31,,18446744073709551616\n"
            + ",2.5,,\"b,\"\"c\"\"\",x,NA,NULL,1\n"
            + "+3, 1e5 ,false,None,NaN,,nan,2\n");

    Rows rows = extract(Map.of("file_path", "a.csv"));

    assertThat(types(rows))
        .containsExactly(
            "id BIGINT",
            "price DOUBLE",
            "flag BOOLEAN",
            "name STRING",
            "late STRING",
            "when STRING",
            "empty DOUBLE",
            "huge STRING");
    assertThat(LocalTables.collect(rows))
        .containsExactly(
            Arrays.asList(1L, 1.0, true, "ann", "1", "2024-01-31", null, "18446744073709551616"),
            Arrays.asList(null, 2.5, null, "b,\"c\"", "x", null, null, "1"),
            Arrays.asList(3L, 1e5, false, null, null, null, null, "2"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "#N/A",
        "#N/A N/A",
        "#NA",
        "-1.#IND",
        "-1.#QNAN",
        "-NaN",
        "-nan",
        "1.#IND",
        "1.#QNAN",
        "<NA>",
        "N/A",
        "NA",
        "NULL",
        "NaN",
        "None",
        "n/a",
        "nan",
        "null"
      })
  void takesTheTokensOfPandasForNull(String token) throws Exception {
    write("a.csv", "n,t\n1,a\n" + token + "," + token + "\n2,\"" + token + "\"\n");

    Rows rows = extract(Map.of("file_path", "a.csv"));

    assertThat(types(rows)).containsExactly("n BIGINT", "t STRING");
    assertThat(LocalTables.collect(rows))
        .containsExactly(
            List.of(1L, "a"), Arrays.asList(null, null), Arrays.asList(2L, (Object) null));
  }

  @Test
  void otherNullTokensReplaceThose() throws Exception {
    write("a.csv", "n,t\n-999,NA\n7,-999\n");

    Rows rows = extract(Map.of("file_path", "a.csv", "null_values", List.of("-999")));

    assertThat(types(rows)).containsExactly("n BIGINT", "t STRING");
    assertThat(LocalTables.collect(rows))
        .containsExactly(Arrays.asList(null, "NA"), Arrays.asList(7L, null));
  }

  /** A column is as wide as its widest value; where pandas has no common type it is text. */
  @ParameterizedTest
  @CsvSource({
    "1|2, BIGINT",
    "1|2.0, DOUBLE",
    "1|inf, DOUBLE",
    "1|9223372036854775808, STRING",
    "1.5|9223372036854775808, DOUBLE",
    "True|FALSE, BOOLEAN",
    "True|1, STRING",
    "1|x, STRING",
    "NA|NA, DOUBLE",
    "' 1'|'2 ', BIGINT",
  })
  void widensAColumn(String values, String type) throws Exception {
    write("a.csv", "c,d\n" + values.replace("'", "").replace("|", ",0\n") + ",0\n");

    assertThat(types(extract(Map.of("file_path", "a.csv")))).startsWith("c " + type);
  }

  @Test
  void namesColumnsAsPandasDoes() throws Exception {
    write("a.csv", "\uFEFFCO(GT),a,,a,a.1,a, größe \n1,2,3,4,5,6,7\n");

    assertThat(extract(Map.of("file_path", "a.csv")).columns())
        .containsExactly("CO(GT)", "a", "Unnamed: 2", "a.2", "a.1", "a.3", " größe ");
  }

  @Test
  void skipsBlankLinesAndFillsShortRows() throws Exception {
    write("a.csv", "\n   \na,b,c\r\n1,2,3\r\n\r\n \t \r\n4\r\n5,\"x\r\ny\",\r\n");

    Rows rows = extract(Map.of("file_path", "a.csv"));

    assertThat(LocalTables.collect(rows))
        .containsExactly(
            Arrays.asList(1L, "2", 3L),
            Arrays.asList(4L, null, null),
            Arrays.asList(5L, "x\r\ny", null));
    assertThat(local.problems)
        .singleElement()
        .hasToString(
            "step 'step': a.csv has 1 rows with fewer fields than the header, the first at line 7;"
                + " the missing ones are null");
  }

  @Test
  void keepsBlankTextAndQuotesWithinFields() throws Exception {
    write("a.csv", "a,b\n ,x\"y\n\"q\"tail,\"\"\n");

    assertThat(LocalTables.collect(extract(Map.of("file_path", "a.csv"))))
        .containsExactly(Arrays.asList(" ", "x\"y"), Arrays.asList("qtail", null));
  }

  @Test
  void aHeaderAloneIsNoRowsAndAWarning() throws Exception {
    write("a.csv", "a,b\n");

    Rows rows = extract(Map.of("file_path", "a.csv"));

    assertThat(types(rows)).containsExactly("a STRING", "b STRING");
    assertThat(LocalTables.collect(rows)).isEmpty();
    assertThat(local.problems)
        .singleElement()
        .hasToString("step 'step': a.csv has a header and no rows");
  }

  @Test
  void readsOtherDialects() throws Exception {
    Files.write(root.resolve("a.tsv"), "a\tb\n'x\ty'\tä\n".getBytes(StandardCharsets.ISO_8859_1));

    Rows rows =
        extract(
            Map.of("file_path", "a.tsv", "separator", "\\t", "quote", "'", "encoding", "latin1"));

    assertThat(LocalTables.collect(rows)).containsExactly(List.of("x\ty", "ä"));
  }

  @Test
  void takesDeclaredTypes() throws Exception {
    write(
        "a.csv",
        """
        id,n,d,x,day,at,t
        007,1,12.345,1,2024-01-31,2024-01-31 10:00:00.5,5
        ,,,,,2024-01-31,
        """);
    Map<String, String> types =
        Map.of(
            "id", "STRING",
            "n", "INT",
            "d", "DECIMAL(10, 2)",
            "x", "DOUBLE",
            "day", "DATE",
            "at", "TIMESTAMP(3)");

    Rows rows = extract(Map.of("file_path", "a.csv", "columns", types));

    assertThat(LocalTables.collect(rows))
        .containsExactly(
            List.of(
                "007",
                1,
                new BigDecimal("12.35"),
                1.0,
                LocalDate.of(2024, 1, 31),
                LocalDateTime.of(2024, 1, 31, 10, 0, 0, 500_000_000),
                5L),
            Arrays.asList(null, null, null, null, null, LocalDateTime.of(2024, 1, 31, 0, 0), null));
  }

  @Test
  void readsTheFilesOfAFolderInTheirOrder() throws Exception {
    write("in/b.csv", "b,a\nx,2\n");
    write("in/a.csv", "a,b\n1,\n");
    write("in/_skipped.csv", "z\n1\n");
    write("in/.hidden.csv", "z\n1\n");
    write("in/notes.md", "z\n1\n");
    gzip("in/sub/c.csv.gz", "a,b\n3,y\n4,z\n");

    List<List<Object>> all =
        List.of(Arrays.asList(1L, null), List.of(2L, "x"), List.of(3L, "y"), List.of(4L, "z"));
    assertThat(LocalTables.collect(extract(Map.of("file_path", "in")))).isEqualTo(all);
    assertThat(LocalTables.collect(extract(Map.of("file_path", "in/{a,b}.csv"))))
        .isEqualTo(all.subList(0, 2));
    assertThat(LocalTables.collect(extract(Map.of("file_path", "in/**.gz"))))
        .isEqualTo(all.subList(2, 4));
  }

  @Test
  void keepsTheOrderOfManyRowsInManyFiles() throws Exception {
    List<List<Object>> expected = new ArrayList<>();
    for (int file = 0; file < 5; file++) {
      StringBuilder text = new StringBuilder("n,t\n");
      for (int i = 0; i < 3000; i++) {
        long n = file * 10_000L + i;
        text.append(n).append(",text ").append(n).append('\n');
        expected.add(List.of(n, "text " + n));
      }
      write("in/" + file + ".csv", text.toString());
    }

    assertThat(LocalTables.collect(extract(Map.of("file_path", "in")))).isEqualTo(expected);
  }

  @Test
  void tellsTheLineThatIsTooLong() throws Exception {
    write("a.csv", "a,b\n1,\"x\ny\"\n1,2,3\n");

    assertRefused(Map.of("file_path", "a.csv"), "line 4 of a.csv: 3 fields, but the header has 2");
  }

  @Test
  void refusesWhatCannotBeRead() throws Exception {
    write("empty.csv", "");
    write("in/1.csv", "a,b\n1,2\n");
    write("in/2.csv", "a,c\n1,2\n");
    write("short/1.csv", "a,b\n1,2\n");
    write("short/2.csv", "a\n1\n");
    Files.createDirectories(root.resolve("none"));
    Files.write(root.resolve("latin.csv"), new byte[] {'a', '\n', (byte) 0xE4, '\n'});

    assertRefused(Map.of("file_path", "empty.csv"), "empty.csv is empty: it has not even a header");
    assertRefused(Map.of("file_path", "x.csv"), "there is no file 'x.csv'");
    assertRefused(Map.of("file_path", "*.tsv"), "no file matches '*.tsv'");
    assertRefused(
        Map.of("file_path", "none"), "the folder 'none' has no file named *.csv, *.tsv, *.txt");
    assertRefused(
        Map.of("file_path", "../x.csv"), "'../x.csv' lies outside the data root " + real());
    assertRefused(
        Map.of("file_path", "in"), "2.csv has a column 'c', but the first file has only a, b");
    assertRefused(
        Map.of("file_path", "short"), "2.csv lacks the column 'b', which the first file has");
    assertRefused(
        Map.of("file_path", "latin.csv"),
        "latin.csv is not in the encoding that 'encoding' names, somewhere behind line 1");
    assertRefused(
        Map.of("file_path", "in/1.csv", "separator", "||"),
        "separator is '||', but must be one character");
    assertRefused(
        Map.of("file_path", "in/1.csv", "separator", "\""), "quote and separator are both '\"'");
    assertRefused(
        Map.of("file_path", "in/1.csv", "encoding", "utf-9"),
        "encoding is 'utf-9', which is no charset known here");
    assertRefused(
        Map.of("file_path", "in/1.csv", "columns", Map.of("z", "INT")),
        "columns names 'z', but the file has only a, b");
    assertRefused(
        Map.of("file_path", "in/1.csv", "columns", Map.of("a", "ARRAY<INT>")),
        "the type of column 'a' is 'ARRAY<INT>', but must be BOOLEAN, INT, BIGINT, DOUBLE,"
            + " DECIMAL(p, s), STRING, DATE or TIMESTAMP(p)");
  }

  @Test
  void aLinkOutOfTheDataRootIsRefused(@TempDir Path outside) throws Exception {
    Files.writeString(outside.resolve("a.csv"), "a\n1\n");
    Files.createDirectories(root.resolve("in"));
    Files.createSymbolicLink(root.resolve("in/a.csv"), outside.resolve("a.csv"));

    extract(Map.of("file_path", "in"));

    assertThat(local.problems).singleElement().asString().contains("lies outside the data root");
  }

  @Test
  void aValueThatIsNotAsDeclaredFailsTheJobWithItsPlace() throws Exception {
    write("a.csv", "a\n1\nx\n");

    Rows rows = extract(Map.of("file_path", "a.csv", "columns", Map.of("a", "BIGINT")));

    assertThat(local.problems).isEmpty();
    assertThat(rootMessage(rows)).isEqualTo("line 3 of a.csv: a is 'x', but must be BIGINT");
  }

  private static String rootMessage(Rows rows) {
    try {
      LocalTables.collect(rows);
    } catch (IllegalStateException e) {
      Throwable cause = e;
      while (cause.getCause() != null) {
        cause = cause.getCause();
      }
      return cause.getMessage();
    }
    return "no failure";
  }

  private Path real() throws IOException {
    return root.toRealPath();
  }

  private void assertRefused(Map<String, ?> arguments, String message) {
    local.problems.clear();

    assertThat(extract(arguments)).isNull();
    assertThat(local.problems).singleElement().hasToString("step 'step': " + message);
  }

  private Rows extract(Map<String, ?> arguments) {
    return local.lower(new ExtractCsv(), arguments);
  }

  private static List<String> types(Rows rows) {
    return rows.columns().stream().map(c -> c + " " + summary(rows.type(c))).toList();
  }

  private static String summary(DataType type) {
    return type.getLogicalType().copy(true).asSummaryString();
  }

  private void write(String path, String text) throws IOException {
    Path file = root.resolve(path);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  private void gzip(String path, String text) throws IOException {
    Path file = root.resolve(path);
    Files.createDirectories(file.getParent());
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(file))) {
      out.write(text.getBytes(StandardCharsets.UTF_8));
    }
  }
}
