package io.millrace.lake.parquet;

import io.millrace.event.Header;
import io.millrace.event.Origin;
import io.millrace.lake.catalog.Column;
import io.millrace.lake.catalog.LakeType;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import javax.annotation.Nullable;
import org.apache.parquet.example.data.Group;

/** The columns of a Kafka record that more than one table has. */
final class RecordColumns {
  private static final int HEADER_FIELDS = 2;

  /** Where the record came from. */
  static final List<Column> ORIGIN =
      List.of(
          Column.required("topic", LakeType.STRING, "the Kafka topic; from files their topic"),
          Column.required("kafka_partition", LakeType.INT, "the Kafka partition; 0 from files"),
          Column.required("kafka_offset", LakeType.LONG, "the Kafka offset; from files the byte"),
          Column.optional(
              "kafka_timestamp", LakeType.TIMESTAMP, "the Kafka record's time; null from files"),
          Column.optional("ingested_at", LakeType.TIMESTAMP, "when the job read it"));

  static final Column KEY = Column.optional("key", LakeType.BINARY, "the Kafka key");

  static final Column HEADERS =
      Column.optional(
          "headers",
          LakeType.array(
              LakeType.struct(
                  Column.required("key", LakeType.STRING, ""),
                  Column.optional("value", LakeType.BINARY, ""))),
          "the Kafka headers, in order; a key may repeat");

  private RecordColumns() {}

  static void writeOrigin(Origin origin, RowColumns columns) throws IOException {
    columns.string(origin.topic());
    columns.integer(origin.partition());
    columns.integer(origin.offset());
    columns.time(origin.kafkaTimestamp());
    columns.time(origin.ingestedAt());
  }

  static void writeHeaders(List<Header> headers, RowColumns columns) throws IOException {
    columns.array(headers, HEADER_FIELDS, RecordColumns::writeHeader);
  }

  private static void writeHeader(Header header, RowColumns fields) throws IOException {
    fields.string(header.key());
    fields.bytes(header.value());
  }

  static Origin readOrigin(Group row) {
    return new Origin(
        row.getString("topic", 0),
        row.getInteger("kafka_partition", 0),
        row.getLong("kafka_offset", 0),
        readTime(row, "kafka_timestamp"),
        readTime(row, "ingested_at"));
  }

  private static long readTime(Group row, String column) {
    return row.getFieldRepetitionCount(column) == 0 ? Origin.NO_TIME : row.getLong(column, 0);
  }

  @Nullable
  static byte[] readBytes(Group row, String column) {
    return row.getFieldRepetitionCount(column) == 0 ? null : row.getBinary(column, 0).getBytes();
  }

  static List<Header> readHeaders(Group row) {
    if (row.getFieldRepetitionCount("headers") == 0) {
      return List.of();
    }
    Group list = row.getGroup("headers", 0);
    List<Header> headers = new ArrayList<>();
    for (int i = 0; i < list.getFieldRepetitionCount(0); i++) {
      Group header = list.getGroup(0, i).getGroup(0, 0);
      headers.add(new Header(header.getString("key", 0), readBytes(header, "value")));
    }
    return headers;
  }
}
