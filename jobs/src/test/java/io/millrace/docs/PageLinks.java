package io.millrace.docs;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What a Markdown page says is there: its relative links, and the paths in tables of places. */
final class PageLinks {
  private static final Pattern LINK = Pattern.compile("\\[[^\\]]*\\]\\(([^)\\s]+)\\)");
  private static final Pattern CODE = Pattern.compile("`([^`]+)`");
  private static final Pattern PLACES = Pattern.compile("\\|\\s*Where is \\.\\.\\.\\?\\s*\\|.*");
  private static final Pattern ELSEWHERE = Pattern.compile("[a-z][a-z0-9+.-]*:.*");

  private PageLinks() {}

  /** Every place that the page names and that is not there, as the page names it. */
  static List<String> missing(Path page) throws IOException {
    Path folder = page.toAbsolutePath().normalize().getParent();
    List<String> missing = new ArrayList<>();
    for (String place : named(Files.readString(page))) {
      String[] parts = place.split("#", 2);
      Path target = parts[0].isEmpty() ? page : folder.resolve(parts[0]);
      if (!Files.exists(target)) {
        missing.add(place);
      } else if (parts.length > 1 && !anchors(target).contains(parts[1])) {
        missing.add(place);
      }
    }
    return missing;
  }

  /** Links anywhere outside blocks of code; paths in the last column of a table of places. */
  static List<String> named(String page) {
    List<String> named = new ArrayList<>();
    boolean code = false;
    boolean places = false;
    for (String line : page.lines().toList()) {
      if (line.startsWith("```")) {
        code = !code;
      }
      if (code) {
        continue;
      }
      places = PLACES.matcher(line).matches() || (places && line.startsWith("|"));
      Matcher link = LINK.matcher(line);
      while (link.find()) {
        if (!ELSEWHERE.matcher(link.group(1)).matches()) {
          named.add(link.group(1));
        }
      }
      if (places) {
        Matcher path = CODE.matcher(line.substring(line.indexOf('|', 1)));
        while (path.find()) {
          named.add(path.group(1));
        }
      }
    }
    return named;
  }

  /** The anchors that a page's headings have on the web. */
  private static List<String> anchors(Path page) throws IOException {
    return Files.readString(page)
        .lines()
        .filter(l -> l.startsWith("#"))
        .map(l -> l.replaceFirst("^#+ *", "").toLowerCase(Locale.ROOT))
        .map(l -> l.replaceAll("[^a-z0-9 _-]", "").replace(' ', '-'))
        .toList();
  }
}
