package io.millrace.local;

import io.millrace.transform.Catalog;
import io.millrace.transform.Declaration;
import io.millrace.transform.Declaration.Inputs;
import io.millrace.transform.Declaration.Kind;
import io.millrace.transform.Outcome;
import io.millrace.transform.Parameter;
import io.millrace.transform.QualityGateException;
import io.millrace.transform.Rows;
import io.millrace.transform.Step;
import io.millrace.transform.Transform;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.flink.api.common.functions.MapFunction;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.apache.flink.table.api.Expressions;
import org.apache.flink.types.Row;

/** Entries of the tests' own, so that what is shown is the command. */
final class NumbersCatalog {
  private NumbersCatalog() {}

  static Catalog catalog() {
    return new Catalog(List.of(new Count(), new Above(), new Gate(), new Fail(), new Write()));
  }

  /** The numbers from 1 to n. */
  private static final class Count implements Transform {
    @Override
    public Declaration declaration() {
      return new Declaration(
          "count",
          Kind.EXTRACT,
          Inputs.NONE,
          "Counts from 1.",
          List.of(Parameter.integer("n").require().atLeast(1).doc("The last number.")),
          List.of());
    }

    @Override
    public Rows lower(Step step, List<Rows> inputs) {
      DataStream<Row> rows =
          step.site()
              .environment()
              .fromSequence(1, step.arguments().integer("n"))
              .uid(step.id() + "-read")
              .map((MapFunction<Long, Row>) i -> Row.of(i, i))
              .uid(step.id() + "-rows")
              .returns(
                  Types.ROW_NAMED(
                      new String[] {"number", Rows.orderColumn(0)}, Types.LONG, Types.LONG));
      return new Rows(step.tables().fromDataStream(rows), List.of(Rows.orderColumn(0)));
    }
  }

  /** Keeps larger numbers. */
  private static final class Above implements Transform {
    @Override
    public Declaration declaration() {
      return new Declaration(
          "above",
          Kind.TRANSFORM,
          Inputs.ONE,
          "Keeps larger numbers.",
          List.of(Parameter.column("column").require(), Parameter.integer("least").defaultTo(0)),
          List.of());
    }

    @Override
    public Rows lower(Step step, List<Rows> inputs) {
      Rows in = inputs.get(0);
      String column = step.arguments().text("column");
      long least = step.arguments().integer("least");
      return in.with(in.table().filter(Expressions.$(column).isGreater(least)));
    }

    @Override
    public Map<String, Object> figures(Outcome outcome) {
      return Map.of("removed", outcome.in().get(0).rows() - outcome.out().rows());
    }
  }

  /** Lets nothing pass. */
  private static final class Gate implements Transform {
    @Override
    public Declaration declaration() {
      return new Declaration(
          "gate", Kind.TRANSFORM, Inputs.ONE, "Lets nothing pass.", List.of(), List.of());
    }

    @Override
    public Rows lower(Step step, List<Rows> inputs) {
      DataStream<Row> in = step.tables().toDataStream(inputs.get(0).table()).rebalance();
      DataStream<Row> rows =
          in.map((MapFunction<Row, Row>) Gate::refuse)
              .uid(step.id() + "-refuse")
              .returns(in.getType());
      return inputs.get(0).with(step.tables().fromDataStream(rows));
    }

    private static Row refuse(Row row) {
      if (row.getArity() > 0) {
        throw new QualityGateException("gate", "min_rows");
      }
      return row;
    }
  }

  /** Fails at its first row. */
  private static final class Fail implements Transform {
    @Override
    public Declaration declaration() {
      return new Declaration("fail", Kind.TRANSFORM, Inputs.ONE, "Fails.", List.of(), List.of());
    }

    @Override
    public Rows lower(Step step, List<Rows> inputs) {
      DataStream<Row> in = step.tables().toDataStream(inputs.get(0).table());
      DataStream<Row> rows =
          in.map((MapFunction<Row, Row>) Fail::fail).uid(step.id() + "-fail").returns(in.getType());
      return inputs.get(0).with(step.tables().fromDataStream(rows));
    }

    private static Row fail(Row row) {
      if (row.getArity() > 0) {
        throw new IllegalStateException("row 1 is broken");
      }
      return row;
    }
  }

  /** Writes that it was there. */
  private static final class Write implements Transform {
    @Override
    public Declaration declaration() {
      return new Declaration("write", Kind.LOAD, Inputs.ONE, "Writes.", List.of(), List.of());
    }

    @Override
    public Rows lower(Step step, List<Rows> inputs) {
      Path target = step.defaultOutput("txt");
      step.fact("output_file", target.toString());
      if (!step.site().offline()) {
        try {
          Files.createDirectories(target.getParent());
          Files.writeString(step.temporary(target), "written");
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
        step.publish(step.temporary(target), target);
      }
      step.tables()
          .toDataStream(inputs.get(0).table())
          .sinkTo(new DiscardingSink<>())
          .uid(step.id() + "-write");
      return null;
    }

    @Override
    public Map<String, Object> figures(Outcome outcome) {
      return outcome.facts();
    }
  }
}
