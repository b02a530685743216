package io.millrace.enrichment;

import io.millrace.event.Event;
import java.io.IOException;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.functions.RichMapFunction;

/** Adds the dimension's columns to input that ends: by the version at the start. */
public final class EnrichOnce extends RichMapFunction<Event, Event> {
  private static final long serialVersionUID = 1L;

  private final DimensionReader reader;
  private transient DimensionTable dimension;

  public EnrichOnce(DimensionReader reader) {
    this.reader = reader;
  }

  @Override
  public void open(OpenContext context) throws IOException {
    try (DimensionReader open = reader) {
      dimension =
          open.readIfChanged()
              .orElseThrow(() -> new IOException("the dimension is empty: " + reader.describe()));
    } catch (IOException e) {
      throw new IOException("the dimension cannot be loaded from " + reader.describe(), e);
    }
  }

  @Override
  public Event map(Event event) {
    return event.withDimensions(dimension.lookUp(event));
  }
}
