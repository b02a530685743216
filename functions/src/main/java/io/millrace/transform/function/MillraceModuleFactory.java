package io.millrace.transform.function;

import java.util.Set;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.table.factories.ModuleFactory;
import org.apache.flink.table.module.Module;

/** Finds the module by its name, {@code millrace}. */
public final class MillraceModuleFactory implements ModuleFactory {
  public static final String IDENTIFIER = "millrace";

  @Override
  public String factoryIdentifier() {
    return IDENTIFIER;
  }

  @Override
  public Module createModule(Context context) {
    return new MillraceModule();
  }

  @Override
  public Set<ConfigOption<?>> requiredOptions() {
    return Set.of();
  }

  @Override
  public Set<ConfigOption<?>> optionalOptions() {
    return Set.of();
  }
}
