package io.millrace.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.annotation.Nullable;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.CharRange;
import net.jqwik.api.constraints.StringLength;
import org.apache.flink.api.common.serialization.SerializerConfigImpl;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeutils.SerializerTestBase;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The bytes of the hot records, on the wire and in state. */
class WireSerializerTest {
  private static final String MEGABYTE = "0123456789abcdef".repeat(1 << 16);
  private static final String WIDE_MEGABYTE = "日本語😀".repeat(1 << 17);

  private static <T> TypeSerializer<T> serializer(Class<T> type) {
    return TypeInformation.of(type).createSerializer(new SerializerConfigImpl());
  }

  private static <T> byte[] written(TypeSerializer<T> serializer, T value) throws IOException {
    DataOutputSerializer out = new DataOutputSerializer(64);
    serializer.serialize(value, out);
    return out.getCopyOfBuffer();
  }

  /** Writes, reads, and copies in bytes; the same bytes must come out each time. */
  private static <T> T roundTrip(Class<T> type, T value) throws IOException {
    TypeSerializer<T> serializer = serializer(type);
    byte[] bytes = written(serializer, value);
    DataInputDeserializer in = new DataInputDeserializer(bytes);
    T read = serializer.duplicate().deserialize(in);
    assertThat(in.available()).isZero();
    DataOutputSerializer copied = new DataOutputSerializer(64);
    serializer.copy(new DataInputDeserializer(bytes), copied);
    T ofCopy = serializer.deserialize(new DataInputDeserializer(copied.getCopyOfBuffer()));
    assertThat(parts(ofCopy)).isEqualTo(parts(read));
    return read;
  }

  /** A record's components with bytes as text, since records compare arrays by identity. */
  private static List<Object> parts(Object item) {
    List<Object> parts = new ArrayList<>();
    if (item instanceof Received r) {
      parts.addAll(Arrays.asList(r.origin(), r.ledgerTime(), r.event(), r.rejections()));
      addBytes(r.key(), r.headers(), r.value(), parts);
    } else if (item instanceof DeadLetter d) {
      parts.addAll(List.of(d.origin(), d.ledgerTime(), d.rejections(), d.jobVersion()));
      parts.add(d.attempt());
      addBytes(d.key(), d.headers(), d.value(), parts);
    } else {
      parts.add(item);
    }
    return parts;
  }

  private static void addBytes(
      @Nullable byte[] key, List<Header> headers, @Nullable byte[] value, List<Object> parts) {
    parts.add(text(key));
    parts.add(text(value));
    for (Header h : headers) {
      parts.add(h.key() + "=" + text(h.value()));
    }
  }

  private static String text(@Nullable byte[] bytes) {
    return bytes == null ? "null" : "'" + new String(bytes, StandardCharsets.ISO_8859_1) + "'";
  }

  private static Event withTexts(String text) {
    return new Event(
        text,
        text,
        text,
        text,
        0,
        0,
        new Device(text, text, text),
        new Geo(text, text, text),
        Map.of(text, text),
        new Dimensions(text, text, text, text, text),
        new Origin(text, -1, -1, Long.MIN_VALUE, Long.MAX_VALUE));
  }

  @Test
  void eventsComeBackEqual() throws IOException {
    for (Event e :
        new Event[] {
          Records.event("e", "u", 0), Records.full(), withTexts(""), withTexts("é"), withTexts("\0")
        }) {
      assertThat(roundTrip(Event.class, e)).isEqualTo(e);
      AppEvent late = new AppEvent(e, true, false);
      assertThat(roundTrip(AppEvent.class, late)).isEqualTo(late);
      AppEvent onTime = new AppEvent(e, false, true);
      assertThat(roundTrip(AppEvent.class, onTime)).isEqualTo(onTime);
      Received received = Records.accepted(e);
      assertThat(parts(roundTrip(Received.class, received))).isEqualTo(parts(received));
    }
  }

