package io.millrace.local;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChaosTallyTest {
  @TempDir private Path folder;
  private LakeReader lake;
  private Path list;

  @BeforeEach
  void fill() throws IOException {
    list =
        Files.write(
            folder.resolve("sent.csv"),
            List.of(
                "session,0,0,ACCEPTED,ann,e1",
                "session,0,1,ACCEPTED,bob,e2",
                "session,0,2,DUPLICATE,,",
                "install,0,0,REJECTED,,"));
    lake = LakeReader.ofFolder(folder.resolve("empty"));
    insertEvents("('ann', 'e1', '2026-03-01 10:00:00Z'), ('bob', 'e2', '2026-03-01 10:00:00Z')");
    lake.define(
        "INSERT INTO dead_letters (topic, kafka_partition, kafka_offset) VALUES ('install', 0, 0)");
  }

  @AfterEach
  void close() {
    lake.close();
  }

  private void insertEvents(String rows) {
    lake.define("INSERT INTO app_events (user_id, event_id, timestamp) VALUES " + rows);
  }

  @Test
  void whatWasSentIsThereOnce() {
    assertThat(ChaosTally.of(lake, list)).isEqualTo(new ChaosTally(0, 0, 0, 1));
  }

  @Test
  void anEventThatIsNotThereIsLostThoughTheCountIsRight() {
    lake.define("UPDATE app_events SET event_id = 'e1', user_id = 'ann' WHERE user_id = 'bob'");
    assertThat(ChaosTally.of(lake, list)).isEqualTo(new ChaosTally(1, 1, 0, 1));
  }

  @Test
  void aRejectedRecordThatIsNotThereIsLost() {
    lake.define("DELETE FROM dead_letters");
    assertThat(ChaosTally.of(lake, list)).isEqualTo(new ChaosTally(1, 0, 0, 0));
  }

  @Test
  void aDeadLetterThatIsThereTwiceIsDoubled() {
    lake.define("INSERT INTO dead_letters SELECT * FROM dead_letters");
    assertThat(ChaosTally.of(lake, list)).isEqualTo(new ChaosTally(0, 1, 0, 2));
  }

  @Test
  void whatNobodySentIsUnknown() {
    insertEvents("('eve', 'e9', '2026-03-01 10:00:00Z')");
    assertThat(ChaosTally.of(lake, list)).isEqualTo(new ChaosTally(0, 0, 1, 1));
  }
}
