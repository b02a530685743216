package io.millrace.lake.parquet;

import static io.millrace.lake.catalog.Column.optional;
import static io.millrace.lake.catalog.Column.required;
import static io.millrace.lake.catalog.LakeType.BOOLEAN;
import static io.millrace.lake.catalog.LakeType.STRING;
import static io.millrace.lake.catalog.LakeType.TIMESTAMP;

import io.millrace.event.AppEvent;
import io.millrace.event.Device;
import io.millrace.event.Dimensions;
import io.millrace.event.Event;
import io.millrace.event.Geo;
import io.millrace.event.Origin;
import io.millrace.lake.catalog.LakeType;
import io.millrace.lake.catalog.TableSchema;
import java.io.IOException;
import java.util.List;
import java.util.Set;

/** {@code processed/app_events}: every accepted event once, in the hour when it happened. */
public final class AppEventTable implements LakeTable<AppEvent> {
  private static final long serialVersionUID = 1L;

  /** The table's columns. */
  public static final TableSchema SCHEMA =
      new TableSchema(
          "app_events",
          "processed/app_events",
          List.of(
              required("event_id", STRING, "the producer's id of the event"),
              required("user_id", STRING, "the user; a pseudonym when a pseudonym key is set"),
              optional("session_id", STRING, "the client's own session id"),
              required("event_type", STRING, "what happened, for example install"),
              required("timestamp", TIMESTAMP, "when it happened, by the client's clock"),
              optional("received_at", TIMESTAMP, "when the collector got it"),
              optional("kafka_timestamp", TIMESTAMP, "the Kafka record's time; null from files"),
              optional("ingested_at", TIMESTAMP, "when the job read it"),
              optional("device_type", STRING, "the device's type as the client told it"),
              optional("os_version", STRING, "the version of the operating system"),
              optional("app_version", STRING, "the version of the app"),
              optional("country", STRING, "the country as the client told it"),
              optional("region", STRING, "the region as the client told it"),
              optional("city", STRING, "the city as the client told it"),
              optional("properties", LakeType.map(STRING, STRING), "the event's own properties"),
              required("late", BOOLEAN, "true when it came too late for the final rows"),
              required("dedup_checked", BOOLEAN, "false when too old to recognise a resend"),
              optional("dim_device_class", STRING, "the dimension's class of the device type"),
              optional("dim_device_vendor", STRING, "the dimension's vendor of the device type"),
              optional("dim_country_name", STRING, "the dimension's name of the country"),
              optional("dim_market", STRING, "the dimension's market of the country"),
              optional("dim_version", STRING, "the version of the dimension that was looked up"),
              required("topic", STRING, "the Kafka topic; from files the topic they belong to"),
              required("kafka_partition", LakeType.INT, "the Kafka partition; 0 from files"),
              required("kafka_offset", LakeType.LONG, "the Kafka offset; from files the byte")),
          "One row per accepted event, duplicates removed.");

  private static final Set<String> UNIQUE = Set.of("event_id", "session_id");

  @Override
  public TableSchema schema() {
    return SCHEMA;
  }

  @Override
  public int schemaVersion() {
    return 1;
  }

  @Override
  public long partitionTime(AppEvent row) {
    return row.event().timestamp();
  }

  @Override
  public Origin origin(AppEvent row) {
    return row.event().origin();
  }

  @Override
  public Set<String> uniqueColumns() {
    return UNIQUE;
  }

  @Override
  public void write(AppEvent row, RowColumns columns) throws IOException {
    Event event = row.event();
    Origin origin = event.origin();
    columns.string(event.eventId());
    columns.string(event.userId());
    columns.string(event.sessionId());
    columns.string(event.eventType());
    columns.time(event.timestamp());
    columns.time(event.receivedAt());
    columns.time(origin.kafkaTimestamp());
    columns.time(origin.ingestedAt());
    Device device = event.device();
    columns.string(device.deviceType());
    columns.string(device.osVersion());
    columns.string(device.appVersion());
    Geo geo = event.geo();
    columns.string(geo.country());
    columns.string(geo.region());
    columns.string(geo.city());
    columns.stringMap(event.properties());
    columns.bool(row.late());
    columns.bool(row.dedupChecked());
    Dimensions dimensions = event.dimensions();
    columns.string(dimensions.deviceClass());
    columns.string(dimensions.deviceVendor());
    columns.string(dimensions.countryName());
    columns.string(dimensions.market());
    columns.string(dimensions.version());
    columns.string(origin.topic());
    columns.integer(origin.partition());
    columns.integer(origin.offset());
  }
}