  @Test
  void textsOfAMegabyteComeBackEqual() throws IOException {
    for (String text : new String[] {MEGABYTE, WIDE_MEGABYTE, MEGABYTE + "é", "é" + MEGABYTE}) {
      Event event = Records.event(text, "u", 1);
      TypeSerializer<Event> serializer = serializer(Event.class);
      for (Event e : new Event[] {event, Records.full(), event}) {
        byte[] bytes = written(serializer, e);
        assertThat(serializer.deserialize(new DataInputDeserializer(bytes))).isEqualTo(e);
      }
    }
  }

  @Test
  void propertiesComeBackWhateverTheMapTheyCameIn() throws IOException {
    Map<String, String> map = new HashMap<>();
    for (int i = 0; i < 64; i++) {
      map.put("name-" + i, i % 2 == 0 ? "v" + i : "ü" + i);
    }
    map.put("none", null);
    Event bare = Records.event("e", "u", 1);
    for (Map<String, String> properties :
        List.<Map<String, String>>of(map, Map.of(), Map.of("a", "b"))) {
      Event event =
          new Event(
              "e",
              "u",
              null,
              "t",
              1,
              2,
              bare.device(),
              bare.geo(),
              properties,
              bare.dimensions(),
              bare.origin());
      assertThat(roundTrip(Event.class, event)).isEqualTo(event);
    }
  }

  @Test
  void receivedAndDeadLettersComeBackEqual() throws IOException {
    byte[] all = new byte[256];
    for (int i = 0; i < 256; i++) {
      all[i] = (byte) i;
    }
    List<Rejection> everyReason = new ArrayList<>();
    for (RejectReason reason : RejectReason.values()) {
      everyReason.add(new Rejection(reason, "feld.ü", "über 😀\n"));
    }
    List<Header> headers =
        List.of(new Header("h", null), new Header("h", new byte[0]), new Header("", all));
    List<byte[]> values = new ArrayList<>();
    values.add(null);
    values.add(new byte[0]);
    values.add(all);
    values.add(MEGABYTE.getBytes(StandardCharsets.US_ASCII));
    Origin origin = new Origin("t", Integer.MAX_VALUE, 0, Origin.NO_TIME, 0);
    for (byte[] key : values) {
      for (byte[] value : values) {
        Received received = new Received(origin, key, headers, value, 7, null, everyReason);
        assertThat(parts(roundTrip(Received.class, received)).equals(parts(received))).isTrue();
        DeadLetter letter =
            new DeadLetter(origin, 0, everyReason, key, headers, value, "1.2-é", 1 << 20);
        assertThat(parts(roundTrip(DeadLetter.class, letter)).equals(parts(letter))).isTrue();
      }
    }
    Received bare = Records.rejected(origin, List.of(), RejectReason.NULL_VALUE);
    assertThat(parts(roundTrip(Received.class, bare))).isEqualTo(parts(bare));
  }

  @Property(tries = 2_000)
  void everyTextOfWholeCharactersComesBack(
      @ForAll @StringLength(max = 600) String any,
      @ForAll @CharRange(from = '\0', to = '\u00FF') String latin)
      throws IOException {
    String whole = new String(any.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);
    Event event = withTexts(whole + latin);
    assertThat(roundTrip(Event.class, event)).isEqualTo(event);
  }

  @Test
  void textsOfFewValuesAreSharedAndNeverMixedUp() throws IOException {
    TypeSerializer<Event> serializer = serializer(Event.class);
    Event last = null;
    // More texts than the serializer remembers, so that most meet another in their place.
    for (int i = 0; i < 20_000; i++) {
      Event event = Records.event("e", "Aa".repeat(i % 10) + "BB".repeat(i % 5) + i, "C" + i % 9);
      last = serializer.deserialize(new DataInputDeserializer(written(serializer, event)));
      assertThat(last).isEqualTo(event);
    }
    Event again = serializer.deserialize(new DataInputDeserializer(written(serializer, last)));
    assertThat(again.geo().country()).isSameAs(last.geo().country());
    assertThat(again.origin().topic()).isSameAs(last.origin().topic());
  }

