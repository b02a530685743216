package io.millrace.local;

import org.apache.flink.configuration.Configuration;
import org.apache.flink.core.fs.FileSystem;
import org.apache.flink.core.plugin.DefaultPluginManager;
import org.apache.flink.core.plugin.DirectoryBasedPluginFinder;
import org.apache.flink.core.plugin.PluginConfig;
import org.apache.flink.core.plugin.PluginManager;

/** Flink's file systems in this JVM, S3 among them by the plugin of a real cluster. */
final class FileSystems {
  private FileSystems() {}

  /** Sets them up anew; the settings of the last call hold for the whole JVM. */
  static PluginManager initialize(Configuration configuration) throws Exception {
    PluginManager plugins =
        new DefaultPluginManager(
            new DirectoryBasedPluginFinder(BuildFiles.plugins()).findPlugins(),
            PluginConfig.fromConfiguration(configuration).getAlwaysParentFirstPatterns());
    FileSystem.initialize(configuration, plugins);
    return plugins;
  }
}
