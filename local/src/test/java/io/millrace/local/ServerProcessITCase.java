package io.millrace.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ServerProcessITCase {
  @TempDir private Path folder;

  @Test
  void portThatAnotherProgramBoundIsGivenUpForTheNext() throws IOException {
    try (ServerSocket other = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        Port free = Port.claim();
        AnyServer server = new AnyServer("org.gaul.s3proxy.Main", other, free)) {
      server.start();
      assertThat(server.address()).isEqualTo("127.0.0.1:" + free.number());
      assertThat(server.isRunning()).isTrue();
    }
  }

  @Test
  void serverThatDiesWhileStartingSaysSoWithTheEndOfItsLog() throws IOException {
    try (Port free = Port.claim();
        AnyServer server = new AnyServer("no.such.Server", free)) {
      assertThatThrownBy(server::start)
          .hasMessageStartingWith("s3 ended with exit code 1 while starting on 127.0.0.1:")
          .hasMessageContaining("its log ends:")
          .hasMessageContaining("ClassNotFoundException: no.such.Server");
    }
  }

  @Test
  void serverEndsWithItsParent() throws IOException {
    try (Port port = Port.claim();
        AnyServer server = new AnyServer("org.gaul.s3proxy.Main", port)) {
      server.start();
      server.dropParent();
      Await.until("the server's end", Duration.ofSeconds(10), () -> !server.isRunning());
    }
  }

  @Test
  void folderOfSomeoneElseIsRefused() throws IOException {
    Files.writeString(folder.resolve("precious"), "kept");
    assertThatThrownBy(() -> S3Server.start(folder))
        .hasMessage("s3 starts in a new folder, but " + folder + " exists");
    assertThat(folder.resolve("precious")).hasContent("kept");
  }

  /** The S3 server's jars with a chosen main class and chosen ports. */
  private final class AnyServer extends ServerProcess {
    private final String main;
    private final Deque<Integer> candidates = new ArrayDeque<>();
    private int port;

    AnyServer(String main, ServerSocket taken, Port free) {
      this(main, free);
      candidates.addFirst(taken.getLocalPort());
    }

    AnyServer(String main, Port free) {
      super("s3", folder.resolve("s3"));
      this.main = main;
      candidates.add(free.number());
    }

    @Override
    List<Integer> choosePorts() {
      port = candidates.removeFirst();
      return List.of(port);
    }

    @Override
    void prepare() throws IOException {
      Files.createDirectories(folder().resolve("buckets"));
      Files.writeString(
          folder().resolve("s3proxy.conf"),
          """
          s3proxy.authorization=none
          s3proxy.endpoint=http://%s
          jclouds.provider=filesystem-nio2
          jclouds.filesystem.basedir=%s
          """
              .formatted(address(), folder().resolve("buckets")));
    }

    @Override
    List<String> command() {
      return List.of(Tether.class.getName(), main, "--properties", "s3proxy.conf");
    }

    @Override
    boolean answers() throws IOException {
      if (candidates.isEmpty()) {
        new Socket(InetAddress.getLoopbackAddress(), port).close();
        return true;
      }
      return false;
    }

    @Override
    public String address() {
      return "127.0.0.1:" + port;
    }

    /** Closes the pipe, as the operating system does when the parent is killed. */
    void dropParent() throws IOException {
      parentPipe().close();
    }
  }
}
