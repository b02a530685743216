package io.millrace.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.config.OptionDocs;
import io.millrace.telemetry.MetricDocs.Entry;
import java.lang.reflect.Field;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** That every name is documented once, and that the page is current. */
class MetricDocsTest {
  /** What is a part of names, or a label. */
  private static final Set<String> NO_METRICS =
      Set.of(
          Metrics.GROUP,
          Metrics.TOPIC,
          Metrics.REASON,
          Metrics.TABLE,
          Metrics.LE,
          Metrics.LEDGER,
          Metrics.BUCKET,
          Metrics.COUNT,
          Metrics.SUM);

  @Test
  void eachNameIsDocumentedOnce() throws IllegalAccessException {
    List<String> documented = MetricDocs.engagement().stream().map(Entry::name).toList();
    Set<String> named = new TreeSet<>();
    for (Field field : Metrics.class.getFields()) {
      String value = (String) field.get(null);
      if (!NO_METRICS.contains(value)) {
        named.add(value);
      }
    }
    List<String> others = new ArrayList<>(documented);
    others.removeIf(name -> name.startsWith(Metrics.LEDGER) && !named.contains(name));
    assertThat(others).containsExactlyInAnyOrderElementsOf(named);
    assertThat(documented).doesNotHaveDuplicates().allMatch(name -> name.matches("[a-z_]+"));
  }

  @Test
  void thePageIsCurrent() {
    OptionDocs.verifySection(
        Path.of("../docs/metrics.md"), "metrics", "\n" + MetricDocs.markdown());
  }
}
