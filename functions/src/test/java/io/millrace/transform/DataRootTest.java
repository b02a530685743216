package io.millrace.transform;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DataRootTest {
  @TempDir Path temp;

  @Test
  void resolvesFilesThatAreThereOrNotYet() throws Exception {
    Path root = Files.createDirectory(temp.resolve("data"));
    Files.writeString(root.resolve("a.csv"), "x");
    DataRoot data = DataRoot.at(root);

    assertThat(data.resolve("a.csv")).isEqualTo(data.root().resolve("a.csv"));
    assertThat(data.resolve("p/processed/x.csv"))
        .isEqualTo(data.root().resolve("p/processed/x.csv"));
    assertThat(data.resolve("p/../a.csv")).isEqualTo(data.root().resolve("a.csv"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"../secret.csv", "/etc/passwd", "p/../../secret.csv", "link/secret.csv"})
  void nothingOutsideIsReached(String path) throws Exception {
    Path root = Files.createDirectory(temp.resolve("data"));
    Files.writeString(temp.resolve("secret.csv"), "x");
    Files.createSymbolicLink(root.resolve("link"), temp);

    assertThatThrownBy(() -> DataRoot.at(root).resolve(path))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("'" + path + "' lies outside the data root");
  }
}
