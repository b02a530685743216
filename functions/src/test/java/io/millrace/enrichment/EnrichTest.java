package io.millrace.enrichment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.enrichment.DimensionTable.CountryRow;
import io.millrace.enrichment.DimensionTable.DeviceRow;
import io.millrace.event.Dimensions;
import io.millrace.event.Event;
import io.millrace.event.Records;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.streaming.api.operators.StreamMap;
import org.apache.flink.streaming.api.operators.TwoInputStreamOperator;
import org.apache.flink.streaming.api.operators.co.CoBroadcastWithNonKeyedOperator;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.watermarkstatus.WatermarkStatus;
import org.apache.flink.streaming.util.AbstractBroadcastStreamOperatorTestHarness;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.apache.flink.streaming.util.OperatorSnapshotUtil;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A dimension that is loaded first, looked up, and replaced. */
@SuppressWarnings("try") // close() of Flink's harness declares Exception
class EnrichTest {
  private static final DimensionTable FIRST =
      new DimensionTable(
          "v1",
          Map.of("iPhone15,2", new DeviceRow("phone", "Apple")),
          Map.of("DE", new CountryRow("Germany", "EMEA")));
  private static final DimensionTable SECOND =
      new DimensionTable("v2", Map.of("iPhone15,2", new DeviceRow("handset", null)), Map.of());

  private static final Event PHONE_IN_GERMANY = Records.event("a", "iPhone15,2", "DE");
  private static final Event UNKNOWN = Records.event("b", "toaster", "XX");
  private static final Event BARE = Records.event("c", null, null);

  /** Flink's harness for a stream with a broadcast one. */
  private static final class Harness
      extends AbstractBroadcastStreamOperatorTestHarness<Event, DimensionTable, Event> {
    Harness() throws Exception {
      super(
          new CoBroadcastWithNonKeyedOperator<>(new Enrich(), List.of(Enrich.DIMENSION)), 1, 1, 0);
    }

    void events(WatermarkStatus status) throws Exception {
      ((TwoInputStreamOperator<?, ?, ?>) operator).processWatermarkStatus1(status);
    }

    void dimension(WatermarkStatus status) throws Exception {
      ((TwoInputStreamOperator<?, ?, ?>) operator).processWatermarkStatus2(status);
    }
  }

  private static List<Event> taken(Harness harness) {
    List<Event> events = new ArrayList<>(harness.extractOutputValues());
    harness.getOutput().clear();
    return events;
  }

  private static Dimensions dims(String device, String vendor, String country, String market) {
    return new Dimensions(device, vendor, country, market, "v1");
  }

  @Test
  void noEventPassesBeforeTheFirstLoad() throws Exception {
    try (Harness harness = new Harness()) {
      harness.open();
      harness.processElement(PHONE_IN_GERMANY, 1);
      harness.processElement(UNKNOWN, 2);
      harness.processWatermark(100);
      assertThat(harness.getOutput()).isEmpty();
      harness.processBroadcastElement(FIRST, 3);
      assertThat(taken(harness))
          .containsExactly(
              PHONE_IN_GERMANY.withDimensions(dims("phone", "Apple", "Germany", "EMEA")),
              UNKNOWN.withDimensions(dims(null, null, null, null)));
      harness.processBroadcastElement(FIRST, 4);
      assertThat(taken(harness)).isEmpty();
    }
  }

  @Test
  void looksUpDeviceAndCountryAndNamesTheVersion() throws Exception {
    try (Harness harness = new Harness()) {
      harness.open();
      harness.processBroadcastElement(FIRST, 0);
      harness.processElement(PHONE_IN_GERMANY, 1);
      harness.processElement(Records.event("d", "iPhone15,2", "FR"), 1);
      harness.processElement(BARE, 1);
      assertThat(taken(harness))
          .extracting(Event::dimensions)
          .containsExactly(
              dims("phone", "Apple", "Germany", "EMEA"),
              dims("phone", "Apple", null, null),
              dims(null, null, null, null));
    }
  }

