package io.millrace.event;

import java.io.IOException;
import java.lang.reflect.Type;
import java.util.Map;
import org.apache.flink.api.common.serialization.SerializerConfig;
import org.apache.flink.api.common.typeinfo.TypeInfoFactory;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeutils.SimpleTypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/** Type information of the hot records; Flink finds it through their {@code @TypeInfo}. */
public final class EventTypeInfo<T> extends TypeInformation<T> {
  private static final long serialVersionUID = 1L;

  private final Class<T> type;
  private final TypeSerializer<T> serializer;

  private EventTypeInfo(Class<T> type, TypeSerializer<T> serializer) {
    this.type = type;
    this.serializer = serializer;
  }

  /** Flink's way to {@link Event}'s type information. */
  public static final class ForEvent extends TypeInfoFactory<Event> {
    @Override
    public TypeInformation<Event> createTypeInfo(Type t, Map<String, TypeInformation<?>> params) {
      return new EventTypeInfo<>(Event.class, new EventSerializer());
    }
  }

  /** Flink's way to {@link AppEvent}'s type information. */
  public static final class ForAppEvent extends TypeInfoFactory<AppEvent> {
    @Override
    public TypeInformation<AppEvent> createTypeInfo(
        Type t, Map<String, TypeInformation<?>> params) {
      return new EventTypeInfo<>(AppEvent.class, new AppEventSerializer());
    }
  }

  /** Flink's way to {@link Received}'s type information. */
  public static final class ForReceived extends TypeInfoFactory<Received> {
    @Override
    public TypeInformation<Received> createTypeInfo(
        Type t, Map<String, TypeInformation<?>> params) {
      return new EventTypeInfo<>(Received.class, new ReceivedSerializer());
    }
  }

  /** Flink's way to {@link DeadLetter}'s type information. */
  public static final class ForDeadLetter extends TypeInfoFactory<DeadLetter> {
    @Override
    public TypeInformation<DeadLetter> createTypeInfo(
        Type t, Map<String, TypeInformation<?>> params) {
      return new EventTypeInfo<>(DeadLetter.class, new DeadLetterSerializer());
    }
  }

  /** Flink's way to {@link Session}'s type information. */
  public static final class ForSession extends TypeInfoFactory<Session> {
    @Override
    public TypeInformation<Session> createTypeInfo(Type t, Map<String, TypeInformation<?>> params) {
      return new EventTypeInfo<>(Session.class, new ResultSerializers.OfSession());
    }
  }

  /** Flink's way to {@link Cell}'s type information. */
  public static final class ForCell extends TypeInfoFactory<Cell> {
    @Override
    public TypeInformation<Cell> createTypeInfo(Type t, Map<String, TypeInformation<?>> params) {
      return new EventTypeInfo<>(Cell.class, new ResultSerializers.OfCell());
    }
  }

  /** Flink's way to {@link Rollup}'s type information. */
  public static final class ForRollup extends TypeInfoFactory<Rollup> {
    @Override
    public TypeInformation<Rollup> createTypeInfo(Type t, Map<String, TypeInformation<?>> params) {
      return new EventTypeInfo<>(Rollup.class, new ResultSerializers.OfRollup());
    }
  }

  /** Flink's way to {@link LiveRollup}'s type information. */
  public static final class ForLiveRollup extends TypeInfoFactory<LiveRollup> {
    @Override
    public TypeInformation<LiveRollup> createTypeInfo(
        Type t, Map<String, TypeInformation<?>> params) {
      return new EventTypeInfo<>(LiveRollup.class, new ResultSerializers.OfLiveRollup());
    }
  }

  /** Serializer of {@link Event}. */
  public static final class EventSerializer extends WireSerializer<Event> {
    private static final long serialVersionUID = 1L;

    @Override
    public TypeSerializer<Event> duplicate() {
      return new EventSerializer();
    }

    @Override
    public void serialize(Event e, DataOutputView out) throws IOException {
      writeText(e.eventId(), out);
      writeText(e.userId(), out);
      writeText(e.sessionId(), out);
      writeText(e.eventType(), out);
      out.writeLong(e.timestamp());
      out.writeLong(e.receivedAt());
      writeText(e.device().deviceType(), out);
      writeText(e.device().osVersion(), out);
      writeText(e.device().appVersion(), out);
      writeText(e.geo().country(), out);
      writeText(e.geo().region(), out);
      writeText(e.geo().city(), out);
      writeTextMap(e.properties(), out);
      Dimensions d = e.dimensions();
      boolean looked = !d.equals(Dimensions.NONE);
      out.writeBoolean(looked);
      if (looked) {
        writeText(d.deviceClass(), out);
        writeText(d.deviceVendor(), out);
        writeText(d.countryName(), out);
        writeText(d.market(), out);
        writeText(d.version(), out);
      }
      writeOrigin(e.origin(), out);
    }

    @Override
    public Event deserialize(DataInputView in) throws IOException {
      return new Event(
          readText(in),
          readText(in),
          readText(in),
          readSharedText(in),
          in.readLong(),
          in.readLong(),
          new Device(readSharedText(in), readSharedText(in), readSharedText(in)),
          new Geo(readSharedText(in), readSharedText(in), readSharedText(in)),
          readTextMap(in),
          in.readBoolean()
              ? new Dimensions(
                  readSharedText(in),
                  readSharedText(in),
                  readSharedText(in),
                  readSharedText(in),
                  readSharedText(in))
              : Dimensions.NONE,
          readOrigin(in));
    }

