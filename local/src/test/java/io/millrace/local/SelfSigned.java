package io.millrace.local;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A key of 127.0.0.1 with a certificate that nobody else has signed, made by the JDK's keytool.
 *
 * @param keyStore holds both, in PKCS #12
 * @param trustStore holds the certificate, in PKCS #12
 * @param password of both
 */
record SelfSigned(Path keyStore, Path trustStore, String password) {
  private static final String ALIAS = "server";

  /** Makes one in a folder; its subject is {@code CN=server}. */
  static SelfSigned in(Path folder, String password) throws IOException {
    Files.createDirectories(folder);
    SelfSigned made =
        new SelfSigned(folder.resolve("keys.p12"), folder.resolve("trust.p12"), password);
    String certificate = folder.resolve("server.crt").toString();
    made.keytool(
        made.keyStore(),
        "-genkeypair -keyalg EC -groupname secp256r1 -validity 2 -dname CN=server"
            + " -ext SAN=ip:127.0.0.1,dns:localhost -storetype PKCS12");
    made.keytool(made.keyStore(), "-exportcert -file " + certificate);
    made.keytool(made.trustStore(), "-importcert -noprompt -storetype PKCS12 -file " + certificate);
    return made;
  }

  /** The password goes by the environment: command lines are seen by everybody. */
  private void keytool(Path store, String arguments) throws IOException {
    List<String> line = new ArrayList<>();
    line.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
    line.addAll(List.of(arguments.split(" ", -1)));
    line.addAll(List.of("-alias", ALIAS, "-keystore", store.toString()));
    line.addAll(List.of("-storepass:env", "STORE_PASSWORD"));
    ProcessBuilder builder = new ProcessBuilder(line).redirectErrorStream(true);
    builder.environment().put("STORE_PASSWORD", password);
    Process keytool = builder.start();
    String said = new String(keytool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (keytool.onExit().join().exitValue() != 0) {
      throw new IOException("keytool " + arguments + " failed: " + said);
    }
  }
}
