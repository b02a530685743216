package io.millrace.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.anomaly.SeriesState;
import io.millrace.codec.arrow.ArrowDeadLetter;
import io.millrace.enrichment.DimensionTable;
import io.millrace.lake.publish.CommitReport;
import io.millrace.lake.publish.OpenPartition;
import io.millrace.ledger.LedgerTotals;
import java.util.Optional;
import org.apache.flink.api.common.serialization.SerializerConfigImpl;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.api.java.typeutils.GenericTypeInfo;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** No record on a stream and no state falls to Kryo. */
class StreamTypesTest {

  /** A component that only Kryo could serialize. */
  public record FallsToKryo(String name, Optional<String> value) {}

  private static Configuration withoutGenericTypes() {
    Configuration flink = new Configuration();
    flink.set(PipelineOptions.GENERIC_TYPES, false);
    return flink;
  }

  private static <T> void buildGraph(Class<T> type) {
    StreamExecutionEnvironment env =
        StreamExecutionEnvironment.getExecutionEnvironment(withoutGenericTypes());
    env.fromSequence(0, 0)
        .map(number -> (T) null)
        .returns(TypeInformation.of(type))
        .rebalance()
        .sinkTo(new DiscardingSink<>());
    assertThat(env.getStreamGraph().getStreamNodes()).hasSizeGreaterThanOrEqualTo(3);
  }

  @ParameterizedTest
  @ValueSource(
      classes = {
        Event.class,
        AppEvent.class,
        Received.class,
        DeadLetter.class,
        ArrowDeadLetter.class,
        LedgerEntry.class,
        LedgerTotals.class,
        DimensionTable.class,
        CommitReport.class,
        OpenPartition.class,
        Observation.class,
        Anomaly.class,
        SeriesState.class
      })
  void streamRecordsAreSerializedWithoutKryo(Class<?> type) {
    TypeInformation<?> info = TypeInformation.of(type);
    assertThat(info).isNotInstanceOf(GenericTypeInfo.class);
    TypeSerializer<?> serializer =
        info.createSerializer(new SerializerConfigImpl(withoutGenericTypes()));
    assertThat(serializer.getClass().getName()).doesNotContain("Kryo");
    assertThat(serializer.snapshotConfiguration()).isNotNull();
    buildGraph(type);
  }

  @Test
  void theHotRecordsUseTheHandWrittenSerializers() {
    for (Class<?> type :
        new Class<?>[] {Event.class, AppEvent.class, Received.class, DeadLetter.class}) {
      assertThat(TypeInformation.of(type).createSerializer(new SerializerConfigImpl()))
          .isInstanceOf(WireSerializer.class);
    }
  }

  @Test
  void aTypeThatFallsToKryoFailsTheGraph() {
    assertThatThrownBy(() -> buildGraph(FallsToKryo.class))
        .isInstanceOf(UnsupportedOperationException.class)
        .hasMessageContaining("Generic types have been disabled")
        .hasMessageContaining("java.util.Optional");
    assertThatThrownBy(() -> buildGraph(Optional.class))
        .isInstanceOf(UnsupportedOperationException.class)
        .hasMessageContaining("Generic types have been disabled");
  }
}
