package io.millrace.local;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** An S3 server that talks TLS only; a bucket is a folder, an object a file. */
final class SecureS3 extends ServerProcess {
  static final String BUCKET = "secure";
  static final String ACCESS_KEY = "millrace";
  static final String SECRET_KEY = "millrace-local";

  private final Path keyStore;
  private final String password;
  private int port;

  private SecureS3(Path folder, Path keyStore, String password) {
    super("s3", folder);
    this.keyStore = keyStore;
    this.password = password;
  }

  /**
   * Starts a server in a folder that it owns.
   *
   * @param keyStore has the key and the certificate of {@code localhost}, in PKCS #12
   */
  static SecureS3 start(Path folder, Path keyStore, String password) {
    SecureS3 server = new SecureS3(folder, keyStore, password);
    server.start();
    return server;
  }

  @Override
  public String address() {
    return "https://127.0.0.1:" + port;
  }

  /** HOST:PORT by the name that its certificate has. */
  String endpoint() {
    return "localhost:" + port;
  }

  /** The folder of its bucket. */
  Path bucket() {
    return folder().resolve("buckets").resolve(BUCKET);
  }

  @Override
  List<Integer> choosePorts() {
    port = claimPort();
    return List.of(port);
  }

  @Override
  void prepare() throws IOException {
    Files.createDirectories(bucket());
    Files.writeString(
        Files.createDirectories(folder().resolve("conf")).resolve("s3proxy.conf"),
        """
        s3proxy.authorization=aws-v2-or-v4
        s3proxy.identity=%s
        s3proxy.credential=%s
        s3proxy.secure-endpoint=%s
        s3proxy.keystore-path=%s
        s3proxy.keystore-password=%s
        jclouds.provider=filesystem-nio2
        jclouds.filesystem.basedir=%s
        """
            .formatted(
                ACCESS_KEY, SECRET_KEY, address(), keyStore, password, bucket().getParent()));
  }

  @Override
  List<String> command() {
    return S3Server.proxy(folder());
  }

  @Override
  boolean answers() throws IOException {
    try (Socket knock = new Socket(InetAddress.getLoopbackAddress(), port)) {
      return knock.isConnected();
    }
  }
}
