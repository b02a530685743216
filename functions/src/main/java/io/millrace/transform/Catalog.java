package io.millrace.transform;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Entries, by service. */
public final class Catalog {
  private final Map<String, Transform> entries = new LinkedHashMap<>();

  public Catalog(List<Transform> entries) {
    for (Transform entry : entries) {
      if (this.entries.put(entry.declaration().service(), entry) != null) {
        throw new IllegalArgumentException(
            "two entries are called " + entry.declaration().service());
      }
    }
  }

  public Optional<Transform> find(String service) {
    return Optional.ofNullable(entries.get(service));
  }

  /** The names, in the order of the page. */
  public List<String> services() {
    return List.copyOf(entries.keySet());
  }

  public List<Transform> entries() {
    return List.copyOf(entries.values());
  }
}
