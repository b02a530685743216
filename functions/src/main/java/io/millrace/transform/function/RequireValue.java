package io.millrace.transform.function;

import java.util.Optional;
import javax.annotation.Nullable;
import org.apache.flink.table.catalog.DataTypeFactory;
import org.apache.flink.table.functions.ScalarFunction;
import org.apache.flink.table.types.inference.InputTypeStrategies;
import org.apache.flink.table.types.inference.TypeInference;

/** Gives a value as it is, and ends the job with a message when it is null. */
public final class RequireValue extends ScalarFunction {
  private static final long serialVersionUID = 1L;

  private final String message;

  public RequireValue(String message) {
    this.message = message;
  }

  @Nullable
  public Object eval(@Nullable Object value) {
    if (value == null) {
      throw new IllegalArgumentException(message);
    }
    return value;
  }

  @Override
  public TypeInference getTypeInference(DataTypeFactory types) {
    return TypeInference.newBuilder()
        .inputTypeStrategy(InputTypeStrategies.sequence(InputTypeStrategies.ANY))
        .outputTypeStrategy(call -> Optional.of(call.getArgumentDataTypes().get(0)))
        .build();
  }
}