  @Test
  void aNewVersionAppliesFromThenOnWithoutARestart() throws Exception {
    try (Harness harness = new Harness()) {
      harness.open();
      harness.processBroadcastElement(FIRST, 0);
      harness.processElement(PHONE_IN_GERMANY, 1);
      harness.processBroadcastElement(SECOND, 2);
      harness.processElement(PHONE_IN_GERMANY, 3);
      assertThat(taken(harness))
          .extracting(Event::dimensions)
          .containsExactly(
              dims("phone", "Apple", "Germany", "EMEA"),
              new Dimensions("handset", null, null, null, "v2"));
    }
  }

  @Test
  void heldEventsSurviveARestore() throws Exception {
    OperatorSubtaskState state;
    try (Harness harness = new Harness()) {
      harness.open();
      harness.processElement(PHONE_IN_GERMANY, 1);
      state = harness.snapshot(1, 1);
      harness.processElement(UNKNOWN, 2);
    }
    try (Harness harness = new Harness()) {
      harness.initializeState(state);
      harness.open();
      harness.processElement(BARE, 3);
      assertThat(taken(harness)).isEmpty();
      harness.processBroadcastElement(FIRST, 4);
      assertThat(taken(harness)).extracting(Event::eventId).containsExactly("a", "c");
    }
  }

  @Test
  void theDimensionSurvivesARestoreAndHeldEventsAreEmittedOnce() throws Exception {
    OperatorSubtaskState state;
    try (Harness harness = new Harness()) {
      harness.open();
      harness.processElement(PHONE_IN_GERMANY, 1);
      harness.snapshot(1, 1);
      harness.processBroadcastElement(FIRST, 2);
      harness.processBroadcastElement(SECOND, 2);
      state = harness.snapshot(2, 2);
    }
    try (Harness harness = new Harness()) {
      harness.initializeState(state);
      harness.open();
      harness.processElement(PHONE_IN_GERMANY, 3);
      assertThat(taken(harness))
          .extracting(Event::dimensions)
          .containsExactly(new Dimensions("handset", null, null, null, "v2"));
      harness.processBroadcastElement(FIRST, 4);
      assertThat(taken(harness)).isEmpty();
    }
  }

  private static List<Long> watermarks(Harness harness) {
    List<Long> times = new ArrayList<>();
    for (Object output : harness.getOutput()) {
      if (output instanceof Watermark w) {
        times.add(w.getTimestamp());
      }
    }
    return times;
  }

  @Test
  void theEventsWatermarkWaitsForTheDimensionAndThenCountsAlone() throws Exception {
    try (Harness harness = new Harness()) {
      harness.open();
      harness.processElement(PHONE_IN_GERMANY, 1);
      harness.processWatermark(100);
      assertThat(harness.getOutput()).isEmpty();
      harness.processBroadcastElement(FIRST, 0);
      harness.dimension(WatermarkStatus.IDLE);
      assertThat(watermarks(harness)).containsExactly(100L);
      // A quiet minute: every partition turns idle, and time stands still.
      harness.events(WatermarkStatus.IDLE);
      assertThat(watermarks(harness)).containsExactly(100L);
      harness.events(WatermarkStatus.ACTIVE);
      harness.processWatermark(200);
      assertThat(watermarks(harness)).containsExactly(100L, 200L);
    }
  }

  @Test
  void theDimensionsStreamTurnsIdleWithItsFirstVersion() throws Exception {
    try (var harness = loading(FIRST, FIRST, SECOND)) {
      harness.processWatermark(5);
      harness.processWatermarkStatus(WatermarkStatus.IDLE);
      assertThat(harness.getOutput()).isEmpty();
      harness.processElement(0L, 0);
      harness.processElement(1L, 1);
      harness.processWatermarkStatus(WatermarkStatus.ACTIVE);
      assertThat(harness.getOutput())
          .containsExactly(new StreamRecord<>(FIRST), WatermarkStatus.IDLE);
    }
  }

  @Test
  void afterARestartADimensionOutOfReachStopsNothing() throws Exception {
    OperatorSubtaskState state;
    try (var harness = loading(FIRST)) {
      harness.processElement(0L, 0);
      state = harness.snapshot(1, 1);
    }
    Scripted script = new Scripted(null, SECOND);
    try (var harness = new OneInputStreamOperatorTestHarness<>(new LoadDimension(script))) {
      harness.initializeState(state);
      harness.open();
      long tick = 0;
      while (harness.extractOutputValues().isEmpty()) {
        harness.processElement(tick++, tick);
      }
      assertThat(harness.getOutput()).contains(WatermarkStatus.IDLE);
      assertThat(harness.extractOutputValues()).containsExactly(SECOND);
    }
  }

