package io.millrace.job.engagement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.apache.flink.connector.kafka.sink.KafkaCommittable;
import org.apache.flink.connector.kafka.sink.KafkaWriterState;
import org.apache.flink.connector.kafka.sink.TwoPhaseCommittingStatefulSink.PrecommittingStatefulSinkWriter;
import org.junit.jupiter.api.Test;

class TopicSinkTest {
  private final List<String> calls = new ArrayList<>();

  /** As the connector's: once a message could not be sent, whatever is asked fails, and closing. */
  private final class Broken
      implements PrecommittingStatefulSinkWriter<String, KafkaWriterState, KafkaCommittable> {
    @Override
    public void write(String element, Context context) throws IOException {
      throw failed("write");
    }

    @Override
    public void flush(boolean endOfInput) throws IOException {
      throw failed("flush");
    }

    @Override
    public Collection<KafkaCommittable> prepareCommit() throws IOException {
      throw failed("prepareCommit");
    }

    @Override
    public List<KafkaWriterState> snapshotState(long checkpointId) throws IOException {
      throw failed("snapshotState");
    }

    @Override
    public void close() throws IOException {
      throw failed("close");
    }

    private IOException failed(String call) {
      calls.add(call);
      return new IOException(call + ": a message was not sent");
    }
  }

  @Test
  void aFailedSendFailsTheTaskAndNotTheClosing() throws Exception {
    TopicSink.Writer<String> writer = new TopicSink.Writer<>(new Broken());

    assertThatThrownBy(() -> writer.write("a", null)).hasMessage("write: a message was not sent");
    assertThatThrownBy(() -> writer.flush(false)).hasMessage("flush: a message was not sent");
    assertThatThrownBy(writer::prepareCommit).hasMessage("prepareCommit: a message was not sent");
    assertThatThrownBy(() -> writer.snapshotState(1))
        .hasMessage("snapshotState: a message was not sent");
    writer.close();

    assertThat(calls).containsExactly("write", "flush", "prepareCommit", "snapshotState", "close");
  }
}
