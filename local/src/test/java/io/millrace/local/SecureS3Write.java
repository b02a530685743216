package io.millrace.local;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.core.fs.FSDataInputStream;
import org.apache.flink.core.fs.FileSystem;
import org.apache.flink.core.fs.Path;
import org.apache.flink.core.fs.RecoverableFsDataOutputStream;

/** Commits an object to an S3 server and reads it; a program, since a JVM trusts once for all. */
final class SecureS3Write {
  private SecureS3Write() {}

  public static void main(String[] args) {
    try {
      write(args[0]);
      System.exit(0);
    } catch (Exception e) {
      e.printStackTrace(System.out);
      // Threads of the client would live on for a minute.
      System.exit(1);
    }
  }

  private static void write(String endpoint) throws Exception {
    Configuration configuration =
        Configuration.fromMap(
            Map.of(
                "s3.endpoint", endpoint,
                "s3.endpoint.region", "us-east-1",
                "s3.path.style.access", "true",
                "s3.access-key", SecureS3.ACCESS_KEY,
                "s3.secret-key", SecureS3.SECRET_KEY,
                "fs.s3a.attempts.maximum", "1",
                "fs.s3a.retry.limit", "1"));
    FileSystems.initialize(configuration);
    Path object = new Path("s3://" + SecureS3.BUCKET + "/a/b");
    FileSystem s3 = object.getFileSystem();
    RecoverableFsDataOutputStream out = s3.createRecoverableWriter().open(object);
    out.write("over TLS".getBytes(StandardCharsets.UTF_8));
    out.closeForCommit().commit();
    try (FSDataInputStream in = s3.open(object)) {
      System.out.println("read back: " + new String(in.readAllBytes(), StandardCharsets.UTF_8));
    }
  }
}
