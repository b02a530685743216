package io.millrace.local;

import java.io.DataInputStream;
import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.api.common.typeutils.base.EnumSerializer;
import org.apache.flink.api.common.typeutils.base.ListSerializer;
import org.apache.flink.api.common.typeutils.base.MapSerializer;
import org.apache.flink.api.java.typeutils.runtime.NullableSerializer;
import org.apache.flink.api.java.typeutils.runtime.PojoSerializer;
import org.apache.flink.core.fs.FSDataInputStream;
import org.apache.flink.core.memory.DataInputViewStreamWrapper;
import org.apache.flink.runtime.checkpoint.Checkpoints;
import org.apache.flink.runtime.checkpoint.OperatorState;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.checkpoint.metadata.CheckpointMetadata;
import org.apache.flink.runtime.state.KeyGroupsStateHandle;
import org.apache.flink.runtime.state.KeyedBackendSerializationProxy;
import org.apache.flink.runtime.state.KeyedStateHandle;
import org.apache.flink.runtime.state.OperatorBackendSerializationProxy;
import org.apache.flink.runtime.state.OperatorStateHandle;
import org.apache.flink.runtime.state.metainfo.StateMetaInfoSnapshot;
import org.apache.flink.runtime.state.metainfo.StateMetaInfoSnapshot.CommonOptionsKeys;
import org.apache.flink.table.runtime.typeutils.RowDataSerializer;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.RowType;

/**
 * What a savepoint in canonical form holds, as text: of each operator with state its uid and the
 * names and types of its states, then the records of ours among the types with their components.
 */
final class SavepointStates {
  private final Map<String, Set<String>> states = new TreeMap<>();
  private final Map<String, String> records = new TreeMap<>();

  private SavepointStates() {}

  /** The states of the savepoint in a folder. */
  static String of(Path folder) throws IOException {
    SavepointStates all = new SavepointStates();
    for (OperatorState operator : metadata(folder).getOperatorStates()) {
      all.add(operator);
    }
    StringBuilder text = new StringBuilder();
    all.states.forEach(
        (uid, lines) -> {
          text.append(uid).append('\n');
          lines.forEach(line -> text.append("  ").append(line).append('\n'));
        });
    text.append('\n');
    all.records.forEach((name, components) -> text.append(name).append(components).append('\n'));
    return text.toString();
  }

  /** The operator with that uid in the savepoint in a folder. */
  static OperatorState operator(Path folder, String uid) throws IOException {
    return metadata(folder).getOperatorStates().stream()
        .filter(operator -> operator.getOperatorUid().filter(uid::equals).isPresent())
        .findFirst()
        .orElseThrow();
  }

  private static CheckpointMetadata metadata(Path folder) throws IOException {
    try (DataInputStream in =
        new DataInputStream(Files.newInputStream(folder.resolve("_metadata")))) {
      return Checkpoints.loadCheckpointMetadata(in, loader(), folder.toUri().toString());
    }
  }

  private static ClassLoader loader() {
    return SavepointStates.class.getClassLoader();
  }

  private void add(OperatorState operator) throws IOException {
    Set<String> lines = new TreeSet<>();
    if (operator.getCoordinatorState() != null) {
      lines.add("coordinator");
    }
    for (OperatorSubtaskState subtask : operator.getStates()) {
      for (KeyedStateHandle keyed : subtask.getManagedKeyedState()) {
        try (FSDataInputStream in = ((KeyGroupsStateHandle) keyed).openInputStream()) {
          KeyedBackendSerializationProxy<?> proxy = new KeyedBackendSerializationProxy<>(loader());
          proxy.read(new DataInputViewStreamWrapper(in));
          lines.add("key: " + type(proxy.getKeySerializerSnapshot().restoreSerializer()));
          proxy.getStateMetaInfoSnapshots().forEach(state -> lines.add("keyed " + line(state)));
        }
      }
      for (OperatorStateHandle handle : subtask.getManagedOperatorState()) {
        try (FSDataInputStream in = handle.openInputStream()) {
          OperatorBackendSerializationProxy proxy = new OperatorBackendSerializationProxy(loader());
          proxy.read(new DataInputViewStreamWrapper(in));
          proxy.getOperatorStateMetaInfoSnapshots().forEach(state -> lines.add(line(state)));
          proxy.getBroadcastStateMetaInfoSnapshots().forEach(state -> lines.add(line(state)));
        }
      }
    }
    if (!lines.isEmpty()) {
      states.put(operator.getOperatorUid().orElseThrow(), lines);
    }
  }

  private String line(StateMetaInfoSnapshot state) {
    List<String> types = new ArrayList<>();
    new TreeMap<>(state.getSerializerSnapshotsImmutable())
        .forEach((role, snapshot) -> types.add(type(snapshot.restoreSerializer())));
    String kind =
        switch (state.getBackendStateType()) {
          case KEY_VALUE -> state.getOption(CommonOptionsKeys.KEYED_STATE_TYPE);
          case OPERATOR -> state.getOption(CommonOptionsKeys.OPERATOR_STATE_DISTRIBUTION_MODE);
          default -> state.getBackendStateType().name();
        };
    return state.getName() + ": " + kind + " " + types;
  }

  private String type(TypeSerializer<?> serializer) {
    if (serializer instanceof PojoSerializer<?> pojo) {
      return record(pojo);
    }
    if (serializer instanceof NullableSerializer) {
      return type((TypeSerializer<?>) field(serializer, "originalSerializer")) + "?";
    }
    if (serializer instanceof ListSerializer<?> list) {
      return "List<" + type(list.getElementSerializer()) + ">";
    }
    if (serializer instanceof MapSerializer<?, ?> map) {
      return "Map<" + type(map.getKeySerializer()) + ", " + type(map.getValueSerializer()) + ">";
    }
    if (serializer instanceof EnumSerializer) {
      return Arrays.toString((Object[]) field(serializer, "values"));
    }
    if (serializer instanceof RowDataSerializer) {
      return RowType.of((LogicalType[]) field(serializer, "types")).asSummaryString();
    }
    Class<?> own = serializer.getClass();
    return own.getName().startsWith("io.millrace.")
        ? own.getName() + " v" + serializer.snapshotConfiguration().getCurrentVersion()
        : own.getSimpleName();
  }

  private String record(PojoSerializer<?> pojo) {
    Class<?> type = (Class<?>) field(pojo, "clazz");
    if (!records.containsKey(type.getName())) {
      records.put(type.getName(), "");
      Field[] fields = (Field[]) field(pojo, "fields");
      TypeSerializer<?>[] serializers = (TypeSerializer<?>[]) field(pojo, "fieldSerializers");
      Map<String, String> components = new TreeMap<>();
      for (int i = 0; i < fields.length; i++) {
        components.put(fields[i].getName(), type(serializers[i]));
      }
      records.put(type.getName(), components.toString());
    }
    return type.getName();
  }

  /** A serializer does not tell what it consists of. */
  private static Object field(TypeSerializer<?> serializer, String name) {
    try {
      Field field = serializer.getClass().getDeclaredField(name);
      field.setAccessible(true);
      return field.get(serializer);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("no field " + name + " in " + serializer, e);
    }
  }
}
