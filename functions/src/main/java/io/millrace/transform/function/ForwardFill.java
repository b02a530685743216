package io.millrace.transform.function;

import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.Optional;
import javax.annotation.Nullable;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.catalog.DataTypeFactory;
import org.apache.flink.table.functions.ProcessTableFunction;
import org.apache.flink.table.functions.TableSemantics;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.inference.CallContext;
import org.apache.flink.table.types.inference.StateTypeStrategy;
import org.apache.flink.table.types.inference.StaticArgument;
import org.apache.flink.table.types.inference.StaticArgumentTrait;
import org.apache.flink.table.types.inference.TypeInference;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.types.ColumnList;
import org.apache.flink.types.Row;

/**
 * {@code forward_fill(input => TABLE t PARTITION BY k, column => DESCRIPTOR(x))}: the rows with one
 * more column, {@code filled}: x, or where it is null, the last x of the key before it that was
 * not; null where there is none. Rows of a key count in the order in which they come. Streaming
 * only; its state is one value per key.
 */
public final class ForwardFill extends ProcessTableFunction<Row> {
  private static final long serialVersionUID = 1L;

  private static final String LAST = "last";

  public void eval(Row memory, Row input, ColumnList column) {
    Object value = input.getField(column.getNames().get(0));
    if (value == null) {
      value = memory.getField(0);
    } else {
      memory.setField(0, value);
    }
    collect(Row.of(value));
  }

  @Override
  public TypeInference getTypeInference(DataTypeFactory types) {
    LinkedHashMap<String, StateTypeStrategy> state = new LinkedHashMap<>();
    state.put(
        "memory",
        StateTypeStrategy.of(
            call -> value(call).map(type -> DataTypes.ROW(DataTypes.FIELD(LAST, type)))));
    return TypeInference.newBuilder()
        .staticArguments(
            StaticArgument.table(
                "input",
                Row.class,
                false,
                EnumSet.of(
                    StaticArgumentTrait.SET_SEMANTIC_TABLE,
                    StaticArgumentTrait.PASS_COLUMNS_THROUGH)),
            StaticArgument.scalar("column", DataTypes.DESCRIPTOR(), false))
        .stateTypeStrategies(state)
        .outputTypeStrategy(
            call -> value(call).map(type -> DataTypes.ROW(DataTypes.FIELD("filled", type))))
        .build();
  }

  /** The type of the column that is filled. */
  private static Optional<DataType> value(CallContext call) {
    TableSemantics input = call.getTableSemantics(0).orElseThrow();
    ColumnList columns = call.getArgumentValue(1, ColumnList.class).orElse(null);
    if (columns == null || columns.getNames().size() != 1) {
      throw call.newValidationError("forward_fill takes one column, as DESCRIPTOR(x)");
    }
    return Optional.of(typeOf(call, input.dataType(), columns.getNames().get(0)).nullable());
  }

  private static DataType typeOf(CallContext call, DataType row, @Nullable String column) {
    int position = ((RowType) row.getLogicalType()).getFieldNames().indexOf(column);
    if (position < 0) {
      throw call.newValidationError("forward_fill names '%s', which the table has not", column);
    }
    return row.getChildren().get(position);
  }
}
