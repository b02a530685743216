package io.millrace.lake.parquet;

import io.millrace.event.Header;
import io.millrace.event.Origin;
import io.millrace.lake.catalog.Column;
import io.millrace.lake.catalog.LakeType;
import java.io.IOException;
import java.util.List;

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
}
