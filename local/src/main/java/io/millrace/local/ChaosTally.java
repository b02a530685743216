package io.millrace.local;

import java.nio.file.Path;

/**
 * What is in the lake beside the list of what the broker took, record by record.
 *
 * @param lost events and rejected records of the list that the lake has not
 * @param doubled rows of events, and of dead letters, beyond the first of each
 * @param unknown rows that are of no record of the list
 * @param deadLetters rows of dead letters
 */
record ChaosTally(long lost, long doubled, long unknown, long deadLetters) {
  private static final String SAME_EVENT = "(user_id, event_id)";
  private static final String SAME_RECORD = "(topic, kafka_partition, kafka_offset)";

  static ChaosTally of(LakeReader lake, Path list) {
    lake.define(
        "CREATE TABLE sent AS SELECT * FROM read_csv('"
            + list.toString().replace("'", "''")
            + "', header = false, columns = {'topic': 'VARCHAR', 'kafka_partition': 'INTEGER',"
            + " 'kafka_offset': 'BIGINT', 'verdict': 'VARCHAR', 'user_id': 'VARCHAR', 'event_id':"
            + " 'VARCHAR'})");
    lake.define("CREATE VIEW accepted AS SELECT * FROM sent WHERE verdict = 'ACCEPTED'");
    lake.define("CREATE VIEW rejected AS SELECT * FROM sent WHERE verdict = 'REJECTED'");
    return new ChaosTally(
        missing(lake, "accepted", "app_events", SAME_EVENT)
            + missing(lake, "rejected", "dead_letters", SAME_RECORD),
        repeated(lake, "app_events", "user_id, event_id, timestamp")
            + repeated(lake, "dead_letters", "topic, kafka_partition, kafka_offset"),
        missing(lake, "app_events", "accepted", SAME_EVENT)
            + missing(lake, "dead_letters", "rejected", SAME_RECORD),
        lake.number("SELECT count(*) FROM dead_letters"));
  }

  private static long missing(LakeReader lake, String from, String in, String key) {
    return lake.number("SELECT count(*) FROM " + from + " ANTI JOIN " + in + " USING " + key);
  }

  private static long repeated(LakeReader lake, String table, String key) {
    return lake.number(
        "SELECT (SELECT count(*) FROM "
            + table
            + ") - (SELECT count(*) FROM (SELECT DISTINCT "
            + key
            + " FROM "
            + table
            + "))");
  }
}