  @ParameterizedTest
  @ValueSource(
      ints = {0, 1, 127, 128, 16_383, 16_384, 2_097_152, Integer.MAX_VALUE, -1, Integer.MIN_VALUE})
  void everyVarintComesBack(int value) throws IOException {
    DataOutputSerializer out = new DataOutputSerializer(8);
    WireSerializer.writeVarint(value, out);
    assertThat(WireSerializer.readVarint(new DataInputDeserializer(out.getCopyOfBuffer())))
        .isEqualTo(value);
  }

  @Test
  void aCorruptVarintIsRefused() {
    byte[] endless = {-1, -1, -1, -1, -1, -1};
    assertThatThrownBy(() -> WireSerializer.readVarint(new DataInputDeserializer(endless)))
        .isInstanceOf(IOException.class)
        .hasMessage("a varint of more than five bytes: the stream is corrupt");
  }

  @Test
  void theBytesOfAnEventAreFrozen() throws IOException {
    // Held events, in-flight records and pending dead letters are in savepoints.
    Event event =
        new Event(
            "a",
            "é",
            null,
            "t",
            1,
            2,
            new Device("d", null, null),
            Geo.UNKNOWN,
            Map.of("k", "v"),
            new Dimensions("c", null, null, null, "1"),
            new Origin("o", 300, 4, 5, 6));
    assertThat(written(serializer(AppEvent.class), new AppEvent(event, true, false)))
        .asHexString()
        .isEqualTo(
            ("0361" + "06C3A9" + "00" + "0374" + "0000000000000001" + "0000000000000002")
                + ("0364" + "00" + "00" + "00" + "00" + "00" + "01" + "036B" + "0376")
                + ("01" + "0363" + "00" + "00" + "00" + "0331")
                + ("036F" + "AC02" + "0000000000000004" + "0000000000000005" + "0000000000000006")
                + ("01" + "00"));
  }

  @Test
  void aRecordIsEitherAnEventOrRejected() {
    Origin origin = Records.origin("t", 0, 0);
    for (Event event : new Event[] {null, Records.full()}) {
      List<Rejection> rejections =
          event == null ? List.of() : List.of(new Rejection(RejectReason.TOO_DEEP, "", "m"));
      assertThatThrownBy(() -> new Received(origin, null, List.of(), null, 0, event, rejections))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("either an event or rejections, not both and not neither");
    }
  }

  /** Flink's own expectations of a serializer, for records that have value equality. */
  abstract static class FlinkContract<T> extends SerializerTestBase<T> {
    private final Class<T> type;

    FlinkContract(Class<T> type) {
      this.type = type;
    }

    @Override
    protected TypeSerializer<T> createSerializer() {
      return serializer(type);
    }

    @Override
    protected int getLength() {
      return -1;
    }

    @Override
    protected Class<T> getTypeClass() {
      return type;
    }

    // These records have no empty instance to fill.
    @Override
    protected void testInstantiate() {
      assertThat(serializer(type).createInstance()).isNull();
    }
  }

  /** Of {@link Event}. */
  @Nested
  class OfEvent extends FlinkContract<Event> {
    OfEvent() {
      super(Event.class);
    }

    @Override
    protected Event[] getTestData() {
      return new Event[] {Records.event("e", "u", 1), Records.full(), withTexts("é")};
    }
  }

  /** Of {@link AppEvent}. */
  @Nested
  class OfAppEvent extends FlinkContract<AppEvent> {
    OfAppEvent() {
      super(AppEvent.class);
    }

    @Override
    protected AppEvent[] getTestData() {
      return new AppEvent[] {
        new AppEvent(Records.event("e", "u", 1), false, true),
        new AppEvent(Records.full(), true, false)
      };
    }
  }
}
