package io.millrace.local;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * An authority that nobody knows, with a server's certificate of {@code localhost}: the files that
 * the commands of {@code docs/security.md} make.
 */
record PrivateAuthority(Path folder) {

  /**
   * Runs commands in a new folder.
   *
   * @param commands those of the page, for a server of another name
   */
  static PrivateAuthority in(Path folder, String commands) throws IOException {
    PrivateAuthority made = new PrivateAuthority(Files.createDirectories(folder));
    made.run(
        commands.replace("db.example", "localhost"),
        Map.of("JAVA_HOME", System.getProperty("java.home")));
    return made;
  }

  /** The authority's certificate. */
  Path certificate() {
    return folder.resolve("ca.pem");
  }

  /** What a JVM trusts that is told of it. */
  Path trustStore() {
    return folder.resolve("truststore");
  }

  Path serverCertificate() {
    return folder.resolve("server.crt");
  }

  Path serverKey() {
    return folder.resolve("server.key");
  }

  /** The server's key and certificate for a server that is a JVM, in PKCS #12. */
  Path keyStore(String password) throws IOException {
    Path store = folder.resolve("server.p12");
    run(
        "openssl pkcs12 -export -in server.crt -inkey server.key -passout env:STORE -out " + store,
        Map.of("STORE", password));
    return store;
  }

  private void run(String commands, Map<String, String> environment) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder("bash", "-euc", commands)
            .directory(folder.toFile())
            .redirectErrorStream(true);
    builder.environment().putAll(environment);
    Process shell = builder.start();
    String said = new String(shell.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (shell.onExit().join().exitValue() != 0) {
      throw new IOException("these commands failed in " + folder + ":\n" + commands + said);
    }
  }
}
