package io.millrace.local;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** One ZooKeeper node, out of Flink's own jars: it remembers which jobs run and where they were. */
final class ZooKeeper extends ServerProcess {
  private int port;

  private ZooKeeper(Path folder) {
    super("zookeeper", folder);
  }

  /** A node in a folder that it owns, not started. */
  static ZooKeeper in(Path folder) {
    return new ZooKeeper(folder);
  }

  @Override
  public String address() {
    return "127.0.0.1:" + port;
  }

  @Override
  List<Integer> choosePorts() {
    port = claimPort();
    return List.of(port);
  }

  @Override
  List<Path> classPath() {
    return List.of(
        folder().resolve("conf"),
        BuildFiles.classes(),
        FlinkProcess.distribution().resolve("lib/*"));
  }

  @Override
  void prepare() throws IOException {
    Path data = Files.createDirectories(folder().resolve("data"));
    Path conf = Files.createDirectories(folder().resolve("conf"));
    Files.writeString(
        conf.resolve("zoo.cfg"),
        """
        tickTime=2000
        dataDir=%s
        clientPort=%d
        clientPortAddress=127.0.0.1
        admin.enableServer=false
        4lw.commands.whitelist=ruok
        autopurge.snapRetainCount=3
        autopurge.purgeInterval=1
        """
            .formatted(data, port));
  }

  @Override
  List<String> command() {
    return List.of(
        "-Xmx96m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        Tether.class.getName(),
        "org.apache.flink.shaded.zookeeper3.org.apache.zookeeper.server.ZooKeeperServerMain",
        folder().resolve("conf").resolve("zoo.cfg").toString());
  }

  @Override
  boolean answers() throws IOException {
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 1_000);
      socket.setSoTimeout(2_000);
      OutputStream out = socket.getOutputStream();
      out.write("ruok".getBytes(StandardCharsets.US_ASCII));
      out.flush();
      try (InputStream in = socket.getInputStream()) {
        return new String(in.readAllBytes(), StandardCharsets.US_ASCII).equals("imok");
      }
    }
  }
}
