package io.millrace.local;

import io.trino.hive.thrift.metastore.ThriftHiveMetastore;
import java.io.IOException;
import java.net.URI;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.thrift.TConfiguration;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.transport.TSocket;

/** A Hive Metastore on embedded Derby, which reaches table locations on the stack's S3. */
public final class Metastore extends ServerProcess {
  private static final String SITE_FILE = "metastore-site.xml";

  private final Supplier<URI> s3Endpoint;
  private final String accessKey;
  private final String secretKey;
  private int port;

  private Metastore(Path folder, Supplier<URI> s3Endpoint, String accessKey, String secretKey) {
    super("metastore", folder);
    this.s3Endpoint = s3Endpoint;
    this.accessKey = accessKey;
    this.secretKey = secretKey;
  }

  /** Starts a metastore with an empty catalog in a folder that it owns. */
  public static Metastore start(Path folder, URI s3Endpoint, String accessKey, String secretKey) {
    Metastore metastore = in(folder, () -> s3Endpoint, accessKey, secretKey);
    metastore.start();
    return metastore;
  }

  /**
   * A metastore in a folder that it owns, not started.
   *
   * @param s3Endpoint is asked when it starts
   */
  static Metastore in(Path folder, Supplier<URI> s3Endpoint, String accessKey, String secretKey) {
    return new Metastore(folder, s3Endpoint, accessKey, secretKey);
  }

  private static Map<String, String> s3(URI endpoint, String accessKey, String secretKey) {
    return Map.of(
        "fs.s3.impl", "org.apache.hadoop.fs.s3a.S3AFileSystem",
        "fs.s3a.endpoint", endpoint.toString(),
        "fs.s3a.endpoint.region", "us-east-1",
        "fs.s3a.access.key", accessKey,
        "fs.s3a.secret.key", secretKey,
        "fs.s3a.path.style.access", "true",
        "fs.s3a.connection.ssl.enabled", "false",
        "fs.s3a.change.detection.mode", "none");
  }

  /** The value of `hive.metastore.uris`. */
  public URI uri() {
    return URI.create("thrift://127.0.0.1:" + port);
  }

  @Override
  public String address() {
    return uri().toString();
  }

  @Override
  List<Integer> choosePorts() {
    port = claimPort();
    return List.of(port);
  }

  @Override
  void prepare() throws IOException {
    Path derby = folder().resolve("derby");
    BuildFiles.copyTree(emptyCatalog(), derby);
    Path conf = Files.createDirectories(folder().resolve("conf"));
    for (Map.Entry<String, Map<String, String>> file :
        settings(folder(), s3Endpoint.get(), port, accessKey, secretKey).entrySet()) {
      Files.writeString(conf.resolve(file.getKey()), xml(file.getValue()));
    }
  }

  /** The settings of each file of its configuration. */
  static Map<String, Map<String, String>> settings(
      Path folder, URI s3Endpoint, int port, String accessKey, String secretKey) {
    Map<String, String> s3 = s3(s3Endpoint, accessKey, secretKey);
    Map<String, String> site = new TreeMap<>(s3);
    site.putAll(derbyAt(folder.resolve("derby")));
    site.put("metastore.thrift.uris", "thrift://127.0.0.1:" + port);
    site.put("metastore.thrift.port", Integer.toString(port));
    site.put("metastore.warehouse.dir", folder.resolve("warehouse").toUri().toString());
    site.put("metastore.server.min.threads", "4");
    site.put("metastore.stats.autogather", "false");
    site.put(
        "metastore.task.threads.always",
        "org.apache.hadoop.hive.metastore.events.EventCleanerTask");
    site.put(
        "metastore.expression.proxy",
        "org.apache.hadoop.hive.metastore.DefaultPartitionExpressionProxy");
    return Map.of(SITE_FILE, site, "core-site.xml", new TreeMap<>(s3));
  }

  @Override
  List<String> command() {
    return List.of(
        "-Xmx384m",
        "-XX:+UseSerialGC",
        // Starting is most of its work.
        "-XX:TieredStopAtLevel=1",
        "-Dderby.stream.error.file=" + folder().resolve("derby.log"),
        Tether.class.getName(),
        "org.apache.hadoop.hive.metastore.HiveMetaStore",
        "-p",
        Integer.toString(port));
  }

  @Override
  boolean answers() throws Exception {
    try (TSocket socket = new TSocket(new TConfiguration(), "127.0.0.1", port, 10_000)) {
      socket.open();
      return new ThriftHiveMetastore.Client(new TBinaryProtocol(socket))
          .getAllDatabases()
          .contains("default");
    }
  }

  /** A Derby database that holds the schema and no table, made by the first start of a build. */
  private Path emptyCatalog() throws IOException {
    Path build = BuildFiles.server(name());
    Path template = build.resolve("empty-catalog");
    if (Files.isDirectory(template)) {
      return template;
    }
    Path home;
    try (Stream<Path> releases = Files.list(build.resolve("release"))) {
      home = releases.findFirst().orElseThrow();
    }
    Path draft = Files.createTempDirectory(build, "empty-catalog-");
    Path derby = draft.resolve("derby");
    Path conf = Files.createDirectories(folder().resolve("conf"));
    Files.writeString(conf.resolve(SITE_FILE), xml(derbyAt(derby)));
    Process tool =
        spawn(
            List.of(
                "-XX:+UseSerialGC",
                "-Dderby.stream.error.file=" + folder().resolve("derby.log"),
                Tether.class.getName(),
                "org.apache.hadoop.hive.metastore.tools.MetastoreSchemaTool",
                "-initSchema",
                "-dbType",
                "derby"),
            Map.of("METASTORE_HOME", home.toString()));
    int exit = tool.onExit().join().exitValue();
    if (exit != 0) {
      throw new IllegalStateException(
          "the metastore's schema tool ended with exit code "
              + exit
              + "; its log ends:\n"
              + logTail());
    }
    try {
      // Another process of this build may have been faster: its template is as good.
      Files.move(derby, template, StandardCopyOption.ATOMIC_MOVE);
    } catch (FileAlreadyExistsException | DirectoryNotEmptyException e) {
      // Nothing to do.
    } finally {
      BuildFiles.deleteTree(draft);
    }
    return template;
  }

  private static Map<String, String> derbyAt(Path database) {
    return Map.of(
        "javax.jdo.option.ConnectionURL",
        "jdbc:derby:;databaseName=" + database + ";create=true",
        "javax.jdo.option.ConnectionDriverName",
        "org.apache.derby.jdbc.EmbeddedDriver",
        "metastore.schema.verification",
        "true",
        "datanucleus.schema.autoCreateAll",
        "false");
  }

  private static String xml(Map<String, String> properties) {
    return properties.entrySet().stream()
        .sorted(Map.Entry.comparingByKey())
        .map(
            p ->
                "<property><name>%s</name><value>%s</value></property>\n"
                    .formatted(p.getKey(), p.getValue()))
        .collect(Collectors.joining("", "<configuration>\n", "</configuration>\n"));
  }
}
