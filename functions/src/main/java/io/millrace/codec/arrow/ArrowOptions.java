package io.millrace.codec.arrow;

import java.util.Set;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.table.api.ValidationException;

/** Options of the table format; in a table they begin with {@code arrow.}. */
final class ArrowOptions {
  static final String IDENTIFIER = "arrow";

  static final ConfigOption<ArrowRowDeserializer.OnError> ON_ERROR =
      ConfigOptions.key("on-error")
          .enumType(ArrowRowDeserializer.OnError.class)
          .defaultValue(ArrowRowDeserializer.OnError.FAIL)
          .withDescription("Whether a record that cannot be read fails the job or is left out.");

  static final ConfigOption<ArrowCompression> COMPRESSION =
      ConfigOptions.key("compression")
          .enumType(ArrowCompression.class)
          .defaultValue(ArrowCompression.NONE)
          .withDescription("How the buffers of batches that are written are compressed.");

  static final ConfigOption<Integer> BATCH_SIZE =
      ConfigOptions.key("batch-size")
          .intType()
          .defaultValue(8192)
          .withDescription("Most rows of a batch that is written to a file.");

  static final ConfigOption<MemorySize> BATCH_BYTES =
      ConfigOptions.key("batch-bytes")
          .memoryType()
          .defaultValue(MemorySize.ofMebiBytes(16))
          .withDescription("Bytes before compression that complete a batch of a file.");

  static final ConfigOption<MemorySize> MAX_MESSAGE_SIZE =
      ConfigOptions.key("max-message-size")
          .memoryType()
          .noDefaultValue()
          .withDescription("Most bytes of a record, or of one message of a file.");

  static final ConfigOption<MemorySize> MAX_DECOMPRESSED_SIZE =
      ConfigOptions.key("max-decompressed-size")
          .memoryType()
          .noDefaultValue()
          .withDescription("Most bytes that its compressed buffers come to.");

  static final ConfigOption<Integer> MAX_DEPTH =
      ConfigOptions.key("max-depth")
          .intType()
          .noDefaultValue()
          .withDescription("Deepest nesting of a column.");

  static final ConfigOption<Integer> MAX_FIELDS =
      ConfigOptions.key("max-fields")
          .intType()
          .noDefaultValue()
          .withDescription("Most fields of a schema, nested ones included.");

  static final ConfigOption<Integer> MAX_ROWS =
      ConfigOptions.key("max-rows")
          .intType()
          .noDefaultValue()
          .withDescription("Most rows of a record, or of one batch of a file.");

  /** All but what only files or only records have. */
  static final Set<ConfigOption<?>> SHARED =
      Set.of(COMPRESSION, MAX_MESSAGE_SIZE, MAX_DECOMPRESSED_SIZE, MAX_DEPTH, MAX_FIELDS, MAX_ROWS);

  private ArrowOptions() {}

  static ArrowLimits limits(ReadableConfig options, ArrowLimits defaults) {
    long message =
        options
            .getOptional(MAX_MESSAGE_SIZE)
            .map(MemorySize::getBytes)
            .orElse((long) defaults.maxBytes());
    if (message > Integer.MAX_VALUE - 8) {
      throw new ValidationException(
          "'arrow."
              + MAX_MESSAGE_SIZE.key()
              + "' is "
              + message
              + " bytes, but must be below 2 gb");
    }
    return new ArrowLimits(
        (int) atLeast(MAX_MESSAGE_SIZE, message),
        atLeast(
            MAX_DECOMPRESSED_SIZE,
            options
                .getOptional(MAX_DECOMPRESSED_SIZE)
                .map(MemorySize::getBytes)
                .orElse(defaults.maxDecompressedBytes())),
        (int) atLeast(MAX_DEPTH, options.getOptional(MAX_DEPTH).orElse(defaults.maxDepth())),
        (int) atLeast(MAX_FIELDS, options.getOptional(MAX_FIELDS).orElse(defaults.maxFields())),
        (int) atLeast(MAX_ROWS, options.getOptional(MAX_ROWS).orElse(defaults.maxRows())));
  }

  static long atLeast(ConfigOption<?> option, long value) {
    if (value < 1) {
      throw new ValidationException(
          "'arrow." + option.key() + "' is " + value + ", but must be at least 1");
    }
    return value;
  }
}
