package io.millrace.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever the README and the pages under docs point to is there. */
class ReadmeTest {
  private static final Path HOME = Path.of("..");

  static Stream<Path> pages() throws IOException {
    try (Stream<Path> docs = Files.list(HOME.resolve("docs"))) {
      List<Path> pages = docs.filter(p -> p.toString().endsWith(".md")).sorted().toList();
      return Stream.concat(Stream.of(HOME.resolve("README.md")), pages.stream());
    }
  }

  @ParameterizedTest
  @MethodSource("pages")
  void everyPlaceThatAPageNamesIsThere(Path page) throws IOException {
    assertThat(PageLinks.missing(page)).isEmpty();
  }

  @Test
  void theReadmeMapsConceptsToPathsAndLinksEveryPage() throws IOException {
    List<String> named = PageLinks.named(Files.readString(HOME.resolve("README.md")));
    assertThat(named)
        .contains("functions/src/main/java/io/millrace/timeline/UserTimeline.java")
        .containsAll(pages().skip(1).map(p -> HOME.relativize(p).toString()).toList())
        .hasSizeGreaterThan(30);
  }

  @Test
  void theQuickstartIsTwoCommands() throws IOException {
    String readme = Files.readString(HOME.resolve("README.md"));
    int block = readme.indexOf("```sh\n", readme.indexOf("## Quickstart"));
    List<String> commands =
        readme.substring(block, readme.indexOf("```\n", block + 1)).lines().skip(1).toList();
    assertThat(commands)
        .hasSize(2)
        .anyMatch(c -> c.startsWith("scripts/demo"))
        .anyMatch(c -> c.startsWith("scripts/test"));
  }

  @Test
  void aPlaceThatIsNotThereIsFound(@TempDir Path dir) throws IOException {
    Files.createDirectories(dir.resolve("docs"));
    Files.writeString(dir.resolve("docs/there.md"), "# There\n\n## A `part` of it\n");
    Path page =
        Files.writeString(
            dir.resolve("README.md"),
            """
            # Page
            See [there](docs/there.md), [a part](docs/there.md#a-part-of-it), [this](#page),
            [gone](docs/gone.md), [no part](docs/there.md#none) and [the web](https://example.org/).

            | Where is ...? | Path |
            |---|---|
            | what `is` there | `docs/there.md` |
            | what is not | `docs/not.md` and `docs` |

            `not/a/place` outside of the map is text.

            ```sh
            [code](is/not/a/link.md)
            ```
            """);
    assertThat(PageLinks.missing(page))
        .containsExactly("docs/gone.md", "docs/there.md#none", "docs/not.md");
  }
}
