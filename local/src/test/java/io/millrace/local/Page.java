package io.millrace.local;

import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.regex.Pattern;

/** A page of the documentation whose blocks a test uses as they stand. */
record Page(String name, String text) {

  /** By its path below the folder of the sources. */
  static Page of(String name) throws IOException {
    return new Page(name, Files.readString(BuildFiles.module().resolveSibling(name)));
  }

  /** The one block of a language that has a text in it. */
  String block(String language, String part) {
    List<String> found =
        Pattern.compile("(?ms)^```" + language + "\n(.*?)^```$")
            .matcher(text)
            .results()
            .map(block -> block.group(1))
            .filter(block -> block.contains(part))
            .toList();
    if (found.size() != 1) {
      throw new IllegalStateException(
          "%s has %d blocks of %s with '%s', but must have one"
              .formatted(name, found.size(), language, part));
    }
    return found.get(0);
  }
}