  @Test
  void inputThatEndsTakesTheDimensionAsItIsAtTheStart() throws Exception {
    try (var harness =
        new OneInputStreamOperatorTestHarness<>(
            new StreamMap<>(new EnrichOnce(new Scripted(FIRST))))) {
      harness.open();
      harness.processElement(PHONE_IN_GERMANY, 1);
      harness.processElement(UNKNOWN, 1);
      assertThat(harness.extractOutputValues())
          .extracting(Event::dimensions)
          .containsExactly(dims("phone", "Apple", "Germany", "EMEA"), dims(null, null, null, null));
    }
    try (var harness =
        new OneInputStreamOperatorTestHarness<>(
            new StreamMap<>(new EnrichOnce(new Scripted((DimensionTable) null))))) {
      assertThatThrownBy(harness::open)
          .isInstanceOf(IOException.class)
          .hasMessage("the dimension cannot be loaded from the script");
    }
  }

  private static void write(Path file, long modified, String... lines) throws IOException {
    Files.write(file, List.of(lines));
    Files.setLastModifiedTime(file, FileTime.fromMillis(modified));
  }

  @Test
  void aFileIsReadAgainOnlyWhenItsContentChanges(@TempDir Path dir) throws IOException {
    Path file = dir.resolve("dimension.jsonl");
    String iphone =
        "{\"kind\":\"device\",\"key\":\"iPhone\",\"class\":\"phone\",\"vendor\":\"Apple\"}";
    String germany =
        "{\"kind\":\"country\",\"key\":\"DE\",\"name\":\"Deutschlånd\",\"market\":null}";
    write(file, 1_000, iphone, "", germany);
    try (DimensionFile reader = new DimensionFile(file.toUri().toString())) {
      DimensionTable table = reader.readIfChanged().orElseThrow();
      assertThat(table.devices()).isEqualTo(Map.of("iPhone", new DeviceRow("phone", "Apple")));
      assertThat(table.countries()).isEqualTo(Map.of("DE", new CountryRow("Deutschlånd", null)));
      assertThat(reader.readIfChanged()).isEmpty();
      write(file, 2_000, germany, iphone);
      assertThat(reader.readIfChanged()).as("the same rows in another order").isEmpty();
      write(file, 3_000, iphone, germany, iphone.replace("Apple", "Pear"));
      DimensionTable later = reader.readIfChanged().orElseThrow();
      assertThat(later.devices()).isEqualTo(Map.of("iPhone", new DeviceRow("phone", "Pear")));
      assertThat(later.version()).isNotEqualTo(table.version()).hasSize(12);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"kind\":\"device\"} | f line 1: no key: ",
        "null | f line 1: no key: ",
        "[] | f line 1: no key: ",
        "{\"key\":\"a\"} | f line 1: kind is 'null', expected 'device' or 'country': ",
        "{\"key\":\"a\",\"kind\":\"x\"} | f line 1: kind is 'x', expected 'device' or 'country': ",
        "{\"key\" | f line 1: not JSON: ",
        "{\"kind\":\"device\",\"key\":\"a\"}{} | f line 1: not JSON: "
      })
  void aRowThatIsNoneIsRefusedWithItsPlace(String json, String message) {
    assertThatThrownBy(() -> new DimensionRows().add(json, "f line 1"))
        .isInstanceOf(IOException.class)
        .hasMessage(message.stripLeading() + (message.endsWith(" ") ? "" : " ") + json);
  }

  /** Answers each read with the next of these; null fails. */
  private static final class Scripted implements DimensionReader {
    private static final long serialVersionUID = 1L;
    private final transient List<DimensionTable> versions;
    private int reads;

    Scripted(DimensionTable... versions) {
      this.versions = java.util.Arrays.asList(versions);
    }