    @Override
    public TypeSerializerSnapshot<Event> snapshotConfiguration() {
      return new EventSerializer.Snapshot();
    }

    /** Format 1. */
    public static final class Snapshot extends SimpleTypeSerializerSnapshot<Event> {
      public Snapshot() {
        super(EventSerializer::new);
      }
    }
  }

  /** Serializer of {@link AppEvent}. */
  public static final class AppEventSerializer extends WireSerializer<AppEvent> {
    private static final long serialVersionUID = 1L;

    private final EventSerializer events = new EventSerializer();

    @Override
    public TypeSerializer<AppEvent> duplicate() {
      return new AppEventSerializer();
    }

    @Override
    public void serialize(AppEvent e, DataOutputView out) throws IOException {
      events.serialize(e.event(), out);
      out.writeBoolean(e.late());
      out.writeBoolean(e.dedupChecked());
    }

    @Override
    public AppEvent deserialize(DataInputView in) throws IOException {
      return new AppEvent(events.deserialize(in), in.readBoolean(), in.readBoolean());
    }

    @Override
    public TypeSerializerSnapshot<AppEvent> snapshotConfiguration() {
      return new AppEventSerializer.Snapshot();
    }

    /** Format 1. */
    public static final class Snapshot extends SimpleTypeSerializerSnapshot<AppEvent> {
      public Snapshot() {
        super(AppEventSerializer::new);
      }
    }
  }

  /** Serializer of {@link Received}. */
  public static final class ReceivedSerializer extends WireSerializer<Received> {
    private static final long serialVersionUID = 1L;

    private final EventSerializer events = new EventSerializer();

    @Override
    public TypeSerializer<Received> duplicate() {
      return new ReceivedSerializer();
    }

    @Override
    public void serialize(Received r, DataOutputView out) throws IOException {
      writeOrigin(r.origin(), out);
      writeBytes(r.key(), out);
      writeHeaders(r.headers(), out);
      writeBytes(r.value(), out);
      out.writeLong(r.ledgerTime());
      writeRejections(r.rejections(), out);
      if (r.event() != null) {
        events.serialize(r.event(), out);
      }
    }

    @Override
    public Received deserialize(DataInputView in) throws IOException {
      Origin origin = readOrigin(in);
      byte[] key = readBytes(in);
      var headers = readHeaders(in);
      byte[] value = readBytes(in);
      long ledgerTime = in.readLong();
      var rejections = readRejections(in);
      Event event = rejections.isEmpty() ? events.deserialize(in) : null;
      return new Received(origin, key, headers, value, ledgerTime, event, rejections);
    }

    @Override
    public TypeSerializerSnapshot<Received> snapshotConfiguration() {
      return new ReceivedSerializer.Snapshot();
    }

    /** Format 1. */
    public static final class Snapshot extends SimpleTypeSerializerSnapshot<Received> {
      public Snapshot() {
        super(ReceivedSerializer::new);
      }
    }
  }

  /** Serializer of {@link DeadLetter}. */
  public static final class DeadLetterSerializer extends WireSerializer<DeadLetter> {
    private static final long serialVersionUID = 1L;

    @Override
    public TypeSerializer<DeadLetter> duplicate() {
      return new DeadLetterSerializer();
    }

    @Override
    public void serialize(DeadLetter d, DataOutputView out) throws IOException {
      writeOrigin(d.origin(), out);
      out.writeLong(d.ledgerTime());
      writeRejections(d.rejections(), out);
      writeBytes(d.key(), out);
      writeHeaders(d.headers(), out);
      writeBytes(d.value(), out);
      writeText(d.jobVersion(), out);
      writeVarint(d.attempt(), out);
    }

    @Override
    public DeadLetter deserialize(DataInputView in) throws IOException {
      return new DeadLetter(
          readOrigin(in),
          in.readLong(),
          readRejections(in),
          readBytes(in),
          readHeaders(in),
          readBytes(in),
          readText(in),
          readVarint(in));
    }

    @Override
    public TypeSerializerSnapshot<DeadLetter> snapshotConfiguration() {
      return new DeadLetterSerializer.Snapshot();
    }

    /** Format 1. */
    public static final class Snapshot extends SimpleTypeSerializerSnapshot<DeadLetter> {
      public Snapshot() {
        super(DeadLetterSerializer::new);
      }
    }
  }

  @Override
  public boolean isBasicType() {
    return false;
  }

  @Override
  public boolean isTupleType() {
    return false;
  }

  @Override
  public int getArity() {
    return 1;
  }

  @Override
  public int getTotalFields() {
    return 1;
  }

  @Override
  public Class<T> getTypeClass() {
    return type;
  }

  @Override
  public boolean isKeyType() {
    return type == Cell.class;
  }

  @Override
  public TypeSerializer<T> createSerializer(SerializerConfig config) {
    return serializer.duplicate();
  }

  @Override
  public String toString() {
    return type.getSimpleName();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof EventTypeInfo<?> o && o.type == type;
  }

  @Override
  public int hashCode() {
    return type.hashCode();
  }

  @Override
  public boolean canEqual(Object other) {
    return other instanceof EventTypeInfo;
  }
}
