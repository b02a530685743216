package io.millrace.bench;

import io.millrace.codec.json.JsonEventDecoder;
import io.millrace.event.EventDraft;
import io.millrace.event.Origin;
import io.millrace.job.engagement.EngagementConfig;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import javax.annotation.Nullable;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.formats.common.TimestampFormat;
import org.apache.flink.formats.json.JsonFormatOptions.MapNullKeyMode;
import org.apache.flink.formats.json.JsonParserRowDataDeserializationSchema;
import org.apache.flink.formats.json.JsonRowDataSerializationSchema;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.data.GenericMapData;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.runtime.typeutils.InternalTypeInfo;
import org.apache.flink.table.types.logical.RowType;

/** Events as rows of a table, and as JSON. */
final class EventRows {
  static final RowType TYPE =
      (RowType)
          DataTypes.ROW(
                  DataTypes.FIELD("event_id", DataTypes.STRING()),
                  DataTypes.FIELD("user_id", DataTypes.STRING()),
                  DataTypes.FIELD("session_id", DataTypes.STRING()),
                  DataTypes.FIELD("event_type", DataTypes.STRING()),
                  DataTypes.FIELD("timestamp", DataTypes.TIMESTAMP_LTZ(3)),
                  DataTypes.FIELD("received_at", DataTypes.TIMESTAMP_LTZ(3)),
                  DataTypes.FIELD(
                      "device_info",
                      DataTypes.ROW(
                          DataTypes.FIELD("device_type", DataTypes.STRING()),
                          DataTypes.FIELD("os_version", DataTypes.STRING()),
                          DataTypes.FIELD("app_version", DataTypes.STRING()))),
                  DataTypes.FIELD(
                      "geo_location",
                      DataTypes.ROW(
                          DataTypes.FIELD("country", DataTypes.STRING()),
                          DataTypes.FIELD("region", DataTypes.STRING()),
                          DataTypes.FIELD("city", DataTypes.STRING()))),
                  DataTypes.FIELD(
                      "properties", DataTypes.MAP(DataTypes.STRING(), DataTypes.STRING())))
              .getLogicalType();

  static final TypeInformation<RowData> TYPE_INFO = InternalTypeInfo.of(TYPE);

  private EventRows() {}

  static JsonEventDecoder decoder() {
    return new JsonEventDecoder(
        EngagementConfig.parse(
                "--kafka.bootstrap-servers", "none:9092", "--lake.root", "file:///none")
            .limits());
  }

  /** What Flink's format {@code json} writes. */
  static JsonRowDataSerializationSchema toJson() throws Exception {
    JsonRowDataSerializationSchema json =
        new JsonRowDataSerializationSchema(
            TYPE, TimestampFormat.ISO_8601, MapNullKeyMode.FAIL, "", false, true);
    json.open(null);
    return json;
  }

  /** What Flink's format {@code json} reads. */
  static DeserializationSchema<RowData> fromJson() {
    return new JsonParserRowDataDeserializationSchema(
        TYPE, TYPE_INFO, false, false, TimestampFormat.ISO_8601);
  }

  static RowData of(EventDraft draft) {
    Map<StringData, StringData> properties = new HashMap<>();
    draft.properties().forEach((k, v) -> properties.put(text(k), text(v)));
    return GenericRowData.of(
        text(draft.eventId),
        text(draft.userId),
        text(draft.sessionId),
        text(draft.eventType),
        time(draft.timestamp),
        time(draft.receivedAt),
        GenericRowData.of(text(draft.deviceType), text(draft.osVersion), text(draft.appVersion)),
        GenericRowData.of(text(draft.country), text(draft.region), text(draft.city)),
        new GenericMapData(properties));
  }

  @Nullable
  private static StringData text(@Nullable String value) {
    return StringData.fromString(value);
  }

  @Nullable
  private static TimestampData time(long millis) {
    return millis == Origin.NO_TIME ? null : TimestampData.fromEpochMillis(millis);
  }

  /** The job's own JSON decoder, in front of the same rows. */
  static final class ByOwnDecoder implements DeserializationSchema<RowData> {
    private static final long serialVersionUID = 1L;

    private final JsonEventDecoder decoder = decoder();
    private transient EventDraft draft;

    @Override
    public RowData deserialize(byte[] message) throws IOException {
      draft = draft == null ? new EventDraft() : draft;
      draft.reset();
      decoder.decode(message, draft);
      if (!draft.rejections().isEmpty()) {
        throw new IOException("rejected: " + draft.rejections());
      }
      return of(draft);
    }

    @Override
    public boolean isEndOfStream(RowData next) {
      return false;
    }

    @Override
    public TypeInformation<RowData> getProducedType() {
      return TYPE_INFO;
    }
  }
}
