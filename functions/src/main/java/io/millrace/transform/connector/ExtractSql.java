package io.millrace.transform.connector;

import io.millrace.config.ConfigException;
import io.millrace.config.Secret;
import io.millrace.transform.Arguments;
import io.millrace.transform.Declaration;
import io.millrace.transform.Declaration.Inputs;
import io.millrace.transform.Declaration.Kind;
import io.millrace.transform.Outcome;
import io.millrace.transform.Parameter;
import io.millrace.transform.Rows;
import io.millrace.transform.Step;
import io.millrace.transform.Transform;
import io.millrace.transform.sql.Partitions;
import io.millrace.transform.sql.ReadOnlyQuery;
import io.millrace.transform.sql.SqlAddress;
import io.millrace.transform.sql.SqlQuery;
import io.millrace.transform.sql.SqlSource;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import javax.annotation.Nullable;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.table.types.logical.RowType;

/** Reads what a query of a PostgreSQL database gives. */
public final class ExtractSql implements Transform {
  private static final int MAX_PARTITIONS = 256;
  private static final int MAX_FETCH = 1_000_000;
  private static final int PREVIEW = 200;

  private static final Declaration DECLARATION =
      new Declaration(
          "extract_sql",
          Kind.EXTRACT,
          Inputs.NONE,
          "Reads what a query of a PostgreSQL database gives.",
          List.of(
              Parameter.text("db_url")
                  .require()
                  .doc(
                      "postgresql://HOST:PORT/NAME, with parameters such as ?sslmode=verify-full;"
                          + " or a reference to it, env:NAME or file:/path, which may hold the user"
                          + " and the password too."),
              Parameter.text("user").doc("A name, or a reference to it."),
              Parameter.text("password").asSecret().doc("Unless db_url holds it."),
              Parameter.text("query")
                  .require()
                  .doc("One SELECT that only reads. Without partition_column its order is kept."),
              Parameter.text("partition_column")
                  .doc(
                      "A column of the answer, an integer, date or timestamp, by whose values the"
                          + " query is split into several that run side by side."),
              Parameter.scalar("lower_bound")
                  .doc(
                      "With partition_column: where the first part ends to begin; nothing below it"
                          + " is left out. The least value unless given."),
              Parameter.scalar("upper_bound").doc("The same; the greatest value unless given."),
              Parameter.integer("partitions")
                  .defaultTo(4)
                  .between(1, MAX_PARTITIONS)
                  .doc("With partition_column: how many parts."),
              Parameter.integer("fetch_size")
                  .defaultTo(1000)
                  .between(1, MAX_FETCH)
                  .doc("Rows that a reader holds at a time."),
              Parameter.duration("timeout")
                  .defaultTo("10 min")
                  .doc("Until the database has to have answered with the next rows.")),
          List.of(
              """
              pipeline:
                name: customers
                steps:
                  - id: read
                    service: extract_sql
                    params:
                      db_url: postgresql://localhost:5432/shop
                      user: env:SHOP_USER
                      password: env:SHOP_PASSWORD
                      query: SELECT id, name, country FROM customers ORDER BY id
                  - id: save
                    service: load_data
                    params: {format: parquet}
                    depends_on: [read]
              """));

  @Override
  public Declaration declaration() {
    return DECLARATION;
  }

  @Override
  @Nullable
  public Rows lower(Step step, List<Rows> inputs) {
    SqlQuery query = query(step);
    if (query == null || !boundsAreOfAColumn(step) || step.site().offline()) {
      return null;
    }
    List<String> queries;
    RowType rowType;
    try {
      SqlQuery.Columns columns = query.columns();
      rowType = SourceRows.rowType(step, columns.names(), columns.types());
      if (rowType == null) {
        return null;
      }
      queries = queries(step, query, columns);
      step.fact("db_url_redacted", query.address().shown());
    } catch (ConfigException e) {
      step.error("db_url", String.join("; ", e.problems()));
      return null;
    } catch (IOException e) {
      step.error("db_url", e.getMessage());
      return null;
    } catch (IllegalArgumentException e) {
      step.error(
          e.getMessage().startsWith("db_url") ? "db_url" : "partition_column", e.getMessage());
      return null;
    }
    step.fact("query_preview", query.sql().substring(0, Math.min(query.sql().length(), PREVIEW)));
    String uid = step.id() + ":read";
    return SourceRows.rows(
        step,
        step.site()
            .environment()
            .fromSource(
                new SqlSource(query, queries, rowType, step.bounded()),
                WatermarkStrategy.noWatermarks(),
                uid)
            .uid(uid));
  }

