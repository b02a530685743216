package io.millrace.transform.quality;

import de.siegmar.fastcsv.reader.CsvReader;
import de.siegmar.fastcsv.reader.NamedCsvRecord;
import io.millrace.transform.Rows;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPInputStream;
import org.apache.flink.api.common.functions.FlatMapFunction;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.types.Row;
import org.apache.flink.util.Collector;

/** Rows of a CSV file, typed as pandas would, for tests of steps behind an extract. */
final class CsvRows {
  private CsvRows() {}

  /** Empty fields are nulls; a column is BIGINT or DOUBLE when all its values are, else STRING. */
  static Rows read(StreamTableEnvironment tables, Path file) {
    List<String> names = new ArrayList<>();
    List<TypeInformation<?>> types = new ArrayList<>();
    infer(file, names, types);
    names.add(Rows.orderColumn(0));
    List<TypeInformation<?>> all = new ArrayList<>(types);
    all.add(Types.LONG);
    DataStream<Row> rows =
        tables
            .toDataStream(tables.fromValues(DataTypes.ROW(DataTypes.INT()), 1))
            .flatMap(new Parse(file.toString(), types.toArray(TypeInformation[]::new)))
            .returns(
                Types.ROW_NAMED(names.toArray(String[]::new), all.toArray(TypeInformation[]::new)))
            .setParallelism(1);
    return new Rows(tables.fromDataStream(rows), List.of(Rows.orderColumn(0)));
  }

  private static void infer(Path file, List<String> names, List<TypeInformation<?>> types) {
    try (CsvReader<NamedCsvRecord> csv = open(file)) {
      boolean[] fraction = null;
      boolean[] text = null;
      for (NamedCsvRecord line : csv) {
        if (fraction == null) {
          names.addAll(line.getHeader());
          fraction = new boolean[names.size()];
          text = new boolean[names.size()];
        }
        for (int i = 0; i < fraction.length; i++) {
          String value = line.getField(i);
          if (!value.isEmpty() && !value.matches("-?[0-9]{1,18}")) {
            fraction[i] = true;
            text[i] |= !value.matches("-?[0-9]*\\.?[0-9]+([eE][+-]?[0-9]+)?");
          }
        }
      }
      for (int i = 0; i < names.size(); i++) {
        types.add(text[i] ? Types.STRING : fraction[i] ? Types.DOUBLE : Types.LONG);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static CsvReader<NamedCsvRecord> open(Path file) throws IOException {
    InputStream bytes = Files.newInputStream(file);
    if (file.toString().endsWith(".gz")) {
      bytes = new GZIPInputStream(bytes);
    }
    Reader text = new InputStreamReader(bytes, StandardCharsets.UTF_8);
    return CsvReader.builder().ofNamedCsvRecord(text);
  }

  /** Reads the file where the job runs. */
  public static final class Parse implements FlatMapFunction<Row, Row> {
    private static final long serialVersionUID = 1L;
    private final String file;
    private final TypeInformation<?>[] types;

    Parse(String file, TypeInformation<?>[] types) {
      this.file = file;
      this.types = types;
    }

    @Override
    public void flatMap(Row once, Collector<Row> out) throws IOException {
      try (CsvReader<NamedCsvRecord> csv = open(Path.of(file))) {
        long number = 0;
        for (NamedCsvRecord line : csv) {
          Row row = new Row(types.length + 1);
          for (int i = 0; i < types.length; i++) {
            String value = line.getField(i);
            row.setField(
                i,
                value.isEmpty()
                    ? null
                    : types[i].equals(Types.LONG)
                        ? (Object) Long.valueOf(value)
                        : types[i].equals(Types.DOUBLE) ? Double.valueOf(value) : value);
          }
          row.setField(types.length, number++);
          out.collect(row);
        }
      }
    }
  }
}