    @Override
    public Optional<DimensionTable> readIfChanged() throws IOException {
      if (reads == versions.size()) {
        return Optional.empty();
      }
      DimensionTable next = versions.get(reads++);
      if (next == null) {
        throw new IOException("out of reach");
      }
      return reads > 1 && next.equals(versions.get(reads - 2))
          ? Optional.empty()
          : Optional.of(next);
    }

    @Override
    public void close() {}

    @Override
    public String describe() {
      return "the script";
    }
  }

  private static OneInputStreamOperatorTestHarness<Long, DimensionTable> loading(
      DimensionTable... versions) throws Exception {
    OneInputStreamOperatorTestHarness<Long, DimensionTable> harness =
        new OneInputStreamOperatorTestHarness<>(new LoadDimension(new Scripted(versions)));
    harness.open();
    return harness;
  }

  @Test
  void emitsEachNewVersionAndKeepsTheOneInUseWhenALoadFails() throws Exception {
    try (var harness = loading(FIRST, FIRST, null, SECOND)) {
      long tick = 0;
      while (harness.extractOutputValues().size() < 2) {
        harness.processElement(tick++, tick);
      }
      assertThat(harness.extractOutputValues()).containsExactly(FIRST, SECOND);
    }
  }

  @Test
  void aFirstLoadThatFailsStopsTheJob() throws Exception {
    try (var harness = loading((DimensionTable) null)) {
      assertThatThrownBy(() -> harness.processElement(0L, 0))
          .isInstanceOf(IOException.class)
          .hasMessage("the dimension cannot be loaded from the script");
    }
  }

  private static final String FIXTURE = "src/test/resources/state/enrich-v1.snapshot";
  private static final String HELD_FIXTURE = "src/test/resources/state/enrich-held-v1.snapshot";

  /** What the first release wrote is read by every later one: a dimension, or held events. */
  @Test
  void theSnapshotsOfTheFirstReleaseRestore() throws Exception {
    try (Harness harness = new Harness()) {
      harness.initializeState(OperatorSnapshotUtil.readStateHandle(FIXTURE));
      harness.open();
      harness.processElement(PHONE_IN_GERMANY, 1);
      assertThat(taken(harness))
          .extracting(Event::dimensions)
          .containsExactly(dims("phone", "Apple", "Germany", "EMEA"));
    }
    try (Harness harness = new Harness()) {
      harness.initializeState(OperatorSnapshotUtil.readStateHandle(HELD_FIXTURE));
      harness.open();
      harness.processBroadcastElement(SECOND, 1);
      assertThat(taken(harness))
          .containsExactly(
              PHONE_IN_GERMANY.withDimensions(new Dimensions("handset", null, null, null, "v2")));
    }
  }

  @Test
  @EnabledIfSystemProperty(named = "millrace.fixtures.write", matches = "true")
  void writeTheSnapshots() throws Exception {
    try (Harness harness = new Harness()) {
      harness.open();
      harness.processElement(PHONE_IN_GERMANY, 1);
      OperatorSnapshotUtil.writeStateHandle(harness.snapshot(1, 1), HELD_FIXTURE);
      harness.processBroadcastElement(FIRST, 2);
      OperatorSnapshotUtil.writeStateHandle(harness.snapshot(2, 2), FIXTURE);
    }
  }

  private static final String LOADED_FIXTURE =
      "src/test/resources/state/load-dimension-v1.snapshot";

  /** A release that has loaded a dimension before goes on without one. */
  @Test
  void theSnapshotOfALoadedDimensionRestores() throws Exception {
    Scripted script = new Scripted(null, SECOND);
    try (var harness = new OneInputStreamOperatorTestHarness<>(new LoadDimension(script))) {
      harness.initializeState(OperatorSnapshotUtil.readStateHandle(LOADED_FIXTURE));
      harness.open();
      harness.processElement(0L, 0);
      assertThat(harness.getOutput()).contains(WatermarkStatus.IDLE);
    }
  }

  @Test
  @EnabledIfSystemProperty(named = "millrace.fixtures.write", matches = "true")
  void writeTheSnapshotOfALoadedDimension() throws Exception {
    try (var harness = loading(FIRST)) {
      harness.processElement(0L, 0);
      OperatorSnapshotUtil.writeStateHandle(harness.snapshot(1, 1), LOADED_FIXTURE);
    }
  }
}
