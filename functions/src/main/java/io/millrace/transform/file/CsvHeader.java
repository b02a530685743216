package io.millrace.transform.file;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The names of a file's columns, made unique as pandas does. */
final class CsvHeader {
  private CsvHeader() {}

  /**
   * {@code a, a} becomes {@code a, a.1}; a column without a name becomes {@code Unnamed: 2}, with
   * its position from 0.
   */
  static List<String> names(List<String> written) {
    List<String> named = new ArrayList<>();
    for (int i = 0; i < written.size(); i++) {
      named.add(written.get(i).isEmpty() ? "Unnamed: " + i : written.get(i));
    }
    Set<String> taken = new HashSet<>(named);
    Map<String, Integer> next = new HashMap<>();
    List<String> names = new ArrayList<>();
    for (String name : named) {
      Integer count = next.get(name);
      if (count == null) {
        next.put(name, 1);
        names.add(name);
        continue;
      }
      String unique;
      do {
        unique = name + "." + count++;
      } while (!taken.add(unique));
      next.put(name, count);
      names.add(unique);
    }
    return names;
  }
}
