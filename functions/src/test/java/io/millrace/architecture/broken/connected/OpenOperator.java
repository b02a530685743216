package io.millrace.architecture.broken.connected;

import io.millrace.architecture.broken.kafka.Client;
import org.apache.flink.api.common.functions.RichMapFunction;

/** Breaks: no connector here; operators are final. */
public class OpenOperator extends RichMapFunction<String, String> {
  private static final long serialVersionUID = 1L;

  @Override
  public String map(String value) {
    return new Client(value).servers();
  }
}
