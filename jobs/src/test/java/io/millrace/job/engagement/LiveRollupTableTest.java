package io.millrace.job.engagement;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.config.OptionDocs;
import io.millrace.rollup.RollupSpec;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class LiveRollupTableTest {

  @Test
  void theStatementsForPostgresAreCurrent() {
    LiveRollupTable table =
        new LiveRollupTable("", LiveRow.columns(RollupSpec.DEFAULT_DIMENSIONS, List.of()));
    OptionDocs.verify(
        Path.of("../sql/ddl/postgres.sql"),
        """
        -- What rollups.jdbc.url needs: the table of present values, and a view of it for each length of
        -- window. With other rollups.dimensions or rollups.counters its columns are these; put
        -- rollups.jdbc.table-prefix before the names. This file is generated from the code.

        """
            + table.ddl());
  }

  @Test
  void aPrefixStandsBeforeEveryName() {
    LiveRollupTable table =
        new LiveRollupTable("live_", LiveRow.columns(List.of("plan"), List.of("total_purchases")));
    assertThat(table.ddl())
        .contains(
            "CREATE TABLE IF NOT EXISTS \"live_rollups_live\" (",
            "CREATE INDEX IF NOT EXISTS \"live_rollups_live_by_window\" ON",
            "CREATE OR REPLACE VIEW \"live_hourly_aggregates_with_dimensions\" AS",
            "CREATE OR REPLACE VIEW \"live_daily_aggregates_with_dimensions\" AS",
            "  \"plan\" text NOT NULL,",
            "  \"total_purchases\" bigint,")
        .doesNotContain("active_users_hll");
    assertThat(table.upsert())
        .contains("DELETE FROM \"live_rollups_live\"", "INSERT INTO \"live_rollups_live\"");
  }
}
