package io.millrace.local;

import java.nio.charset.StandardCharsets;
import org.apache.flink.api.common.JobID;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.GlobalConfiguration;
import org.apache.flink.core.fs.FSDataInputStream;
import org.apache.flink.core.fs.FileSystem;
import org.apache.flink.core.fs.Path;
import org.apache.flink.core.fs.RecoverableFsDataOutputStream;
import org.apache.flink.core.plugin.PluginUtils;
import org.apache.flink.runtime.state.CheckpointMetadataOutputStream;
import org.apache.flink.runtime.state.CheckpointStorageAccess;
import org.apache.flink.runtime.state.storage.FileSystemCheckpointStorage;

/**
 * Commits an object to S3 as the lake's sink does, reads it, and completes a checkpoint there, with
 * the configuration and plugins that Flink's programs find by their environment. A program, since a
 * JVM trusts once for all.
 */
final class S3OverTls {
  private S3OverTls() {}

  public static void main(String[] args) {
    try {
      Configuration configuration = GlobalConfiguration.loadConfiguration();
      FileSystem.initialize(
          configuration, PluginUtils.createPluginManagerFromRootFolder(configuration));
      Path bucket = new Path(args[0]);
      commit(new Path(bucket, "a/b"));
      checkpoint(new Path(bucket, "checkpoints"));
      System.exit(0);
    } catch (Exception e) {
      e.printStackTrace(System.out);
      // Threads of the client would live on for a minute.
      System.exit(1);
    }
  }

  private static void commit(Path object) throws Exception {
    FileSystem s3 = object.getFileSystem();
    RecoverableFsDataOutputStream out = s3.createRecoverableWriter().open(object);
    out.write("over TLS".getBytes(StandardCharsets.UTF_8));
    out.closeForCommit().commit();
    try (FSDataInputStream in = s3.open(object)) {
      System.out.println("read back: " + new String(in.readAllBytes(), StandardCharsets.UTF_8));
    }
  }

  private static void checkpoint(Path folder) throws Exception {
    CheckpointStorageAccess storage =
        new FileSystemCheckpointStorage(folder.toUri()).createCheckpointStorage(new JobID());
    ((org.apache.flink.runtime.state.CheckpointStorageCoordinatorView) storage)
        .initializeBaseLocationsForCheckpoint();
    try (CheckpointMetadataOutputStream out =
        storage.initializeLocationForCheckpoint(1).createMetadataOutputStream()) {
      out.write("over TLS".getBytes(StandardCharsets.UTF_8));
      System.out.println("checkpoint: " + out.closeAndFinalizeCheckpoint().getExternalPointer());
    }
  }
}
