package io.millrace.lake.parquet;

import io.millrace.event.DeadLetter;
import io.millrace.event.Origin;
import io.millrace.event.Rejection;
import io.millrace.lake.catalog.Column;
import io.millrace.lake.catalog.LakeType;
import io.millrace.lake.catalog.TableSchema;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import javax.annotation.Nullable;

/** {@code quarantine/dead_letters}: every rejected record whole, with all reasons against it. */
public final class DeadLetterTable implements LakeTable<DeadLetter> {
  private static final long serialVersionUID = 1L;
  private static final int REASON_FIELDS = 3;
  private static final int CHECKED_CHARS = 8_192;

  /** The table's columns. */
  public static final TableSchema SCHEMA =
      new TableSchema(
          "dead_letters",
          "quarantine/dead_letters",
          columns(),
          "One row per rejected record, in the hour of its Kafka timestamp; a record without any"
              + " time is in 1970-01-01T00.");

  private static final Set<String> UNIQUE = Set.of("raw", "raw_sha256");

  private static List<Column> columns() {
    List<Column> columns = new ArrayList<>(RecordColumns.ORIGIN);
    columns.add(
        Column.optional(
            "reasons",
            LakeType.array(
                LakeType.struct(
                    Column.required("code", LakeType.STRING, ""),
                    Column.required("field", LakeType.STRING, ""),
                    Column.required("message", LakeType.STRING, ""))),
            "every rule that the record broke"));
    columns.add(Column.optional("reason", LakeType.STRING, "the code of the first reason"));
    columns.add(
        Column.optional(
            "raw", LakeType.STRING, "the Kafka value, as raw_encoding says; null for a tombstone"));
    columns.add(
        Column.optional(
            "raw_encoding", LakeType.STRING, "utf8 when raw is the text itself, else base64"));
    columns.add(Column.optional("raw_size", LakeType.LONG, "bytes of the Kafka value"));
    columns.add(
        Column.optional("raw_sha256", LakeType.STRING, "SHA-256 of the Kafka value, in hex"));
    columns.add(RecordColumns.KEY);
    columns.add(RecordColumns.HEADERS);
    columns.add(
        Column.required("job_version", LakeType.STRING, "the version that rejected the record"));
    columns.add(
        Column.required("attempt", LakeType.INT, "1 for the first delivery, one more per replay"));
    return columns;
  }

  @Override
  public TableSchema schema() {
    return SCHEMA;
  }

  @Override
  public int schemaVersion() {
    return 1;
  }

  @Override
  public long partitionTime(DeadLetter row) {
    return row.ledgerTime();
  }

  @Override
  public Origin origin(DeadLetter row) {
    return row.origin();
  }

  @Override
  public Set<String> uniqueColumns() {
    return UNIQUE;
  }

  @Override
  public void write(DeadLetter row, RowColumns columns) throws IOException {
    RecordColumns.writeOrigin(row.origin(), columns);
    columns.array(row.rejections(), REASON_FIELDS, DeadLetterTable::writeReason);
    columns.string(row.rejections().isEmpty() ? null : row.rejections().get(0).reason().code());
    writeRaw(row.value(), columns);
    columns.bytes(row.key());
    RecordColumns.writeHeaders(row.headers(), columns);
    columns.string(row.jobVersion());
    columns.integer(row.attempt());
  }

  private static void writeReason(Rejection rejection, RowColumns fields) throws IOException {
    fields.string(rejection.reason().code());
    fields.string(rejection.field());
    fields.string(rejection.message());
  }

  private static void writeRaw(@Nullable byte[] value, RowColumns columns) throws IOException {
    if (value == null) {
      columns.none();
      columns.none();
      columns.none();
      columns.none();
      return;
    }
    boolean text = isUtf8(value);
    columns.bytes(text ? value : Base64.getEncoder().encode(value));
    columns.string(text ? "utf8" : "base64");
    columns.integer(value.length);
    columns.string(sha256(value));
  }

  private static boolean isUtf8(byte[] value) {
    CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
    ByteBuffer in = ByteBuffer.wrap(value);
    CharBuffer out = CharBuffer.allocate(CHECKED_CHARS);
    CoderResult result;
    do {
      out.clear();
      result = decoder.decode(in, out, true);
    } while (result.isOverflow());
    return !result.isError();
  }

  private static String sha256(byte[] value) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(value));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
