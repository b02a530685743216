package io.millrace.local;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** An S3 server that keeps each bucket as a folder and each object as a plain file. */
public final class S3Server extends ServerProcess {
  private static final String ACCESS_KEY = "millrace";
  private static final String SECRET_KEY = "millrace-local";

  private int port;

  private S3Server(Path folder) {
    super("s3", folder);
  }

  /** A server in a folder that it owns, not started. */
  static S3Server in(Path folder) {
    return new S3Server(folder);
  }

  /** Starts a server without buckets in a folder that it owns. */
  public static S3Server start(Path folder) {
    S3Server server = new S3Server(folder);
    server.start();
    return server;
  }

  public URI endpoint() {
    return URI.create("http://127.0.0.1:" + port);
  }

  @Override
  public String address() {
    return endpoint().toString();
  }

  public String accessKey() {
    return ACCESS_KEY;
  }

  public String secretKey() {
    return SECRET_KEY;
  }

  /** Creates a bucket, unless it exists, and returns its folder. */
  public Path createBucket(String bucket) {
    try {
      return Files.createDirectories(folder(bucket));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot create bucket " + bucket, e);
    }
  }

  /**
   * The folder of a bucket: the object `a/b` is the file `a/b` in it.
   *
   * <p>Uploads that are not complete lie there too, under names at the top that start with a dot.
   */
  public Path folder(String bucket) {
    return buckets().resolve(bucket);
  }

  private Path buckets() {
    return folder().resolve("buckets");
  }

  @Override
  List<Integer> choosePorts() {
    port = claimPort();
    return List.of(port);
  }

  @Override
  void prepare() throws IOException {
    Files.createDirectories(buckets());
    Path conf = Files.createDirectories(folder().resolve("conf"));
    Files.writeString(
        conf.resolve("s3proxy.conf"),
        """
        s3proxy.authorization=aws-v2-or-v4
        s3proxy.identity=%s
        s3proxy.credential=%s
        s3proxy.endpoint=%s
        jclouds.provider=filesystem-nio2
        jclouds.filesystem.basedir=%s
        """
            .formatted(ACCESS_KEY, SECRET_KEY, endpoint(), buckets()));
  }

  @Override
  List<String> command() {
    return proxy(folder());
  }

  /** What runs s3proxy with the configuration in a server's folder. */
  static List<String> proxy(Path folder) {
    return List.of(
        "-Xmx384m",
        "-XX:+UseSerialGC",
        "-DLOG_LEVEL=warn",
        Tether.class.getName(),
        "org.gaul.s3proxy.Main",
        "--properties",
        folder.resolve("conf").resolve("s3proxy.conf").toString());
  }

  @Override
  boolean answers() throws IOException {
    HttpURLConnection request = (HttpURLConnection) endpoint().toURL().openConnection();
    request.setConnectTimeout(2_000);
    request.setReadTimeout(5_000);
    try {
      // A list request without a signature.
      return request.getResponseCode() == HttpURLConnection.HTTP_FORBIDDEN;
    } finally {
      request.disconnect();
    }
  }
}
