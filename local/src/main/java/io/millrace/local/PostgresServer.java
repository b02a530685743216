package io.millrace.local;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A PostgreSQL server of the machine's own package, on loopback, with an empty database in a
 * temporary folder that goes with it.
 *
 * <p>PostgreSQL refuses to run as root: then it runs as the user {@code postgres}, which its
 * package makes.
 */
public final class PostgresServer extends ServerProcess {
  private static final Path PACKAGES = Path.of("/usr/lib/postgresql");
  private static final String SYSTEM_USER = "postgres";
  private static final String USER = "millrace";
  private static final String PASSWORD = "millrace-local";
  private static final String DATABASE = "postgres";

  /**
   * Runs the server, hands a stop on to it as the fast one, and ends it when the pipe from the
   * parent closes.
   */
  private static final String TETHER =
      """
      exec 3<&0
      "$@" </dev/null 3<&- &
      server=$!
      trap 'kill -INT $server' TERM
      { cat <&3 >/dev/null; kill -QUIT $server; } &
      watch=$!
      wait $server
      code=$?
      while kill -0 $server 2>/dev/null; do wait $server; code=$?; done
      kill $watch 2>/dev/null
      exit $code
      """;

  private final Path programs;
  private int port;

  private PostgresServer(Path folder, Path programs) {
    super("postgres", folder);
    this.programs = programs;
  }

  /** Whether this machine has the programs. */
  public static boolean isInstalled() {
    return findPrograms().isPresent();
  }

  /**
   * Starts a server with an empty database.
   *
   * @throws IllegalStateException when PostgreSQL is not installed
   */
  public static PostgresServer startTemporary() {
    Path programs =
        findPrograms()
            .orElseThrow(
                () ->
                    new IllegalStateException(
                        "there is no PostgreSQL: apt-get install postgresql"));
    try {
      // Not in the build's folder: the server's own user may not be allowed to look there.
      Path parent = Files.createTempDirectory("millrace-postgres-");
      open(parent);
      PostgresServer server = new PostgresServer(parent.resolve("server"), programs);
      server.start();
      return server;
    } catch (IOException e) {
      throw new UncheckedIOException("no folder for PostgreSQL", e);
    }
  }

  /** The folder of initdb and postgres: Debian's newest version, else one on the path. */
  private static Optional<Path> findPrograms() {
    List<Path> folders = new ArrayList<>();
    if (Files.isDirectory(PACKAGES)) {
      try (Stream<Path> versions = Files.list(PACKAGES)) {
        versions
            .filter(v -> v.getFileName().toString().matches("\\d+"))
            .sorted(
                Comparator.comparingInt((Path v) -> Integer.parseInt(v.getFileName().toString()))
                    .reversed())
            .map(v -> v.resolve("bin"))
            .forEach(folders::add);
      } catch (IOException e) {
        throw new UncheckedIOException("cannot list " + PACKAGES, e);
      }
    }
    String path = System.getenv().getOrDefault("PATH", "");
    Arrays.stream(path.split(":", -1))
        .filter(p -> !p.isEmpty())
        .map(Path::of)
        .forEach(folders::add);
    return folders.stream()
        .filter(f -> Files.isExecutable(f.resolve("initdb")))
        .filter(f -> Files.isExecutable(f.resolve("postgres")))
        .findFirst();
  }

  /** What JDBC connects to. */
  public String url() {
    return "jdbc:postgresql://" + address() + "/" + DATABASE;
  }

  public String user() {
    return USER;
  }

  public String password() {
    return PASSWORD;
  }

  /** A connection of the caller's, to be closed by it. */
  public Connection connect() throws SQLException {
    return DriverManager.getConnection(url(), USER, PASSWORD);
  }

  @Override
  public String address() {
    return "127.0.0.1:" + port;
  }

  private Path data() {
    return folder().resolve("data");
  }

  @Override
  List<Integer> choosePorts() {
    port = claimPort();
    return List.of(port);
  }

  @Override
  void prepare() throws IOException {
    open(folder());
    Path data = Files.createDirectory(data());
    Path password = Files.writeString(folder().resolve("password"), PASSWORD + "\n");
    if (isRoot()) {
      giveToSystemUser(data);
      giveToSystemUser(password);
    }
    Process init =
        run(
            asSystemUser(
                programs.resolve("initdb").toString(),
                "--pgdata=" + data,
                "--username=" + USER,
                "--pwfile=" + password,
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync"));
    try {
      if (init.waitFor() != 0) {
        throw new IOException("initdb failed; its log ends:\n" + logTail());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      init.destroyForcibly();
      throw new IOException("interrupted while running initdb", e);
    }
  }

  @Override
  List<String> command() {
    return List.of(
        programs.resolve("postgres").toString(),
        "-D",
        data().toString(),
        "-p",
        Integer.toString(port),
        "-c",
        "listen_addresses=127.0.0.1",
        "-c",
        "unix_socket_directories=",
        "-c",
        "fsync=off",
        "-c",
        "shared_buffers=32MB",
        "-c",
        "max_connections=40");
  }

  @Override
  List<String> commandLine() {
    List<String> line = new ArrayList<>(List.of("sh", "-c", TETHER, "postgres"));
    line.addAll(command());
    return asSystemUser(line.toArray(String[]::new));
  }

  @Override
  boolean answers() throws SQLException {
    try (Connection connection = connect()) {
      return connection.isValid(2);
    }
  }

  @Override
  void closed() {
    BuildFiles.deleteTree(folder().getParent());
  }

  private static boolean isRoot() {
    return "root".equals(System.getProperty("user.name"));
  }

  private static List<String> asSystemUser(String... command) {
    List<String> line = new ArrayList<>();
    if (isRoot()) {
      line.addAll(
          List.of("setpriv", "--reuid=" + SYSTEM_USER, "--regid=" + SYSTEM_USER, "--init-groups"));
    }
    line.addAll(Arrays.asList(command));
    return line;
  }

  private static void giveToSystemUser(Path path) throws IOException {
    Files.getFileAttributeView(path, PosixFileAttributeView.class)
        .setOwner(
            path.getFileSystem()
                .getUserPrincipalLookupService()
                .lookupPrincipalByName(SYSTEM_USER));
  }

  /** Lets every user of the machine pass; the data below is the server's alone. */
  private static void open(Path folder) throws IOException {
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
  }
}
