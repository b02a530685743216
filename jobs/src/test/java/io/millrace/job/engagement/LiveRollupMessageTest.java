package io.millrace.job.engagement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.event.Cell;
import io.millrace.event.CellCounts;
import io.millrace.event.LiveRollup;
import io.millrace.event.Rollup;
import io.millrace.lake.catalog.Column;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.Test;

class LiveRollupMessageTest {
  private static final long T = 1_767_225_600_000L; // 2026-01-01T00:00:00Z
  private static final List<Column> COLUMNS =
      LiveRow.columns(List.of("device_type", "country"), List.of("total_purchases"));

  private static LiveRollup live(boolean daily, CellCounts counts, boolean last, boolean retired) {
    return new LiveRollup(
        new Rollup(new Cell(daily, T, 1, List.of("a \"b\"", "ALL_COUNTRIES")), counts, true),
        last,
        retired);
  }

  private static CellCounts counts() {
    return new CellCounts(new long[] {100, 1, 2, 8, 2, 40}, 17, 4, 1, 10_500, new byte[] {1, 2, 3});
  }

  private static ProducerRecord<byte[], byte[]> message(LiveRollup live) {
    return new LiveRollupMessage("rollups.live", COLUMNS).serialize(live, null, null);
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  @Test
  void theKeyIsTheCellToTheByte() {
    assertThat(text(message(live(false, counts(), false, false)).key()))
        .isEqualTo(
            "{\"window\":\"hour\",\"window_start\":\"2026-01-01T00:00:00Z\","
                + "\"device_type\":\"a \\\"b\\\"\",\"country\":\"ALL_COUNTRIES\"}");
    assertThat(text(message(live(true, counts(), true, true)).key()))
        .startsWith("{\"window\":\"day\",\"window_start\":\"2026-01-01T00:00:00Z\",");
  }

  @Test
  void theValueIsTheRowWithoutTheSketch() throws IOException {
    ProducerRecord<byte[], byte[]> message = message(live(false, counts(), true, false));
    assertThat(message.topic()).isEqualTo("rollups.live");
    assertThat(new ObjectMapper().readTree(message.value()))
        .isEqualTo(
            new ObjectMapper()
                .readTree(
                    """
                    {"window":"hour","window_start":"2026-01-01T00:00:00Z",
                     "device_type":"a \\"b\\"","country":"ALL_COUNTRIES",
                     "total_events":100,"total_installs":1,"total_sessions":2,"total_views":8,
                     "total_opens":2,"notification_ctr":0.25,"active_users":17,
                     "distinct_approximate":true,"sessions_ended":4,"bounced_sessions":1,
                     "bounce_rate":0.25,"session_seconds":10.5,"avg_session_seconds":2.625,
                     "total_purchases":40,"final":true}
                    """));
  }

  @Test
  void ratiosOfNothingAreNull() {
    assertThat(
            text(
                message(live(true, new CellCounts(new long[6], 0, 0, 0, 0, null), false, false))
                    .value()))
        .isEqualTo(
            "{\"window\":\"day\",\"window_start\":\"2026-01-01T00:00:00Z\","
                + "\"device_type\":\"a \\\"b\\\"\",\"country\":\"ALL_COUNTRIES\","
                + "\"total_events\":0,\"total_installs\":0,\"total_sessions\":0,\"total_views\":0,"
                + "\"total_opens\":0,\"notification_ctr\":null,\"active_users\":0,"
                + "\"distinct_approximate\":true,\"sessions_ended\":0,\"bounced_sessions\":0,"
                + "\"bounce_rate\":null,\"session_seconds\":0.0,\"avg_session_seconds\":null,"
                + "\"total_purchases\":0,\"final\":false}");
  }

  @Test
  void aRetiredCellIsATombstone() {
    ProducerRecord<byte[], byte[]> message = message(live(false, counts(), true, true));
    assertThat(message.value()).isNull();
    assertThat(message.key()).isEqualTo(message(live(false, counts(), false, false)).key());
  }

  @Test
  void aCellOfOtherCountersIsRefused() {
    CellCounts fewer = new CellCounts(new long[5], 0, 0, 0, 0, null);
    assertThatThrownBy(() -> message(live(false, fewer, false, false)))
        .hasMessage("a cell has 18 values for 19 columns");
  }
}
