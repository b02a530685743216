package io.millrace.job.engagement;

import io.millrace.config.PassThrough;
import io.millrace.config.Secret;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import javax.annotation.Nullable;
import org.apache.kafka.common.config.ConfigData;
import org.apache.kafka.common.config.provider.ConfigProvider;

/**
 * Has Kafka's clients read {@code ${env:NAME}} and {@code ${file:/path}} themselves, each in the
 * JVM and at the moment in which it is made. A job graph, a checkpoint and whatever prints a
 * client's properties hold the references only.
 */
public final class KafkaSecrets {
  private KafkaSecrets() {}

  /** Properties for a client, with references unread, and who reads them. */
  public static Properties properties(PassThrough given) {
    Properties properties = new Properties();
    given.forKafka().forEach(properties::setProperty);
    return properties;
  }

  /** Reads variables of the environment. */
  public static final class Variables extends Reader {
    /** As Kafka makes it. */
    public Variables() {
      super("env:");
    }
  }

  /** Reads whole files. */
  public static final class Files extends Reader {
    /** As Kafka makes it. */
    public Files() {
      super("file:");
    }
  }

  private abstract static class Reader implements ConfigProvider {
    private final String scheme;

    private Reader(String scheme) {
      this.scheme = scheme;
    }

    @Override
    public ConfigData get(String path) {
      return new ConfigData(Map.of());
    }

    /** Kafka takes what stands before a last colon for a path. */
    @Override
    public ConfigData get(@Nullable String path, Set<String> keys) {
      String before = path == null || path.isEmpty() ? scheme : scheme + path + ":";
      Map<String, String> values = new HashMap<>();
      keys.forEach(key -> values.put(key, Secret.of(before + key).resolve()));
      return new ConfigData(values);
    }

    @Override
    public void configure(Map<String, ?> configs) {
      // There is nothing to tell it.
    }

    @Override
    public void close() {
      // It holds nothing.
    }
  }
}