  @Nullable
  private static SqlQuery query(Step step) {
    Arguments arguments = step.arguments();
    SqlAddress address = null;
    ReadOnlyQuery sql = null;
    try {
      Secret password = arguments.has("password") ? arguments.secret("password") : null;
      address =
          new SqlAddress(
              arguments.text("db_url"), arguments.optionalText("user").orElse(null), password);
    } catch (IllegalArgumentException e) {
      step.error("db_url", e.getMessage());
    }
    try {
      sql = ReadOnlyQuery.of(arguments.text("query"));
    } catch (IllegalArgumentException e) {
      step.error("query", e.getMessage());
    }
    if (sql != null && !step.bounded() && !findsItsPlaceAgain(step, sql)) {
      return null;
    }
    return address == null || sql == null
        ? null
        : new SqlQuery(
            address,
            sql.sql(),
            arguments.duration("timeout"),
            (int) arguments.integer("fetch_size"));
  }

  /**
   * After a failure an endless pipeline asks again and skips what it had: the order must be one.
   */
  private static boolean findsItsPlaceAgain(Step step, ReadOnlyQuery sql) {
    if (step.arguments().has("partition_column")) {
      step.error(
          "partition_column",
          "partition_column gives rows in no order, but beside endless input a query needs one");
      return false;
    }
    if (!sql.isOrdered()) {
      step.error(
          "query",
          "query has no ORDER BY, but beside endless input it needs one over unique columns");
      return false;
    }
    return true;
  }

  private static boolean boundsAreOfAColumn(Step step) {
    for (String bound : List.of("lower_bound", "upper_bound")) {
      if (step.arguments().has(bound) && !step.arguments().has("partition_column")) {
        step.error(bound, bound + " is given, but no partition_column that it is of");
        return false;
      }
    }
    return true;
  }

  private static List<String> queries(Step step, SqlQuery query, SqlQuery.Columns columns)
      throws IOException {
    Arguments arguments = step.arguments();
    if (!arguments.has("partition_column")) {
      return List.of(query.sql());
    }
    String column = arguments.text("partition_column");
    int i = columns.names().indexOf(column);
    if (i < 0) {
      throw new IllegalArgumentException(
          "partition_column is '"
              + column
              + "', but the query gives only "
              + String.join(", ", columns.names()));
    }
    Partitions partitions = new Partitions(column, columns.types().get(i));
    Long lower = bound(arguments, partitions, "lower_bound");
    Long upper = bound(arguments, partitions, "upper_bound");
    if (lower == null || upper == null) {
      long[] found = partitions.ask(query);
      if (found == null) {
        return List.of(query.sql());
      }
      lower = lower == null ? found[0] : lower;
      upper = upper == null ? found[1] : upper;
      if (lower > upper) {
        // A bound that was given lies beyond all values.
        return List.of(query.sql());
      }
    }
    if (lower > upper) {
      throw new IllegalArgumentException("lower_bound is above upper_bound");
    }
    return partitions.split(query.sql(), lower, upper, (int) arguments.integer("partitions"));
  }

  @Nullable
  private static Long bound(Arguments arguments, Partitions partitions, String parameter) {
    return arguments.has(parameter) ? partitions.bound(parameter, arguments.text(parameter)) : null;
  }

  @Override
  public Map<String, Object> figures(Outcome outcome) {
    return outcome.facts();
  }
}
